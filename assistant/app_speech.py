"""The composition root of ears and mouth: which adapters there are, and what the configuration makes of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Literal

from assistant import phrases
from assistant.config import EndpointSettings, Settings, WakeSettings
from assistant.errors import ModelFilesError
from assistant.models import ModelStore
from assistant.ports import Names, Woken
from assistant.resources import resource
from assistant.speech.earcons import Earcons
from assistant.speech.echo import EchoRemover
from assistant.speech.elsewhere import (
    Loadable,
    LoadableTranscriber,
    synthesizer_elsewhere,
    transcriber_elsewhere,
)
from assistant.speech.false_wakes import FalseWakes
from assistant.speech.listener import EarListener
from assistant.speech.microphone import MicrophoneSource, MicrophoneState
from assistant.speech.player import SoundDevicePlayer, loudspeaker_available
from assistant.speech.resting import RestingSynthesizer, RestingTranscriber
from assistant.speech.smart_turn import SmartTurn
from assistant.speech.speech_cache import CachedSynthesizer, fixed_sentences
from assistant.speech.stop_echo import StopEcho
from assistant.speech.stop_word import StopWord
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.vad import SileroVad
from assistant.speech.voices import find_voice
from assistant.speech.wake_models import features_folder, find_wake_words
from assistant.speech.wake_word import OpenWakeWord
from assistant.speech.whisper_window import WINDOWS
from assistant.text.spoken import to_spoken

log = logging.getLogger(__name__)


STOP_WEIGHTS = resource("prompts", "stop_word.npz")


@lru_cache(maxsize=1)
def _stop_word() -> StopWord:
    """One for all, since it remembers nothing. Raises WakeWordError."""
    return StopWord(STOP_WEIGHTS)


def stop_echo(settings: Settings, models: ModelStore) -> StopEcho | None:
    """What tells which of the assistant's own words sound like "stop"; None where nothing interrupts it. Raises
    WakeWordError."""
    return StopEcho(_stop_word(), features_folder(models)) if settings.speech.interruption else None


def wake_word_maker(wake: WakeSettings, models: ModelStore, *, stop: bool = False) -> Callable[[], OpenWakeWord]:
    """A detector for each stream; the files are looked for at once. ``stop``: it can hear "stop", too. Raises
    ModelFilesError, WakeWordError."""
    words, features = find_wake_words(wake.words, models), features_folder(models)
    stop_word = _stop_word() if stop else None
    gate = models.file("silero-vad", "silero_vad.onnx") if wake.vad_gate else None
    return lambda: OpenWakeWord(
        words,
        features=features,
        refractory_s=wake.refractory_s,
        gate=SileroVad(gate) if gate else None,
        gate_probability=wake.vad_gate,
        stop=stop_word,
    )


def turn_model_maker(endpoint: EndpointSettings, models: ModelStore) -> Callable[[], SmartTurn] | None:
    """None, and a line in the log, when its file is not there: silence alone decides then."""
    if not endpoint.turn_model:
        return None
    try:
        file = models.resolve(endpoint.turn_model, ".onnx")
    except ModelFilesError as error:
        log.warning("%s Silence alone decides when an utterance is over.", error.detail)
        return None
    return lambda: SmartTurn(file)


@contextmanager
def listener(settings: Settings, models: ModelStore, other: EarListener | None = None) -> Iterator[EarListener]:
    """Wake words, endpointing, and the inbox of false wakes. ``other``: ears whose turn model these share. Raises
    ModelFilesError, WakeWordError."""
    vad_file = models.file("silero-vad", "silero_vad.onnx")
    made = EarListener(
        wake_word_maker(settings.wake, models, stop=settings.speech.interruption),
        lambda: SileroVad(vad_file),
        settings.wake,
        settings.endpoint,
        other.turn_model if other is not None else turn_model_maker(settings.endpoint, models),
        _keeper(settings.wake),
    )
    with closing(made):
        yield made


def _keeper(wake: WakeSettings) -> Callable[[Woken], None] | None:
    """Keeps false wakes where that was asked for."""
    if wake.inbox is None:
        return None
    inbox = FalseWakes(wake.inbox, wake.inbox_files)

    def keep(woken: Woken) -> None:
        inbox.keep(woken.pre_roll, woken.detection.word, woken.detection.score, datetime.now().astimezone())

    return keep


@contextmanager
def transcriber(
    settings: Settings, models: ModelStore, names: Sequence[str], settled: Callable[[str], bool] = lambda _: False
) -> Iterator[LoadableTranscriber]:
    """Speech recognition, here or where the configuration says. ``settled``: whether a text is understood as it stands,
    asked in a thread. Raises ModelFilesError, ConfigError."""
    elsewhere = transcriber_elsewhere(settings.transcriber, names, list(settings.wake.words))
    made = (RestingTranscriber(elsewhere) if elsewhere is not None else None) or whisper(
        settings,
        models,
        names if settings.transcriber.names_prompt else (),
        window=settings.transcriber.window,
        settled=settled,
    )
    with closing(made):
        yield made


def spoken_names(names: Names) -> list[str]:
    """What recognition is told of: every name of the house, and what else it is called in words."""
    return [name for kind in names.by_kind.values() for name in kind]


@contextmanager
def synthesizer(settings: Settings, models: ModelStore) -> Iterator[CachedSynthesizer]:
    """The voice, here or where the configuration says, which remembers what it said. Raises ModelFilesError,
    ConfigError."""
    voice = settings.synthesizer
    elsewhere = synthesizer_elsewhere(voice)
    made = (RestingSynthesizer(elsewhere) if elsewhere is not None else None) or PiperSynthesizer(
        find_voice(voice.voice, models), speed=voice.speed, volume=voice.volume
    )
    with closing(CachedSynthesizer(made, voice.cache_mb * 1_000_000)) as remembering:
        yield remembering


async def warm_speech(settings: Settings, voice: CachedSynthesizer) -> None:
    """Make fixed sentences ahead of time, in the gaps between others, for as long as it takes; cancel it at any time.

    A server is not asked for what may never be said.
    """
    if settings.synthesizer.engine == "piper":
        told = phrases.load()
        fixed = fixed_sentences(told.phrases, told.errors, told.stages, told.kinds)
        await voice.warm(map(to_spoken, fixed))


def voice_spoken_with(settings: Settings, models: ModelStore) -> tuple[str, str]:
    """Name and language of the voice, for clients that choose one: ``("en_US-joe-medium", "en_US")``. A server's voice
    is taken to speak what is understood here. Raises ModelFilesError."""
    voice, spoken = settings.synthesizer, settings.transcriber.language
    if voice.engine != "piper":
        return voice.server_voice or "default", spoken
    name = find_voice(voice.voice, models).stem
    language = re.match(r"[a-z]{2,3}_[A-Z]{2}(?=-)", name)
    return name, language.group() if language else spoken


@contextmanager
def player(settings: Settings) -> Iterator[SoundDevicePlayer | None]:
    """The loudspeaker, where there is one."""
    if not loudspeaker_available():
        yield None
        return
    made = SoundDevicePlayer(settings.loudspeaker)
    with closing(made):
        yield made


def microphone(
    settings: Settings,
    loudspeaker: SoundDevicePlayer | None,
    on_state: Callable[[MicrophoneState], None] | None = None,
) -> MicrophoneSource:
    """The configured one; what it hears of this loudspeaker is taken out, where that is wanted."""
    echo = None
    if loudspeaker is not None and settings.speech.echo_cancellation:
        echo = EchoRemover(lambda: loudspeaker.sent)
    return MicrophoneSource(settings.microphone, on_state=on_state, echo=echo)


def cues(settings: Settings, loudspeaker: SoundDevicePlayer | None) -> Earcons | None:
    """Short sounds, where they are wanted and can be heard."""
    if loudspeaker is None or not settings.speech.earcons:
        return None
    return Earcons(loudspeaker, volume=settings.synthesizer.volume)


def speech_servers(settings: Settings) -> list[tuple[str, Loadable]]:
    """Engines on other machines, by what they are for; ``load`` sees whether they are there. Raises ConfigError."""
    chosen = (
        ("speech recognition", transcriber_elsewhere(settings.transcriber)),
        ("speech", synthesizer_elsewhere(settings.synthesizer)),
    )
    return [(name, engine) for name, engine in chosen if engine is not None]


def whisper(
    settings: Settings,
    models: ModelStore,
    names: Sequence[str],
    *,
    window: Literal["short", "full"],
    settled: Callable[[str], bool] = lambda _: False,
) -> FasterWhisper:
    """Whisper as it is configured, with these names and this window; close it. Raises ModelFilesError."""
    chosen = settings.transcriber
    return FasterWhisper(
        models.resolve(chosen.model),
        compute_type=chosen.compute_type,
        language=chosen.language,
        threads=chosen.threads,
        names=names,
        wake_words=tuple(settings.wake.words),
        window=WINDOWS[window],
        settled=settled,
    )

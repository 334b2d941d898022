"""The ears together, on a scripted wake word and voice activity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from assistant.config import EndpointSettings, WakeSettings
from assistant.errors import EndpointingError, WakeWordError
from assistant.events import SpeechEnded, SpeechStarted, WakeDetected
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Hearing, Paused, Resumed, Samples, Utterance
from assistant.speech.listener import EarListener
from assistant.speech.sources import ClipSource
from tests.fakes import FakeSource, FakeWakeWord

LOUD = 8_000


@dataclass
class LoudnessVad:
    """Speech is whatever is loud."""

    frame_samples: int = 512
    frames: list[int] = field(default_factory=list)

    def probability(self, frame: Samples) -> float:
        self.frames.append(len(frame))
        return 0.95 if np.abs(frame).max() > LOUD / 2 else 0.01


def listener(*wake_at: int) -> EarListener:
    return EarListener(lambda: FakeWakeWord(wake_at), LoudnessVad, WakeSettings(pre_roll_s=0.5), EndpointSettings())


def audio(*parts: tuple[str, float]) -> Samples:
    """("loud", 0.5), ("quiet", 1.0) … as samples."""
    pieces = [np.full(int(s * SAMPLE_RATE_HZ), LOUD if kind == "loud" else 0, dtype=np.int16) for kind, s in parts]
    return np.concatenate(pieces)


async def hear(ears: EarListener, samples: Samples, *, wake: bool) -> list[Hearing]:
    events = [event async for event in ears.hear(ClipSource(samples, trailing_silence_s=0.0), wake=wake)]
    return [event for event in events if not isinstance(event, Paused | Resumed)]


def chunk_at(seconds: float) -> int:
    return int(seconds * SAMPLE_RATE_HZ / CHUNK_SAMPLES)


async def test_in_one_breath_no_syllable_is_lost() -> None:
    said = audio(("quiet", 1), ("loud", 2), ("quiet", 2))
    wake, started, ended, utterance = await hear(listener(chunk_at(1.6)), said, wake=True)
    assert isinstance(wake, WakeDetected)
    assert wake.audio_ms == pytest.approx(1680, abs=80)
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert ended.speech_end_ms == pytest.approx(3000, abs=40)
    assert isinstance(utterance, Utterance)
    assert utterance.wake_heard
    heard_s = len(utterance.audio) / SAMPLE_RATE_HZ
    assert heard_s == pytest.approx(0.5 + 0.08 + (3.0 - 1.68) + 0.2, abs=0.09)  # pre-roll, a piece, the rest, the tail


async def test_a_pause_after_the_wake_word_is_waited_for() -> None:
    said = audio(("loud", 0.8), ("quiet", 2), ("loud", 1), ("quiet", 2))
    events = await hear(listener(chunk_at(0.8)), said, wake=True)
    started = next(event for event in events if isinstance(event, SpeechStarted))
    assert started.audio_ms == pytest.approx(2800, abs=40)
    assert isinstance(events[-1], Utterance)


async def test_only_silence_after_the_wake_word_is_said() -> None:
    with pytest.raises(EndpointingError) as failed:
        await hear(listener(chunk_at(0.8)), audio(("loud", 0.8), ("quiet", 6)), wake=True)
    assert failed.value.code == "nothing_heard"


async def test_audio_without_the_wake_word_is_said() -> None:
    with pytest.raises(WakeWordError) as failed:
        await hear(listener(), audio(("loud", 2)), wake=True)
    assert failed.value.code == "no_wake_word"


async def test_a_clip_runs_to_its_end_pauses_and_all() -> None:
    said = audio(("quiet", 1), ("loud", 1), ("quiet", 3), ("loud", 1), ("quiet", 1))
    events = await hear(listener(), said, wake=False)
    ended, utterance = events[-2:]
    assert isinstance(ended, SpeechEnded)
    assert ended.reason == "end_of_audio"
    assert isinstance(utterance, Utterance)
    assert not utterance.wake_heard
    assert len(utterance.audio) / SAMPLE_RATE_HZ == pytest.approx(0.3 + 5 + 0.2, abs=0.1)


async def test_a_silent_clip_is_nothing_heard() -> None:
    with pytest.raises(EndpointingError):
        await hear(listener(), audio(("quiet", 3)), wake=False)


@pytest.mark.parametrize("sizes", [(1280,), (100,), (4000, 1, 333), (16000,)])
async def test_the_size_of_the_pieces_does_not_matter(sizes: Sequence[int]) -> None:
    said = audio(("quiet", 1), ("loud", 1), ("quiet", 1))
    pieces: list[Samples] = []
    position = 0
    while position < len(said):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(said[position : position + size])
        position += size
    whole = (await hear(listener(), said, wake=False))[-1]
    events = [event async for event in listener().hear(FakeSource(pieces), wake=False)]
    assert isinstance(whole, Utterance)
    assert isinstance(events[-1], Utterance)
    assert np.array_equal(events[-1].audio, whole.audio)


async def test_the_same_endless_source_gives_turn_after_turn() -> None:
    """What comes after an utterance is the beginning of the next one's audio, and the detector never misses a piece."""
    one = audio(("loud", 1), ("quiet", 2))
    said = np.concatenate([one, one])
    detector = FakeWakeWord([chunk_at(0.3), chunk_at(3.3)])
    ears = EarListener(lambda: detector, LoudnessVad, WakeSettings(), EndpointSettings())
    source = ClipSource(said, trailing_silence_s=0.0)
    source.endless = True  # as a microphone is
    for _ in range(2):
        events = [event async for event in ears.hear(source, wake=True)]
        assert isinstance(events[-1], Utterance)
    assert detector.seen * CHUNK_SAMPLES > len(said) - 2 * SAMPLE_RATE_HZ

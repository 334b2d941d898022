"""Ears on the real models: every fixture is heard as its manifest says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.app_speech import wake_word_maker
from assistant.config import EndpointSettings, WakeSettings
from assistant.errors import EndpointingError, SynthesisError, TranscriptionError, WakeWordError
from assistant.events import WakeDetected
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Utterance
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.listener import EarListener
from assistant.speech.sources import ClipSource
from assistant.speech.synthesizer import PiperSynthesizer
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.vad import SileroVad
from assistant.speech.wake_models import WakeWord
from assistant.speech.wake_word import OpenWakeWord
from assistant.text.transcript import clean_transcript

pytestmark = pytest.mark.real_models

FIXTURES = resource("audio_fixtures")
SAID: dict[str, str] = {
    name: entry["said"] for name, entry in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8")).items()
}
NAMES = ("jellyfin", "gitea", "immich", "grafana", "nextcloud", "photos", "media server")
WITH_WAKE_WORD = sorted(name for name in SAID if name.startswith("hey_jarvis"))
WITHOUT = sorted(name for name in SAID if not name.startswith("hey_jarvis"))


@pytest.fixture(scope="module")
def ears(model_store: ModelStore) -> Iterator[EarListener]:
    vad = model_store.file("silero-vad", "silero_vad.onnx")
    made = EarListener(
        wake_word_maker(WakeSettings(), model_store),
        lambda: SileroVad(vad),
        WakeSettings(),
        EndpointSettings(),
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def whisper(model_store: ModelStore) -> Iterator[FasterWhisper]:
    folder = model_store.folder("whisper-base")
    made = FasterWhisper(folder, compute_type="int8", language="en", names=NAMES)
    yield made
    made.close()


def plain(text: str) -> str:
    words = re.sub(r"[^\w' ]+", " ", text.casefold()).replace("okay", "ok").split()
    return " ".join(words)


def without_wake_phrase(text: str) -> str:
    return re.sub(r"^hey jarvis ", "", plain(text))


async def utterance(ears: EarListener, name: str, *, wake: bool) -> tuple[Utterance, list[WakeDetected]]:
    samples = await read_clip(FIXTURES / f"{name}.wav", max_clip_s=60)
    events = [event async for event in ears.hear(ClipSource(samples), wake=wake)]
    last = events[-1]
    assert isinstance(last, Utterance)
    return last, [event for event in events if isinstance(event, WakeDetected)]


@pytest.mark.parametrize("name", WITH_WAKE_WORD)
async def test_the_wake_word_is_heard_with_a_margin_and_every_word_after_it(
    ears: EarListener, whisper: FasterWhisper, name: str
) -> None:
    heard, detections = await utterance(ears, name, wake=True)
    assert [detection.score > 0.8 for detection in detections] == [True]
    transcript = await whisper.transcribe(heard.audio)
    assert plain(clean_transcript(transcript.text)) == without_wake_phrase(SAID[name])


@pytest.mark.parametrize("name", [name for name in SAID if SAID[name]])
async def test_a_clip_needs_no_wake_word(ears: EarListener, whisper: FasterWhisper, name: str) -> None:
    heard, _ = await utterance(ears, name, wake=False)
    transcript = await whisper.transcribe(heard.audio)
    assert plain(clean_transcript(transcript.text)) == without_wake_phrase(SAID[name])


@pytest.mark.parametrize("name", WITHOUT)
async def test_nothing_else_wakes_it(ears: EarListener, name: str) -> None:
    with pytest.raises(WakeWordError):
        await utterance(ears, name, wake=True)


@pytest.mark.parametrize("name", [name for name in SAID if not SAID[name]])
async def test_silence_and_noise_are_nothing_heard(ears: EarListener, name: str) -> None:
    with pytest.raises(EndpointingError):
        await utterance(ears, name, wake=False)


@pytest.mark.parametrize("loudness", [0, 30, 1500])
async def test_the_names_do_not_make_silence_speak(whisper: FasterWhisper, loudness: int) -> None:
    quiet = np.random.default_rng(1).normal(0, max(loudness, 1e-9), SAMPLE_RATE_HZ * 3).astype(np.int16)
    assert (await whisper.transcribe(quiet)).text == ""


async def test_a_snippet_is_no_speech(whisper: FasterWhisper) -> None:
    assert (await whisper.transcribe(np.zeros(100, dtype=np.int16))).text == ""


async def test_missing_and_damaged_files_are_said_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError) as voice:
        await PiperSynthesizer(tmp_path / "voice.onnx").load()
    with pytest.raises(TranscriptionError) as ears:
        await FasterWhisper(tmp_path, compute_type="int8", language="en").load()
    with pytest.raises(WakeWordError) as wake:
        OpenWakeWord({"hey_jarvis": WakeWord(tmp_path / "hey_jarvis.onnx")}, features=tmp_path, refractory_s=2)
    (tmp_path / "vad.onnx").write_bytes(b"no model")
    with pytest.raises(EndpointingError) as vad:
        SileroVad(tmp_path / "vad.onnx")
    for failed in (voice, ears, wake):
        assert "jarvis models" in failed.value.mend
    assert vad.value.code == "vad_unusable"

"""What the microphone hears of an earcon is neither speech, nor words, nor a wake word, for the real models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
import soxr

from assistant.app_speech import wake_word_maker
from assistant.config import WakeSettings
from assistant.models import ModelStore
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Cue, Samples
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.earcons import Earcon, earcon
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.vad import SileroVad

pytestmark = pytest.mark.real_models

KINDS: tuple[Earcon, ...] = (*get_args(Cue), "heard")
FIXTURES = resource("audio_fixtures")
SPOKEN = sorted(
    name
    for name, entry in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8")).items()
    if entry["said"]
)


@pytest.fixture(scope="module")
def whisper(model_store: ModelStore) -> Iterator[FasterWhisper]:
    made = FasterWhisper(model_store.folder("whisper-base"), compute_type="int8", language="en", names=["grafana"])
    yield made
    made.close()


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ), dtype=np.int16)


def heard(kind: Earcon, volume: float = 1.0) -> Samples:
    """As a microphone beside the loudspeaker records it."""
    pcm = np.frombuffer(earcon(kind, 22_050, volume).pcm, dtype="<i2")
    converted: Samples = soxr.resample(pcm, 22_050, SAMPLE_RATE_HZ).astype(np.int16)
    return converted


def words(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]+", " ", text.casefold()).replace("okay", "ok").split())


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_no_speech_to_silero_however_loud_and_wherever_it_falls(model_store: ModelStore, kind: Earcon) -> None:
    vad = SileroVad(model_store.file("silero-vad", "silero_vad.onnx"))
    size = vad.frame_samples
    highest = 0.0
    for volume in (0.05, 0.3, 1.0, 2.0):
        for offset in range(0, size, size // 4):
            vad.reset()
            room = np.concatenate([silence(0.2), silence(offset / SAMPLE_RATE_HZ), heard(kind, volume), silence(0.3)])
            frames = [room[start : start + size] for start in range(0, len(room) - size, size)]
            highest = max(highest, *(vad.probability(frame) for frame in frames))
    assert highest < 0.5


@pytest.mark.parametrize("kind", KINDS)
async def test_whisper_hears_nothing_in_it(whisper: FasterWhisper, kind: Earcon) -> None:
    alone = np.concatenate([silence(0.3), heard(kind), silence(0.7)])
    thrice = np.concatenate([silence(0.3), *[heard(kind), silence(0.5)] * 3])
    assert [(await whisper.transcribe(audio)).text for audio in (alone, thrice)] == ["", ""]


@pytest.mark.parametrize("kind", KINDS)
async def test_whisper_hears_nothing_more_in_an_utterance_that_it_sounds_into(
    whisper: FasterWhisper, kind: Earcon
) -> None:
    """Over the first syllable, and before it."""
    for name in SPOKEN[:2]:
        clip = await read_clip(FIXTURES / f"{name}.wav", max_clip_s=60)
        sound = heard(kind)
        over = clip.copy()
        over[: len(sound)] = np.clip(over[: len(sound)].astype(int) + sound, -32768, 32767).astype(np.int16)
        before = np.concatenate([sound, silence(0.1), clip])
        said = words((await whisper.transcribe(clip)).text)
        assert said
        for mixed in (over, before):
            assert words((await whisper.transcribe(mixed)).text) == said


def test_it_wakes_nobody(model_store: ModelStore) -> None:
    detector = wake_word_maker(WakeSettings(), model_store)()
    room = np.concatenate([part for kind in KINDS for part in (silence(2.5), heard(kind, 2.0))] + [silence(2.5)])
    chunks = [room[start : start + CHUNK_SAMPLES] for start in range(0, len(room) - CHUNK_SAMPLES, CHUNK_SAMPLES)]
    assert [detector.process(chunk) for chunk in chunks] == [None] * len(chunks)

"""Our clients against the Wyoming servers that people run: wyoming-faster-whisper and wyoming-piper."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from assistant.errors import SynthesisError, TranscriptionError
from assistant.models import ModelStore
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.resources import resource
from assistant.speech.decoding import read_clip
from assistant.speech.transcriber import FasterWhisper
from assistant.speech.wyoming_client import WyomingSpeech, WyomingTranscriber
from assistant.text.transcript import clean_transcript
from tests.real.home_assistant import REAL, VOICE, free_port, speaking, transcribing

pytestmark = pytest.mark.real_server

FIXTURES = resource("audio_fixtures")
SAID: dict[str, str] = {
    name: entry["said"] for name, entry in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8")).items()
}
SENTENCE = "The lights in the kitchen are off, and all services are up."


@pytest.fixture(scope="module")
def models(model_store: ModelStore) -> Path:
    for program in ("wyoming-faster-whisper", "wyoming-piper"):
        if not (REAL / "wyoming" / "bin" / program).exists():
            pytest.fail(f"{program} is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    return model_store.models_dir


@pytest.fixture(scope="module")
def ears(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of their Whisper."""
    port = free_port()
    with transcribing(tmp_path_factory.mktemp("wyoming") / "ears", models, port):
        yield f"tcp://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def mouth(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of their Piper."""
    port = free_port()
    with speaking(tmp_path_factory.mktemp("wyoming") / "mouth", models, port):
        yield f"tcp://127.0.0.1:{port}"


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]+", " ", clean_transcript(text).casefold()).replace("okay", "ok").split())


def nearly(heard: str, said: str) -> bool:
    """All but a letter or two: they are given no names, and Piper says nothing twice in the same way."""
    return difflib.SequenceMatcher(None, plain(heard), plain(said)).ratio() >= 0.9


def heard_at_16_khz(chunks: list[SpeechChunk]) -> Samples:
    [rate_hz] = {chunk.sample_rate_hz for chunk in chunks}
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), dtype="<i2").astype(np.float32) / 32_768
    resampled = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    audio: Samples = (np.clip(resampled, -1, 1) * 32_767).astype(np.int16)
    return audio


@pytest.mark.parametrize("name", sorted(name for name, said in SAID.items() if said))
async def test_their_whisper_hears_our_recordings(ears: str, name: str) -> None:
    engine = WyomingTranscriber(ears, timeout_s=60)
    await engine.load()
    transcript = await engine.transcribe(await read_clip(FIXTURES / f"{name}.wav", max_clip_s=60))
    assert nearly(transcript.text, SAID[name])
    assert transcript.engine.startswith("faster-whisper at tcp://127.0.0.1:")


async def test_names_that_their_whisper_does_not_use_do_no_harm(ears: str) -> None:
    """3.8.1 takes names only by its own options; the protocol has a place for them."""
    clip = await read_clip(FIXTURES / "hey_jarvis_pause_is_grafana_up.wav", max_clip_s=60)
    engine = WyomingTranscriber(ears, timeout_s=60, names=["Grafana", "Jellyfin", "Immich"])
    assert nearly((await engine.transcribe(clip)).text, "Is Grafana up?")


async def test_what_their_piper_says_our_whisper_hears(mouth: str, models: Path) -> None:
    voice = WyomingSpeech(mouth, VOICE, timeout_s=60)
    await voice.load()
    chunks = [chunk async for chunk in voice.synthesize(SENTENCE)]
    assert len(chunks) > 1
    whisper = FasterWhisper(models / "whisper-base", compute_type="int8", language="en")
    try:
        transcript = await whisper.transcribe(heard_at_16_khz(chunks))
    finally:
        whisper.close()
    assert nearly(transcript.text, SENTENCE)


async def test_a_sentence_goes_around_through_both_of_their_servers(ears: str, mouth: str) -> None:
    chunks = [chunk async for chunk in WyomingSpeech(mouth, timeout_s=60).synthesize(SENTENCE)]
    transcript = await WyomingTranscriber(ears, timeout_s=60).transcribe(heard_at_16_khz(chunks))
    assert nearly(transcript.text, SENTENCE)


async def test_each_is_told_from_the_other(ears: str, mouth: str) -> None:
    with pytest.raises(TranscriptionError) as speaks:
        await WyomingTranscriber(mouth).load()
    with pytest.raises(SynthesisError) as hears:
        await WyomingSpeech(ears).load()
    assert speaks.value.code == hears.value.code == "wrong_kind"
    assert "speech recognition" in hears.value.detail


async def test_a_voice_that_their_piper_has_not_is_refused_with_the_nearest(mouth: str) -> None:
    with pytest.raises(SynthesisError) as refused:
        await WyomingSpeech(mouth, "en_US-joe-high").load()
    assert refused.value.code == "server_voice_missing"
    assert VOICE in refused.value.detail


async def test_silence_is_nothing_to_their_whisper_either(ears: str) -> None:
    clip = await read_clip(FIXTURES / "silence_5s.wav", max_clip_s=60)
    assert (await WyomingTranscriber(ears, timeout_s=60).transcribe(clip)).text == ""

"""Ears and mouth for the real ``openai`` package."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from typing import Literal

import av
import httpx
import numpy as np
import openai
import pytest
from openai import AsyncOpenAI

from assistant.app import App
from assistant.errors import SynthesisError, TranscriptionError
from tests.fakes import FakeSynthesizer, FakeTranscriber

Form = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


@pytest.fixture
async def jarvis(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def clip() -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.zeros(24_000, dtype="<i2").tobytes())
    return "clip.wav", buffer.getvalue()


@pytest.fixture
def ears(app: App, monkeypatch: pytest.MonkeyPatch) -> FakeTranscriber:
    heard = FakeTranscriber("Is the backup ok?")
    monkeypatch.setattr(app, "transcriber", heard)
    return heard


@pytest.fixture
def mouth(app: App, monkeypatch: pytest.MonkeyPatch) -> FakeSynthesizer:
    said = FakeSynthesizer()
    monkeypatch.setattr(app, "synthesizer", said)
    return said


@pytest.mark.usefixtures("ears")
async def test_a_clip_becomes_text(jarvis: AsyncOpenAI, clip: tuple[str, bytes]) -> None:
    heard = await jarvis.audio.transcriptions.create(model="jarvis-ears", file=clip)
    assert heard.text == "Is the backup ok?"


@pytest.mark.usefixtures("ears")
async def test_so_it_does_in_every_form(jarvis: AsyncOpenAI, clip: tuple[str, bytes]) -> None:
    create = jarvis.audio.transcriptions.create
    verbose = await create(model="whisper-1", file=clip, response_format="verbose_json")
    assert (verbose.duration, verbose.language, len(verbose.segments or [])) == (1.5, "en", 1)
    assert await create(model="whisper-1", file=clip, response_format="text") == "Is the backup ok?\n"
    captions = await create(model="whisper-1", file=clip, response_format="srt")
    assert captions == "1\n00:00:00,000 --> 00:00:01,500\nIs the backup ok?\n"
    web = await create(model="whisper-1", file=clip, response_format="vtt")
    assert str(web).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n")


@pytest.mark.usefixtures("ears")
async def test_what_is_no_clip_is_refused(
    jarvis: AsyncOpenAI, client: httpx.AsyncClient, clip: tuple[str, bytes]
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await jarvis.audio.transcriptions.create(model="jarvis-ears", file=("a.wav", b"no audio"))
    assert raised.value.code == "not_audio"
    with pytest.raises(openai.NotFoundError):
        await jarvis.audio.transcriptions.create(model="jarvis", file=clip)
    with pytest.raises(openai.APIStatusError) as large:
        await jarvis.audio.transcriptions.create(model="jarvis-ears", file=("a.wav", b"x" * 300_000))
    assert large.value.status_code == 413
    answer = await client.post("/v1/audio/transcriptions", data={"model": "whisper-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unknown_content_type")
    answer = await client.post("/v1/audio/transcriptions", files={"model": (None, "whisper-1")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "missing_part")


async def test_ears_that_fail_and_ears_that_are_not_there_are_told(
    app: App, jarvis: AsyncOpenAI, clip: tuple[str, bytes], ears: FakeTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears.error = TranscriptionError("whisper_failed", "Whisper cannot be used.")
    for code in ("whisper_failed", "no_ears"):
        with pytest.raises(openai.InternalServerError) as raised:
            await jarvis.audio.transcriptions.create(model="jarvis-ears", file=clip)
        assert (raised.value.status_code, raised.value.code) == (503, code)
        monkeypatch.setattr(app, "transcriber", None)


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
async def test_text_becomes_speech_in_every_form(
    jarvis: AsyncOpenAI, mouth: FakeSynthesizer, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mouth, "synthesize", _Humming(2.0).synthesize)
    speech = await jarvis.audio.speech.create(
        model="jarvis-mouth", voice="joe", input="All is well.", response_format=form
    )
    assert _seconds(speech.content) == pytest.approx(2.0, abs=0.12)
    quick = await jarvis.audio.speech.create(
        model="tts-1", voice="alloy", input="All is well.", response_format=form, speed=2.0
    )
    assert _seconds(quick.content) == pytest.approx(1.0, abs=0.12)


async def test_raw_speech_is_24_khz(
    jarvis: AsyncOpenAI, mouth: FakeSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mouth, "synthesize", _Humming(1.0).synthesize)
    speech = await jarvis.audio.speech.create(model="tts-1", voice="alloy", input="All is well.", response_format="pcm")
    assert len(speech.content) == pytest.approx(2 * 24_000, rel=0.01)


async def test_what_is_spoken_is_what_a_person_would_say(jarvis: AsyncOpenAI, mouth: FakeSynthesizer) -> None:
    await jarvis.audio.speech.create(
        model="tts-1", voice="alloy", input="**12 GiB** at 10.0.0.2", response_format="pcm"
    )
    assert "*" not in mouth.said[0]
    assert "bytes" in mouth.said[0]


@pytest.mark.usefixtures("mouth")
async def test_what_cannot_be_said_is_refused(jarvis: AsyncOpenAI) -> None:
    for text in ("", "x" * 5000, "```", "  "):
        with pytest.raises(openai.BadRequestError):
            await jarvis.audio.speech.create(model="tts-1", voice="alloy", input=text)
    with pytest.raises(openai.BadRequestError):
        await jarvis.audio.speech.create(model="tts-1", voice="alloy", input="hello", speed=9.0)
    with pytest.raises(openai.NotFoundError):
        await jarvis.audio.speech.create(model="whisper-1", voice="alloy", input="hello")


async def test_a_mouth_that_fails_is_an_error_and_no_broken_file(jarvis: AsyncOpenAI, mouth: FakeSynthesizer) -> None:
    mouth.error = SynthesisError("piper_failed", "Piper cannot be used.")
    with pytest.raises(openai.InternalServerError) as raised:
        await jarvis.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert (raised.value.status_code, raised.value.code) == (503, "piper_failed")


class _Humming(FakeSynthesizer):
    """So many seconds of a tone, in tenths."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._tenths = round(seconds * 10)

    async def synthesize(self, text: str):  # type: ignore[no-untyped-def]
        from assistant.ports import SpeechChunk

        tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(2205) / 22_050)).astype("<i2").tobytes()
        for _ in range(self._tenths):
            yield SpeechChunk(tone, 22_050)


def _seconds(content: bytes) -> float:
    with av.open(io.BytesIO(content), "r") as container:
        return sum((frame.samples / frame.sample_rate for frame in container.decode(audio=0)), 0.0)

"""``Accept: audio/…``: the reply as speech, from its first sound on."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from urllib.parse import unquote

import av
import httpx
import numpy as np
import pytest

from assistant.app import App
from assistant.ports import SpeechChunk
from assistant.server.speech_stream import speech_form
from tests.fakes import FakeSynthesizer

QUESTION = {"text": "is gitea up?"}


class Humming(FakeSynthesizer):
    """A second of a tone for each sentence, in tenths."""

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(2205) / 22_050)).astype("<i2").tobytes()
        for _ in range(10):
            yield SpeechChunk(tone, 22_050)


@pytest.mark.parametrize("accept", ["audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/*;q=0.9, */*"])
async def test_the_reply_comes_as_speech(
    app: App, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    monkeypatch.setattr(app, "synthesizer", Humming())
    answer = await client.post("/command", json=QUESTION, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("audio/")
    assert unquote(answer.headers["x-transcript"]) == "is gitea up?"
    with av.open(io.BytesIO(answer.content), "r") as container:
        seconds = sum((frame.samples / frame.sample_rate for frame in container.decode(audio=0)), 0.0)
    assert seconds == pytest.approx(1.0, abs=0.1)
    again = await client.get(f"/turns/{answer.headers['x-turn-id']}/reply.wav")
    assert again.status_code == 200


async def test_a_turn_that_is_not_said_is_a_problem_that_names_where_to_look(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", json=QUESTION, headers={"Accept": "audio/wav"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_audio")
    assert "/events" in answer.json()["error"]["mend"]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("audio/wav", "wav"), ("audio/mpeg, audio/wav", "mp3"), ("application/json, audio/wav", None), ("*/*", None),
        ("", None), ("AUDIO/OGG;q=1", "opus"), ("audio/midi", None),
    ],
)  # fmt: skip
def test_the_first_that_is_named_counts(accept: str, form: str | None) -> None:
    assert speech_form(accept) == form

"""POST /command with a room: the reply is heard there, and the answer tells how it went."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import AsyncIterator

import httpx
import pytest

from assistant.app import App
from assistant.errors import PlaybackError
from assistant.ports import SpeechChunk
from tests.fakes import FakeReplier, FakeSynthesizer

QUESTION = {"text": "is gitea up?"}
SAID = "Gitea is down: the connection is refused."


class Speaker:
    """Keeps what it plays; goes away after so many chunks."""

    def __init__(self, gone_after: int | None = None) -> None:
        self.heard: list[bytes] = []
        self._gone_after = gone_after

    async def play(self, speech: AsyncIterator[SpeechChunk]) -> None:
        async for chunk in speech:
            if self._gone_after is not None and len(self.heard) >= self._gone_after:
                raise PlaybackError("satellite_gone", "The satellite in the kitchen went away.", mend="Look at it.")
            self.heard.append(chunk.pcm)


@pytest.fixture
def speaker(app: App, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    """In the kitchen; each word of the voice is its letters."""
    monkeypatch.setattr(app, "synthesizer", FakeSynthesizer())
    made = Speaker()
    app.rooms.add("Kitchen", "satellite", made)
    return made


async def test_the_reply_is_played_there_and_not_returned_as_sound(
    client: httpx.AsyncClient, app: App, speaker: Speaker
) -> None:
    answer = await client.post("/command", json={**QUESTION, "room": "kitchen"}, headers={"Accept": "audio/wav"})
    body = answer.json()
    assert b" ".join(speaker.heard).decode() == SAID
    assert body["played"] == {"room": "Kitchen", "ok": True, "code": None, "detail": "", "mend": ""}
    assert (body["audio_url"], body["response"]) == (None, SAID)
    assert app.house.audit_lines()[0]["room"] == "Kitchen"


async def test_the_room_comes_with_every_kind_of_body(
    client: httpx.AsyncClient, app: App, speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"\0" * 3200)
    clip = buffer.getvalue()
    for answer in (
        await client.post("/command", files={"text": (None, "is gitea up?")}, data={"room": "Kitchen"}),
        await client.post("/command", files={"audio": ("a.wav", clip)}, data={"room": "Kitchen"}),
        await client.post("/command", content=clip, params={"room": "Kitchen"}, headers={"content-type": "audio/wav"}),
    ):
        assert answer.json()["played"]["ok"], answer.text


async def test_a_room_without_a_loudspeaker_is_refused_before_anything_begins(
    client: httpx.AsyncClient, app: App, speaker: Speaker
) -> None:
    answer = await client.post("/command", json={**QUESTION, "room": "attic"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "unknown_room")
    assert "Kitchen" in error["mend"]
    assert app.traces.turns() == []


async def test_a_loudspeaker_that_goes_away_is_said_in_the_answer(client: httpx.AsyncClient, app: App) -> None:
    app.synthesizer = FakeSynthesizer()  # type: ignore[assignment]
    app.rooms.add("Kitchen", "satellite", Speaker(gone_after=2))
    body = (await client.post("/command", json={**QUESTION, "room": "Kitchen"})).json()
    assert (body["played"]["ok"], body["played"]["code"]) == (False, "satellite_gone")
    assert (body["reply"], body["error"]) == (SAID, None)


async def test_without_a_voice_the_room_hears_nothing_and_the_answer_says_so(
    client: httpx.AsyncClient, app: App
) -> None:
    app.rooms.add("Kitchen", "satellite", Speaker())
    body = (await client.post("/command", json={**QUESTION, "room": "Kitchen"})).json()
    assert (body["played"]["ok"], body["played"]["code"]) == (False, "no_audio")


async def test_the_stream_of_events_tells_how_it_was_played(client: httpx.AsyncClient, speaker: Speaker) -> None:
    answer = await client.post(
        "/command", json={**QUESTION, "room": "Kitchen"}, headers={"Accept": "text/event-stream"}
    )
    blocks = [block.splitlines() for block in answer.text.strip().split("\n\n")]
    assert [block[0] for block in blocks[-2:]] == ["event: played", "event: outcome"]
    assert json.loads(blocks[-2][1].removeprefix("data: "))["ok"] is True


async def test_a_retry_plays_nothing_twice(client: httpx.AsyncClient, app: App, speaker: Speaker) -> None:
    key = {"Idempotency-Key": "once"}
    answers = [await client.post("/command", json={**QUESTION, "room": "Kitchen"}, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert b" ".join(speaker.heard).decode() == SAID
    elsewhere = await client.post("/command", json=QUESTION, headers=key)
    assert elsewhere.json()["error"]["code"] == "key_reused"


@pytest.mark.parametrize("room", [5, ["Kitchen"], "x" * 65, "a\nb"])
async def test_a_room_that_is_none_is_refused(client: httpx.AsyncClient, app: App, room: object) -> None:
    app.replier = FakeReplier()  # type: ignore[assignment]
    answer = await client.post("/command", json={**QUESTION, "room": room})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_room")

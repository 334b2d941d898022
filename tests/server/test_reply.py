"""The reply as sound and as a stream of events, while the turn is under way and after."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from assistant.app import App
from assistant.errors import SynthesisError
from assistant.events import AudioReady, ReplySentence, from_json
from assistant.ports import ReplyEvent
from assistant.server import event_stream
from tests.fakes import FakeReplier, FakeSynthesizer

EVENTS = {"Accept": "text/event-stream"}
QUESTION = {"text": "is gitea up?"}
SAID = "Gitea is down: the connection is refused."


@pytest.fixture
def mouth(app: App, monkeypatch: pytest.MonkeyPatch) -> FakeSynthesizer:
    """Each word is its own letters as PCM."""
    synthesizer = FakeSynthesizer()
    monkeypatch.setattr(app, "synthesizer", synthesizer)
    return synthesizer


class Waiting(FakeReplier):
    """Says nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.gate = asyncio.Event(), asyncio.Event()

    async def reply(self, *arguments: Any) -> AsyncGenerator[ReplyEvent, None]:
        self.begun.set()
        await self.gate.wait()
        async for event in FakeReplier(self.script).reply(*arguments):
            yield event


async def test_the_reply_can_be_heard_at_its_url(client: httpx.AsyncClient, mouth: FakeSynthesizer) -> None:
    body = (await client.post("/command", json=QUESTION)).json()
    assert body["audio_url"] == f"/turns/{body['turn_id']}/reply.wav"
    reply = await client.get(body["audio_url"])
    assert reply.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(reply.content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        assert file.readframes(1000)[:5] == b"Gitea"
    assert mouth.said == [SAID]


async def test_speech_is_in_the_events_only_where_it_is_wanted(
    client: httpx.AsyncClient, mouth: FakeSynthesizer
) -> None:
    for query, words in (("", set()), ("?audio=1", {word.encode() for word in mouth_words()})):
        answer = await client.post(f"/command{query}", json=QUESTION, headers=EVENTS)
        events = [from_json(data) for data in data_lines(answer.text)[:-1]]
        assert {event.pcm for event in events if isinstance(event, AudioReady)} == words
    encoded = base64.b64encode(b"refused.").decode()
    turn = json.loads(data_lines(answer.text)[-1])["turn_id"]
    assert encoded in (await client.get(f"/turns/{turn}/events?audio=1")).text
    assert encoded not in (await client.get(f"/turns/{turn}/events")).text


async def test_nothing_is_said_that_nobody_listens_to(client: httpx.AsyncClient, mouth: FakeSynthesizer) -> None:
    for headers in ({}, EVENTS):
        await client.post("/command", json=QUESTION, headers=headers)
    assert mouth.said == []


async def test_a_long_reply_that_is_fetched_is_as_brief_as_one_that_is_said(
    client: httpx.AsyncClient, app: App, mouth: FakeSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "replier", FakeReplier([reply_sentence(f"This is line {n}.") for n in range(5)]))
    fetched = (await client.post("/command", json=QUESTION)).json()["audio_url"]
    await client.get(fetched)
    later, mouth.said = mouth.said, []
    await client.post("/command", json=QUESTION, headers={"Accept": "audio/wav"})
    assert later == mouth.said
    assert len(later) < 5


async def test_a_retry_that_wants_sound_gets_it(client: httpx.AsyncClient, mouth: FakeSynthesizer) -> None:
    key = {"Idempotency-Key": "once"}
    first = await client.post("/command", json=QUESTION, headers=key)
    again = await client.post("/command", json=QUESTION, headers={**key, "Accept": "audio/wav"})
    assert again.headers["x-turn-id"] == first.json()["turn_id"]
    assert again.content.endswith(b"refused.")


async def test_a_voice_that_fails_when_it_is_fetched_is_a_problem(
    client: httpx.AsyncClient, mouth: FakeSynthesizer
) -> None:
    url = (await client.post("/command", json=QUESTION)).json()["audio_url"]
    mouth.error = SynthesisError("no_voice", "The voice is gone.")
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_audio")


async def test_a_stream_that_has_nothing_to_say_shows_that_it_lives(
    url: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    replier = Waiting()
    monkeypatch.setattr(app, "replier", replier)
    monkeypatch.setattr(event_stream, "PING_S", 0.01)
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", f"{url}/command", json=QUESTION, headers=EVENTS) as answer,
    ):
        lines = answer.aiter_lines()
        while await anext(lines) != ": still there":
            pass
        replier.gate.set()
        rest = [line async for line in lines]
    assert "event: turn_finished" in rest
    assert "event: outcome" in rest


async def test_the_sound_of_a_turn_under_way_is_waited_for(
    client: httpx.AsyncClient, app: App, mouth: FakeSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    start_turn = app.start_turn

    def noted(*arguments: Any, **options: Any) -> Any:
        turn = start_turn(*arguments, **options)
        started.append(turn.turn_id)
        return turn

    replier = Waiting()
    replier.script = [reply_sentence("At last.")]
    monkeypatch.setattr(app, "replier", replier)
    monkeypatch.setattr(app, "start_turn", noted)
    command = asyncio.create_task(client.post("/command", json=QUESTION))
    await replier.begun.wait()
    sound = asyncio.create_task(client.get(f"/turns/{started[0]}/reply.wav"))
    await asyncio.sleep(0)
    assert not sound.done()
    replier.gate.set()
    assert (await sound).content.endswith(b"Atlast.")
    assert (await command).json()["reply"] == "At last."


async def test_readers_that_leave_in_the_middle_of_a_pause_leave_nothing_behind(url: str, app: App) -> None:
    replier = Waiting()
    app.replier = replier  # type: ignore[assignment]
    async with httpx.AsyncClient(trust_env=False) as client:
        for conversation in ("hall", "kitchen", "attic"):
            body = {**QUESTION, "conversation_id": conversation}
            stream = client.stream("POST", f"{url}/command", json=body, headers=EVENTS)
            async with stream as answer:
                assert await anext(answer.aiter_lines()) == "event: transcribed"
    replier.gate.set()
    await app.finish_turns(5)
    assert [turn["error"] for turn in app.traces.turns()] == [None] * 3


async def test_a_turn_that_does_not_end_in_time_is_interrupted_and_its_reader_told(
    url: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    replier = Waiting()
    monkeypatch.setattr(app, "replier", replier)
    async with httpx.AsyncClient(trust_env=False) as client:
        asking = asyncio.create_task(client.post(f"{url}/command", json=QUESTION))
        await replier.begun.wait()
        await app.finish_turns(0)
        answer = await asking
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == "interrupted"
    assert answer.json()["response"]


def mouth_words() -> list[str]:
    return SAID.split()


def data_lines(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


def reply_sentence(text: str) -> ReplyEvent:
    return ReplySentence(text=text, spoken=text)

"""POST /command: what comes back for what goes in, and never a server error."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.app import App
from assistant.events import ReplySentence, from_json
from assistant.outcome import TurnOutcome
from assistant.ports import ReplyEvent
from assistant.server import http
from tests.fakes import FakeReplier


def wav(seconds: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.zeros(int(16000 * seconds), dtype="<i2").tobytes())
    return buffer.getvalue()


async def test_a_typed_question_comes_back_as_the_documented_object(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", json={"text": "is gitea up?"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["response"] == body["reply"] == "Gitea is down: the connection is refused."
    assert body["tools"][0]["arguments"] == {"service": "gitea"}
    assert body["error"] is None
    documented = {key: value for key, value in body.items() if key not in ("response", "audio_url")}
    assert TurnOutcome.model_validate(documented).turn_id


async def test_text_as_a_form_field_works_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", files={"text": (None, "is gitea up?")})
    assert answer.json()["tools"][0]["name"] == "check_services"


async def test_events_stream_and_end_with_the_outcome(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", json={"text": "is gitea up?"}, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in answer.text.strip().split("\n\n")]
    assert [block["event"] for block in blocks] == [
        "transcribed",
        "sentence_matched",
        "tool_called",
        "tool_returned",
        "reply_sentence",
        "turn_finished",
        "outcome",
    ]
    for block in blocks[:-1]:
        assert from_json(block["data"]).kind == block["event"]
    assert TurnOutcome.model_validate_json(blocks[-1]["data"]).reply.startswith("Gitea is down")


async def test_the_events_of_a_recent_turn_can_be_fetched_again(client: httpx.AsyncClient) -> None:
    turn = (await client.post("/command", json={"text": "is gitea up?"})).json()["turn_id"]
    again = await client.get(f"/turns/{turn}/events")
    assert "event: turn_finished" in again.text
    silent = await client.get(f"/turns/{turn}/reply.wav")
    assert (silent.status_code, silent.json()["error"]["code"]) == (404, "no_audio")


async def test_an_utterance_that_nobody_understands_is_a_turn_and_not_an_error(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", json={"text": "paint the fence"})
    assert answer.status_code == 200
    assert answer.json()["matched"] == "none"


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "bad_json"),
    ({"content": b"[1]", "headers": {"content-type": "application/json"}}, 400, "missing_text"),
    ({"json": {"text": 5}}, 400, "missing_text"),
    ({"json": {"text": "  "}}, 400, "empty_text"),
    ({"json": {"text": "x" * 3000}}, 413, "text_too_long"),
    ({"json": {"text": "x", "engine": "magic"}}, 400, "unknown_engine"),
    ({"json": {"text": "x", "volume": 11}}, 400, "unknown_field"),
    ({"json": {"text": "x", "conversation_id": ["a"]}}, 400, "bad_conversation_id"),
    ({"content": b"hello"}, 415, "unknown_content_type"),
    ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad_multipart"),
    ({"files": {"other": ("a.wav", b"x")}}, 400, "missing_part"),
    ({"files": {"audio": (None, "no file")}}, 400, "audio_is_no_file"),
    ({"files": {"audio": ("a.wav", b"")}}, 400, "empty_clip"),
    ({"files": {"audio": ("a.wav", b"this is no wav at all")}}, 400, "not_audio"),
    ({"files": {"audio": ("a.wav", wav(11))}}, 413, "too_large"),
    ({"content": wav(5)[:-1] + b"x" * 300_000, "headers": {"content-type": "audio/wav"}}, 413, "too_large"),
]


@pytest.mark.parametrize(("request_", "status", "code"), BAD)
async def test_bad_requests_are_refused_with_the_reason(
    client: httpx.AsyncClient, request_: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post("/command", **request_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


async def test_a_clip_that_is_too_long_but_small_is_refused(client: httpx.AsyncClient, app: App) -> None:
    quiet = io.BytesIO()
    with wave.open(quiet, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x80" * 8000 * 12)
    answer = await client.post("/command", files={"audio": ("a.wav", quiet.getvalue())})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "clip_too_long")


async def test_a_clip_at_a_server_without_ears_is_a_failed_turn_with_the_stage(client: httpx.AsyncClient) -> None:
    answer = await client.post("/command", files={"audio": ("a.wav", wav())})
    assert answer.status_code == 200
    assert answer.json()["error"]["stage"] == "transcript"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/command", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/turns/none/reply.wav", 404),
        ("PUT", "/health", 405),
    ],
)
async def test_other_requests_get_an_error_in_the_same_form(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "mend"}


async def test_too_many_turns_at_once_are_told_to_come_back(
    client: httpx.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    class Slow(FakeReplier):
        async def reply(self, *arguments: Any) -> AsyncGenerator[ReplyEvent, None]:
            begun.set()
            await gate.wait()
            yield ReplySentence(text="At last.", spoken="At last.")

    monkeypatch.setattr(app, "replier", Slow())
    monkeypatch.setattr(http, "MAX_RUNNING", 1)
    first = asyncio.create_task(client.post("/command", json={"text": "one"}))
    await begun.wait()
    second = await client.post("/command", json={"text": "two"})
    gate.set()
    assert (second.status_code, second.headers["retry-after"]) == (503, "5")
    assert (await first).status_code == 200


async def test_a_bug_is_a_number_in_the_log_and_nothing_of_the_inside(
    client: httpx.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(app, "start_turn", broken)
    answer = await client.post("/command", json={"text": "x"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["error"]["message"].split()[-1].rstrip(".") in caplog.text


content_types = st.sampled_from(
    [
        "application/json",
        "multipart/form-data; boundary=b",
        "multipart/form-data; boundary=",
        "audio/wav",
        "text/plain",
        "",
    ]
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda value: json.dumps(value).encode(), st.recursive(st.none() | st.text(max_size=20), st.lists)),
    st.builds(lambda text: json.dumps({"text": text}).encode(), st.text(max_size=30)),
    st.builds(
        lambda name, data: (
            b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + data + b"\r\n--b--\r\n"
        ),
        st.sampled_from([b"audio", b"text", b"", b"x"]),
        st.binary(max_size=60),
    ),
)


@given(content_type=content_types, body=bodies, accept=st.sampled_from(["*/*", "text/event-stream", "audio/wav"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_no_request_makes_a_server_error(
    client: httpx.AsyncClient, content_type: str, body: bytes, accept: str
) -> None:
    headers = {"content-type": content_type, "accept": accept}
    answer = await client.post("/command", content=body, headers=headers)
    assert answer.status_code < 500

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
from assistant.errors import AudioError
from assistant.events import ReplySentence, from_json
from assistant.outcome import TurnOutcome
from assistant.ports import ReplyEvent
from assistant.server import bodies, commands
from tests.fakes import FakeReplier, FakeSource


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
    documented = {key: value for key, value in body.items() if key not in ("response", "audio_url", "played")}
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
    (
        {"content": b'{"text": "x", "\\ud800": 1}', "headers": {"content-type": "application/json"}},
        400,
        "unknown_field",
    ),
    ({"content": b'{"text": "\\ud800"}', "headers": {"content-type": "application/json"}}, 400, "bad_text"),
    ({"content": b"[" * 60_000, "headers": {"content-type": "application/json"}}, 400, "bad_json"),
    ({"content": b"x", "headers": {"content-type": "audio/wav", "content-length": "9" * 5000}}, 413, "too_large"),
    ({"content": b"x", "params": {"engine": "magic"}, "headers": {"content-type": "audio/wav"}}, 400, "unknown_engine"),
    ({"data": {"text": "x", "engine": "magic"}, "files": {"other": b""}}, 400, "unknown_engine"),
    ({"data": {f"f{n}": "x" for n in range(20)}, "files": {"other": b""}}, 400, "bad_multipart"),
    ({"files": [("audio", ("a.wav", b"x")), ("audio", ("b.wav", b"x"))]}, 400, "bad_multipart"),
    ({"files": {"text": (None, "x" * 30_000)}}, 400, "bad_multipart"),
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
    monkeypatch.setattr(commands, "MAX_RUNNING", 1)
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


async def test_a_body_that_comes_too_slowly_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.05)

    async def drop() -> AsyncGenerator[bytes, None]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await client.post("/command", content=drop(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "body_too_slow")


async def test_a_body_without_end_is_refused_when_it_has_passed_the_limit(client: httpx.AsyncClient, app: App) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes, None]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b"x" * 10_000

    answer = await client.post("/command", content=endless(), headers={"content-type": "audio/wav"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert sent < 2 * app.settings.server.max_upload_bytes


async def test_a_body_that_breaks_off_starts_no_turn(url: str, app: App) -> None:
    port = int(url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /command HTTP/1.1\r\nHost: {url[7:]}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    writer.write(head.encode() + b'{"text": "is gitea up?"')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{url}/command", json={"text": "is gitea up?"})).status_code == 200
    assert len(app.traces.turns()) == 1


async def test_too_many_bodies_at_once_are_told_to_come_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_READING", 1)
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes, None]:
        begun.set()
        await gate.wait()
        yield b'{"text": "is gitea up?"}'

    first = asyncio.create_task(client.post("/command", content=slow(), headers={"content-type": "application/json"}))
    await begun.wait()
    second = await client.post("/command", json={"text": "is gitea up?"})
    gate.set()
    assert (second.status_code, second.json()["error"]["code"], second.headers["retry-after"]) == (503, "busy", "5")
    assert (await first).status_code == 200
    assert (await client.post("/command", json={"text": "is gitea up?"})).status_code == 200


async def test_clips_that_are_being_decoded_count_as_turns(
    client: httpx.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_RUNNING", 1)
    begun, gate = asyncio.Event(), asyncio.Event()

    async def decode(_: bytes) -> FakeSource:
        begun.set()
        await gate.wait()
        return FakeSource()

    monkeypatch.setattr(app, "clip", decode)
    first = asyncio.create_task(client.post("/command", files={"audio": ("a.wav", wav())}))
    await begun.wait()
    assert (await client.post("/command", json={"text": "two"})).status_code == 503
    gate.set()
    assert (await first).status_code == 200
    assert (await client.post("/command", json={"text": "three"})).status_code == 200


async def test_a_clip_as_the_raw_body_takes_its_fields_from_the_query(client: httpx.AsyncClient, app: App) -> None:
    query = {"conversation_id": "kitchen", "engine": "sentences"}
    answer = await client.post("/command", content=wav(), params=query, headers={"content-type": "audio/x-wav"})
    assert answer.status_code == 200
    assert "owner/kitchen" in app._conversations


async def test_another_method_is_told_which_one_it_is(client: httpx.AsyncClient) -> None:
    assert (await client.get("/command")).headers["allow"] == "POST"
    assert (await client.put("/api/tokens")).headers["allow"] == "GET, HEAD, POST"


@pytest.fixture
def no_decoder(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process for each clip is what takes the time; what bytes do to a decoder is tested there."""

    async def decode(data: bytes) -> FakeSource:
        if len(data) % 2:
            raise AudioError("not_audio", "That is no audio.")
        return FakeSource()

    monkeypatch.setattr(app, "clip", decode)


content_types = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "multipart/form-data; boundary=b",
            "multipart/form-data; boundary=b; charset=utf-16",
            "multipart/form-data; boundary=b; charset=unicode_escape",
            "multipart/form-data; boundary=b; charset=idna",
            'multipart/form-data; boundary=b; charset="\0"',
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=" + "b" * 300,
            "audio/wav",
            "text/plain",
            "",
        ]
    ).map(str.encode),
    st.binary(max_size=30).map(lambda text: b"multipart/form-data; boundary=b;" + text),
)
PART = (
    b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\nContent-Type: audio/wav\r\n\r\n%s\r\n'
    b'--b\r\nContent-Disposition: form-data; name="engine"\r\n\r\nsentences\r\n--b--\r\n'
)


def spoilt(body: bytes, place: int, patch: bytes, cut: int) -> bytes:
    """The body with some bytes overwritten and its end cut off."""
    damaged = bytearray(body)
    damaged[place : place + len(patch)] = patch
    return bytes(damaged[: len(damaged) - cut])


forms = st.builds(
    lambda name, file, data: PART % (name, file, data),
    st.sampled_from([b"audio", b"text", b"conversation_id", b"", b"\xff", b"x"]),
    st.sampled_from([b"", b'; filename="a.wav"', b"; filename*=utf-8''a", b'; filename="\xff\x00"']),
    st.binary(max_size=60),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
objects = st.fixed_dictionaries(
    {"text": st.text(max_size=30)},
    optional={"conversation_id": json_values, "engine": json_values, "\ud800": json_values},
)
any_body = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    objects.map(lambda value: json.dumps(value).encode()),
    forms,
    st.builds(spoilt, forms, st.integers(0, 250), st.binary(max_size=6), st.integers(0, 40)),
)
header_values = st.binary(max_size=40).filter(lambda value: not set(value) & set(b"\r\n\0"))


@given(
    content_type=content_types,
    body=any_body,
    accept=st.sampled_from([b"*/*", b"text/event-stream", b"audio/wav"]) | header_values,
    more=st.dictionaries(
        st.sampled_from([b"origin", b"authorization", b"content-length", b"content-encoding", b"x"]), header_values
    ),
    query=st.text(max_size=20),
)
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_no_request_makes_a_server_error(
    client: httpx.AsyncClient,
    no_decoder: None,
    content_type: bytes,
    body: bytes,
    accept: bytes,
    more: dict[bytes, bytes],
    query: str,
) -> None:
    headers = {b"content-type": content_type, b"accept": accept, **more}
    answer = await client.post("/command", content=body, headers=headers, params={"engine": query})
    if answer.status_code >= 400:
        told = answer.json()["error"]
        assert set(told) == {"code", "message", "mend"}
        # this server has no mouth, and says so where speech is wanted
        assert answer.status_code < 500 or (answer.status_code, told["code"]) == (503, "no_audio"), answer.text


async def test_json_is_bounded_by_what_a_text_can_need_and_not_by_what_a_clip_may(client: httpx.AsyncClient) -> None:
    longest = json.dumps({"text": "\U0001f600" * bodies.MAX_TEXT_CHARACTERS}).encode()
    assert (await client.post("/command", content=longest, headers=JSON_TYPE)).status_code == 200
    keys = b"{" + b",".join(b'"k%d":1' % number for number in range(10_000)) + b"}"
    answer = await client.post("/command", content=keys, headers=JSON_TYPE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


JSON_TYPE = {"Content-Type": "application/json"}

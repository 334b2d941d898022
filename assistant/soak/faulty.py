"""Clients that do it wrong: wrong tokens, malformed requests, connections that end in the middle."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from assistant.soak.acts import send_and_leave
from assistant.soak.visitor import Visitor, expect

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A request, and the status and code that it has to be answered with."""

    path: str
    body: bytes
    status: int
    code: str
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"


FAULTS = (
    Fault("/command", b'{"text":', 400, "bad_json"),
    Fault("/command", b"{}", 400, "missing_text"),
    Fault("/command", b'{"text": " "}', 400, "empty_text"),
    Fault("/command", b'{"text": 5}', 400, "missing_text"),
    Fault("/command", b'{"text": "\\ud800"}', 400, "bad_text"),
    Fault("/command", b'{"text": "hello", "engine": "steam"}', 400, "unknown_engine"),
    Fault("/command", json.dumps({"text": "word " * 1000}).encode(), 413, "text_too_long"),
    Fault("/command", b"a,b", 415, "unknown_content_type", {"Content-Type": "text/csv"}),
    Fault("/command", b"", 405, "method_not_allowed", method="PUT"),
    Fault("/command", b'{"text": "hello"}', 400, "bad_idempotency_key", {**JSON, "Idempotency-Key": "k" * 300}),
    Fault("/command", b'{"text": "hello"}', 421, "unknown_host", {**JSON, "Host": "evil.example"}),
    Fault("/command", b'{"text": "hello"}', 403, "foreign_origin", {**JSON, "Origin": "https://evil.example"}),
    Fault("/turns/0123456789ab/events", b"", 404, "unknown_turn", method="GET"),
    Fault("/nowhere", b"", 404, "not_found", method="GET"),
    Fault("/v1/chat/completions", b"[", 400, "invalid_json"),
    Fault("/v1/chat/completions", b'{"model": "gpt-9", "messages": [{"role": "user", "content": "hi"}]}', 404,
          "model_not_found"),
)  # fmt: skip


async def malformed(visitor: Visitor) -> None:
    """Each is told what was wrong with it."""
    fault = visitor.chance.choice(FAULTS)
    headers = visitor.bearer() | fault.headers
    answer = await visitor.http.request(fault.method, fault.path, content=fault.body, headers=headers)
    wanted = f"{fault.status} {fault.code} to {fault.method} {fault.path}"
    expect(answer.status_code == fault.status and answer.json()["error"]["code"] == fault.code, wanted, answer)


async def no_recording(visitor: Visitor) -> None:
    """An upload that says it is a wav and is none."""
    headers = visitor.bearer() | {"Content-Type": "audio/wav"}
    junk = b"RIFF\xff\xff\xff\x7fWAVEfmt " + visitor.chance.randbytes(2000)
    answer = await visitor.http.post("/command", content=junk, headers=headers)
    expect(answer.status_code == 400 and answer.json()["error"]["code"] == "not_audio", "400 not_audio", answer)


async def wrong_token(visitor: Visitor) -> None:
    """Nothing is told to whoever has no token of the house."""
    path = visitor.chance.choice(["/command", "/api/services", "/v1/models", "/mcp", "/api/audit"])
    method = "POST" if path in ("/command", "/mcp") else "GET"
    wrong = visitor.chance.choice([f"Bearer {secrets.token_urlsafe(24)}", "Bearer wrong", "Basic YTpi"])
    answer = await visitor.http.request(method, path, headers={"Authorization": wrong})
    expect(answer.status_code == 401, f"401 at {path}", answer)


async def noise(visitor: Visitor) -> None:
    """Bytes that are no HTTP: an answer or an end, and soon."""
    reader, writer = await asyncio.open_connection(*visitor.address)
    with suppress(ConnectionError):
        writer.write(b"\x16\x03\x01\x02\x00" + visitor.chance.randbytes(300) + b"\r\n\r\n")
        await writer.drain()
        said = await reader.read(200)
        expect(not said or said.startswith(b"HTTP/1.1 4"), "a refusal or an end", said)
    writer.close()


async def left_early(visitor: Visitor) -> None:
    """Half a request, then nobody."""
    host, port = visitor.address
    _, writer = await asyncio.open_connection(host, port)
    writer.write(f"POST /command HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 5000\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()


async def left_while_it_answers(visitor: Visitor) -> None:
    """A whole question, and nobody who waits for the answer."""
    body = json.dumps({"text": "what's down?", "conversation_id": visitor.name("left")}).encode()
    await send_and_leave(visitor, body, {"Accept": visitor.chance.choice(["application/json", "text/event-stream"])})

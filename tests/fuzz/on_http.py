"""The doors of ``jarvis serve`` over HTTP: requests, bodies and headers in any form, JSON-RPC, signed headers."""

# ruff: noqa: PT017 - a refusal is one of two right outcomes, and has to be as documented
from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import MutableMapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.datastructures import Headers

from assistant.app import open_app
from assistant.config import ServerSettings, Settings
from assistant.errors import ConfigError
from assistant.roles import powers
from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator
from assistant.server.chat_page_users import ISSUER, ChatPageUsers
from assistant.server.http import http_app
from assistant.server.identity import Identity
from assistant.server.tailscale import Tailscale
from assistant.token_link import check_url
from assistant.tokens import hashed
from tests.fuzz.target import Reader, Target, finished, loop
from tests.fuzz.target import folder as own_folder

SECRET = "a-secret-of-the-chat-page-and-jarvis-alike"
PATHS = (
    "/command",
    "/v1/chat/completions",
    "/v1/audio/transcriptions",
    "/v1/audio/speech",
    "/mcp",
    "/alerts",
    "/api/tokens",
    "/confirm/abc",
    "/turns/abc/events",
    "/turns/abc/reply.wav",
    "/v1/models/x",
    "/digest",
    "/api/house",
    "/page/app.js",
    "/openapi.json",
    "/ready",
    "/",
)
METHODS = ("POST", "GET", "DELETE", "HEAD", "OPTIONS", "PUT", "X\x00")
FOREIGN_ERRORS = 500
ANSWERED_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


_OPEN: list[AsyncExitStack] = []
"""What is open until this process ends."""


@cache
def served() -> tuple[Starlette, Path]:
    """The whole application over a house with one service, one machine and one job, none of which is there."""

    async def open_it() -> tuple[Starlette, Path]:
        folder = own_folder()
        settings = Settings.model_validate(
            {
                "services": {"gitea": {"tcp": "127.0.0.1:1"}},
                "vms": {"windows": {}},
                "backups": {"photos": {"kind": "command", "command": ["touch", str(folder / "acted")]}},
                "state_dir": folder / "state",
                "engine": "sentences",
                "local_engines": False,
                "server": ServerSettings(max_upload_bytes=50_000, max_clip_s=5, requests_a_minute=0),
            }
        )
        stack = AsyncExitStack()
        app = await stack.enter_async_context(open_app(settings))
        web = http_app(app, Authenticator({}))
        await stack.enter_async_context(web.router.lifespan_context(web))
        _OPEN.append(stack)
        return web, folder

    return loop().run_until_complete(open_it())


async def ask(web: Starlette, method: str, path: str, headers: list[tuple[bytes, bytes]], body: list[bytes]) -> Answer:
    """One raw request in process; the client leaves when all of its body is sent and nothing else comes."""
    target, _, query = path.partition("?")
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
        "root_path": "",
        "state": {},
    }
    waiting = list(body) or [b""]
    status, found, came = 0, {}, bytearray()
    leaves = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if waiting:
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            found.update({name.lower(): value for name, value in message.get("headers", [])})
            if b"event-stream" in found.get(b"content-type", b""):
                asyncio.get_running_loop().call_later(0.2, leaves.set)
        else:
            came.extend(message.get("body", b""))

    async with asyncio.timeout(ANSWERED_WITHIN_S):
        await web(scope, receive, send)
    return Answer(status, found, bytes(came))


def run_request(data: bytes) -> None:
    """First line: method and path by number; then headers, an empty line, the body."""
    reader = Reader(data)
    method, path = reader.one_of(METHODS), reader.one_of(PATHS)
    path += reader.line().decode("utf-8", "replace")
    headers = [(b"host", b"127.0.0.1:8765")]
    while (line := reader.line().strip()) and len(headers) < 40:
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    body = reader.rest()
    web, folder = served()
    answer = finished(ask(web, method, path, headers, [body[:100], body[100:]]))
    _as_documented(answer, path)
    _nothing_acted(folder)


def _as_documented(answer: Answer, path: str) -> None:
    """A status of ours with a body that says what and why; never a bug, never the inside, no header of the client's."""
    assert 200 <= answer.status < 600, answer
    assert answer.status != FOREIGN_ERRORS, answer.body[:500]
    assert b"Traceback" not in answer.body
    for value in answer.headers.values():
        assert b"\n" not in value
        assert b"\r" not in value
    if (
        answer.status >= 400
        and b"json" in answer.headers.get(b"content-type", b"")
        and not path.startswith(("/mcp", "/confirm/"))
    ):
        assert json.loads(answer.body)["error"]["code"]


def _nothing_acted(folder: Path) -> None:
    """No file was touched, and no act stands in the audit as done."""
    assert not (folder / "acted").exists()
    file = folder / "state" / "jarvis.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        done = db.execute("SELECT tool, arguments FROM audit WHERE level = 'destructive' AND outcome = 'ok'").fetchall()
    assert not done, done


def request_seeds() -> list[bytes]:
    def request(method: int, path: int, headers: str = "", body: bytes = b"", more: str = "") -> bytes:
        return bytes([method, path]) + f"{more}\n{headers}\n".encode() + b"\n" + body

    form = (
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nis gitea up?\r\n'
        b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n'
    )
    json_type = "content-type: application/json"
    chat = {"model": "jarvis", "messages": [{"role": "user", "content": "is gitea up?"}]}
    events = "accept: application/json, text/event-stream"
    call = {"name": "vm_power", "arguments": {"vm": "windows", "action": "force-off"}}

    def rpc(method: str, params: object, id_: object = 1) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()

    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    deep = b'{"text": ' + b"[" * 3_000
    return [
        request(0, 0, json_type, b'{"text": "is gitea up?", "conversation_id": "a"}'),
        request(0, 0, f"{json_type}\nidempotency-key: k1\naccept: text/event-stream", b'{"text": "what is down?"}'),
        request(0, 0, f"{json_type}\naccept: audio/wav;q=x, */*", b'{"text": "is gitea up?"}'),
        request(0, 0, f"{json_type}\ncontent-encoding: gzip", b"\x1f\x8b\x08\x00"),
        request(0, 0, json_type, deep),
        request(0, 0, "content-type: multipart/form-data; boundary=b", form),
        request(0, 0, "content-type: audio/wav", b"RIFF\xff\xff\xff\xffWAVEfmt "),
        request(0, 0, "content-length: 99999999999999999999", b"x"),
        request(0, 1, json_type, json.dumps(chat).encode()),
        request(
            0,
            1,
            json_type,
            json.dumps({**chat, "stream": True, "tools": [{"type": "function", "function": {"name": "a"}}]}).encode(),
        ),
        request(0, 2, "content-type: multipart/form-data; boundary=b", form.replace(b"audio", b"file")),
        request(
            0, 3, json_type, b'{"model": "jarvis-mouth", "input": "hello", "voice": "x", "response_format": "wav"}'
        ),
        *(
            request(0, 4, f"{json_type}\n{events}\nmcp-protocol-version: 2026-07-28", body)
            for body in (
                rpc("initialize", hello),
                rpc("tools/list", {}),
                rpc("tools/call", call),
                rpc("tools/call", call, None),
                rpc("tools/call", call, {"a": 1}),
                b"[" + rpc("ping", {}) + b"," + rpc("ping", {}, "x") + b"]",
                b"[]",
                b"null",
                b'{"jsonrpc": "1.0"}',
                rpc("resources/read", {"uri": "file:///etc/passwd"}),
                rpc("tools/call", [1], 1e400),
            )
        ),
        request(0, 5, json_type, b'{"alerts": []}'),
        request(0, 6, json_type, b'{"name": "kid", "role": "guest"}'),
        request(1, 7),
        request(0, 7, "content-type: application/x-www-form-urlencoded", b"answer=yes"),
        request(1, 8),
        request(1, 9),
        request(1, 10, more="%00../.."),
        request(1, 12, more="?limit=-1"),
        request(1, 13, more="/../x"),
        request(1, 14),
        request(1, 15, "authorization: Bearer \xff\ncookie: a=b; session=\x01"),
        request(6, 16),
    ]


def run_identity(data: bytes) -> None:
    """Headers that say who somebody is: an identity of a known role, or a RequestError; no signature, no person."""
    reader = Reader(data)
    headers = []
    while line := reader.line():
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    given = Headers(raw=headers)
    known = powers({})
    pages = ChatPageUsers(SECRET, "X-OpenWebUI-User-Jwt", {"kid@home.lan": "guest"}, known)
    plain = Authenticator({hashed("correct-horse-battery"): Identity("phone", "member", counted=True)}, pages=pages)
    for one in (plain, replace(plain, tailscale=Tailscale({"me@home.lan": "owner"}))):
        try:
            who = finished(one.identify(given, "127.0.0.1"))
        except RequestError as refused:
            assert refused.answer.status_code in (401, 403), refused.answer.status_code
            continue
        assert who.role in ("guest", "member", "owner")
        if who.role == "owner":
            assert one.tailscale is not None
            assert b"me@home.lan" in data.lower()
    try:
        check_url(data.decode("utf-8", "replace"))
    except ConfigError as refused:
        assert "\x1b" not in str(refused)


def identity_seeds() -> list[bytes]:
    claims = {"sub": "1", "email": "kid@home.lan", "name": "Kid", "role": "user", "iss": ISSUER, "iat": 1, "exp": 4e9}
    signed = jwt.encode(claims, SECRET, "HS256")
    unsigned = jwt.encode(claims, "", "none")
    bearer = "Authorization: Bearer correct-horse-battery\n"
    return [
        bearer.encode(),
        f"{bearer}X-OpenWebUI-User-Jwt: {signed}\n".encode(),
        f"{bearer}X-OpenWebUI-User-Jwt: {unsigned}\n".encode(),
        b"Authorization: Basic YTpi\nCookie: token=correct-horse-battery; a=b\n",
        b"Tailscale-User-Login: someone@home.lan\nTailscale-User-Name: =?utf-8?q?K=C3=A9?=\n",
        b"X-Forwarded-For: 1.2.3.4\nAuthorization: bearer\n",
        b"http://jarvis.lan:8765/page",
    ]


TARGETS = (
    Target(
        "http",
        "any request gets a documented answer within its time, no bug, and nothing acts",
        run_request,
        request_seeds,
        4,
    ),
    Target(
        "identity", "who somebody is follows from a known token or signature only", run_identity, identity_seeds, 40
    ),
)

"""Servers of messages for tests. They are not the real ones: they speak as much of the documented shapes as Jarvis uses
(docs.ntfy.sh/publish and /subscribe/api, gotify.net/api-docs), and can be made to misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import uvicorn
from pydantic import HttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tools.contract import JsonObject
from tools.settings import NtfySettings
from tools.settings_house import GotifySettings

NOW = 1_800_000_000.0


class Clock:
    """Unix seconds that a test sets."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeNtfy:
    """``POST /`` and ``GET /TOPIC/json?since=``, with a cache of everything that was published."""

    def __init__(self) -> None:
        self.port = 0
        self.cache: list[JsonObject] = []
        self.bodies: list[JsonObject] = []
        self.asked_since: list[str] = []
        self.refused: list[int] = []
        """Statuses of the next streams."""
        self.garbage = b""
        """Sent first on each stream."""
        self.lose_answers = False
        self._streams: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.connected = asyncio.Event()

    @property
    def settings(self) -> NtfySettings:
        return NtfySettings(url=HttpUrl(f"http://127.0.0.1:{self.port}"), topic="house")

    def publish(self, text: str, topic: str = "house", **more: object) -> str:
        """As another program would."""
        message = {"id": f"m{len(self.cache):011d}", "time": int(NOW), "event": "message", "topic": topic}
        self.cache.append({**message, "message": text, **more})
        for stream in self._streams:
            stream.write(json.dumps(self.cache[-1]).encode() + b"\n")
        return str(message["id"])

    def send(self, raw: bytes) -> None:
        """Bytes as they are, to every stream."""
        for stream in self._streams:
            stream.write(raw)

    def break_streams(self) -> None:
        """In the middle of whatever they are at."""
        self.connected.clear()
        for stream in list(self._streams):
            stream.transport.abort()
        self._streams.clear()

    async def closed(self) -> None:
        """Every connection is over."""
        self.break_streams()
        if self._serving:
            await asyncio.wait(self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        with suppress(ConnectionError):
            if method == "POST":
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                await self._published(json.loads(await reader.readexactly(length)), writer)
            else:
                await self._stream(target, reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _published(self, body: JsonObject, writer: asyncio.StreamWriter) -> None:
        self.bodies.append(body)
        own = self.publish(str(body["message"]), str(body["topic"]), title=body["title"], priority=body["priority"])
        if self.lose_answers:
            writer.transport.abort()
            return
        answer = json.dumps({"id": own, "event": "message"}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        await writer.drain()

    async def _stream(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(target)
        topic = parts.path.split("/")[1]
        since = parse_qs(parts.query).get("since", [""])[0]
        self.asked_since.append(since)
        if self.refused:
            writer.write(b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % self.refused.pop(0))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        writer.write(json.dumps({"id": "o1", "time": int(NOW), "event": "open", "topic": topic}).encode() + b"\n")
        writer.write(self.garbage)
        for message in self._cached(topic, since):
            writer.write(json.dumps(message).encode() + b"\n")
        self._streams.add(writer)
        self.connected.set()
        await reader.read()  # until the other side goes away

    def _cached(self, topic: str, since: str) -> list[JsonObject]:
        """After that id, since that time; an id that is not known: everything (as the real one does)."""
        ids = [message["id"] for message in self.cache]
        first = ids.index(since) + 1 if since in ids else 0
        late_enough = int(since) if since.isdecimal() else 0
        return [one for one in self.cache[first:] if one["topic"] == topic and one["time"] >= late_enough]


@asynccontextmanager
async def fake_ntfy() -> AsyncIterator[FakeNtfy]:
    """On a port of its own."""
    server = FakeNtfy()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.closed()
        await listening.wait_closed()


class FakeGotify:
    """``POST /message``, ``GET /message`` newest first, and the websocket ``/stream``."""

    def __init__(self) -> None:
        self.port = 0
        self.status = 200
        self.messages: list[JsonObject] = []
        self.bodies: list[JsonObject] = []
        self.keys: list[str] = []
        self.connected = asyncio.Event()
        self._sockets: set[WebSocket] = set()
        self._ending = asyncio.Event()
        self.web = Starlette(
            routes=[
                Route("/message", self._post, methods=["POST"]),
                Route("/message", self._get),
                WebSocketRoute("/stream", self._stream),
            ]
        )

    def settings(self, **more: object) -> GotifySettings:
        return GotifySettings.model_validate({"url": f"http://127.0.0.1:{self.port}", **more})

    async def publish(self, text: str, **more: object) -> int:
        """As another program would."""
        message = {"id": len(self.messages) + 1, "appid": 1, "message": text, "title": "", "priority": 5}
        self.messages.append({**message, "date": "2027-01-15T08:00:00Z", **more})
        await self.send(json.dumps(self.messages[-1]))
        return len(self.messages)

    async def send(self, raw: str) -> None:
        """A frame as it is."""
        for one in list(self._sockets):
            await one.send_text(raw)

    async def break_streams(self) -> None:
        self.connected.clear()
        for one in list(self._sockets):
            await one.close(1011)
        self._sockets.clear()

    async def _post(self, request: Request) -> Response:
        self.keys.append(request.headers.get("x-gotify-key", ""))
        if self.status != 200:
            return Response(status_code=self.status)
        body = await request.json()
        self.bodies.append(body)
        own = await self.publish(body["message"], title=body["title"], priority=body["priority"])
        return JSONResponse({**self.messages[own - 1]})

    async def _get(self, request: Request) -> Response:
        self.keys.append(request.headers.get("x-gotify-key", ""))
        since, limit = int(request.query_params.get("since", 0)), int(request.query_params["limit"])
        found = [one for one in reversed(self.messages) if not since or one["id"] < since]
        return JSONResponse({"messages": found[:limit], "paging": {"size": limit, "limit": limit}})

    async def _stream(self, socket: WebSocket) -> None:
        self.keys.append(socket.headers.get("x-gotify-key", ""))
        await socket.accept()
        self._sockets.add(socket)
        self.connected.set()
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await socket.receive_text()
        self._sockets.discard(socket)


@asynccontextmanager
async def fake_gotify() -> AsyncIterator[FakeGotify]:
    """On a port of its own."""
    fake = FakeGotify()
    server = uvicorn.Server(
        uvicorn.Config(
            fake.web, log_level="critical", ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as bound:
        fake.port = bound.getsockname()[1]
        serving = asyncio.create_task(server.serve([bound]))
        try:
            yield fake
        finally:
            await fake.break_streams()
            server.should_exit = True
            await serving

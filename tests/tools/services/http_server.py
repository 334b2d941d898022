"""A small HTTP/1.1 server on loopback for tests, with connections that stay open, and a count of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """``body``: bytes as they are, everything else as JSON."""

    body: Any = b""
    status: int = 200


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass
class Server:
    """A running one."""

    url: str
    connections: int = 0
    requests: list[Request] = field(default_factory=list)


async def hang(_: Request) -> Answer:
    """Never."""
    await asyncio.Event().wait()
    return Answer()


def always(body: Any, status: int = 200) -> Handler:
    """The same answer to everything."""

    async def answer(_: Request) -> Answer:
        return Answer(body, status)

    return answer


@asynccontextmanager
async def serving(handler: Handler, port: int = 0) -> AsyncIterator[Server]:
    """Serve until the block ends; nothing is left of it."""
    running: set[asyncio.Task[Any]] = set()
    server = Server("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            running.add(task)
            task.add_done_callback(running.discard)
        server.connections += 1
        try:
            while request := await _read(reader):
                server.requests.append(request)
                writer.write(_bytes(await handler(request)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # asyncio logs a cancelled connection as an error otherwise
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", port)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await listening.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _bytes(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    return f"HTTP/1.1 {answer.status} Said\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

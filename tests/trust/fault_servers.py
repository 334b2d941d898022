"""An HTTP server on a port of its own that can be made to fail as real ones do, and to be well again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal, Self

from tests.fakes_chat import chunk, sse

Mode = Literal["well", "dead", "slow", "half", "html", "error", "garbage", "endless"]
Answer = tuple[str, list[bytes]]
"""Content type, and the body in pieces."""


def chat(path: str) -> Answer:
    """A model server with one model, which says something that states nothing."""
    if path.endswith("/models"):
        listed = {"object": "list", "data": [{"id": "scripted", "object": "model", "created": 1, "owned_by": "x"}]}
        return "application/json", [json.dumps(listed).encode()]
    return "text/event-stream", sse(chunk(role="assistant"), chunk(content="With pleasure."), chunk("stop"))


def ears(_: str) -> Answer:
    """It hears the same in everything."""
    return "application/json", [json.dumps({"text": "is grafana up?"}).encode()]


def voice(_: str) -> Answer:
    """It says the same for everything: a tenth of a second."""
    return "audio/pcm;rate=24000;channels=1", [bytes(4_800)]


def page(_: str) -> Answer:
    """A service that is up."""
    return "text/html", [b"<html>fine</html>"]


def gatus(_: str) -> Answer:
    """A watcher that knows nothing."""
    return "application/json", [b"[]"]


class Misbehaving:
    """``mode`` is how it answers from the next request on; ``unless``: paths that it answers well in any mode."""

    def __init__(self, answer: Callable[[str], Answer], *, unless: tuple[str, ...] = ()) -> None:
        self._answer = answer
        self._unless = unless
        self.mode: Mode = "well"
        self.port = 0
        self.asked = 0
        self._server: asyncio.Server | None = None
        self._ended = asyncio.Event()
        self._serving: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def failing(self, mode: Mode) -> AsyncIterator[None]:
        """Like this until the context ends."""
        self.mode = mode
        if mode == "dead":
            await self._close()
        try:
            yield
        finally:
            self.mode = "well"
            if mode == "dead":
                await self._listen()
            else:
                self._ended.set()
                self._ended = asyncio.Event()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        self._ended.set()
        self._ended = asyncio.Event()
        if server is not None:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sizes = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
            await reader.readexactly(int(sizes[0]) if sizes else 0)
            self.asked += 1
            path = head.split()[1]
            await self._play(path, "well" if path.endswith(self._unless or ("\0",)) else self.mode, writer)
        writer.close()

    async def _play(self, path: str, mode: Mode, writer: asyncio.StreamWriter) -> None:
        kind, pieces = self._answer(path)
        status, ended = 200, self._ended
        if mode == "slow":
            await ended.wait()
            return
        if mode == "html":
            kind, pieces = "text/html", [b"<html><h1>It works!</h1></html>"]
        if mode == "error":
            kind, status, pieces = "application/json", 500, [b'{"error": {"message": "out of luck"}}']
        if mode == "garbage":
            pieces = [b"data: {{{{\n\n", b"\xff\xfe}}}}"]
        if mode == "endless":
            pieces = pieces[:2]
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        if mode == "half":
            pieces = pieces[: max(1, len(pieces) - 2)]
            pieces[-1] = pieces[-1][: max(1, len(pieces[-1]) - 3)] if len(pieces) == 1 else pieces[-1]
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        while mode == "endless" and not ended.is_set():
            writer.write(b"%x\r\n%b\r\n" % (len(pieces[-1]), pieces[-1]))
            await writer.drain()
            await asyncio.sleep(0.01)
        if mode != "half":
            writer.write(b"0\r\n\r\n")
            await writer.drain()

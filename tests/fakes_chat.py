"""A model server that plays a script: real HTTP on loopback, with the faults that real servers have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from tools.contract import JsonObject


def sse(*chunks: JsonObject | str, done: bool = True) -> list[bytes]:
    """Server-sent events, one piece each; a string is sent as it is."""
    pieces = [f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return [*pieces, b"data: [DONE]\n\n"] if done else pieces


def chunk(finish: str | None = None, **delta: Any) -> JsonObject:
    """One ``chat.completion.chunk`` with this delta."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def usage(tokens_in: int, tokens_out: int) -> JsonObject:
    """The last chunk of a server that counts: no choices."""
    counts = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
    return {**chunk(), "choices": [], "usage": counts}


def call(index: int | None = 0, id_: str | None = None, name: str | None = None, arguments: str | None = None) -> Any:
    """A fragment of a native tool call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return [{"index": index, "id": id_, "type": "function", "function": function}]


@dataclass
class Script:
    """An answer. ``hang_after``: pieces after which it says nothing more; ``break_off``: it closes without an end."""

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    hang_after: int | None = None
    break_off: bool = False


def says(*texts: str, finish: str = "stop") -> Script:
    """These pieces of text, each its own delta."""
    return Script(sse(chunk(role="assistant"), *(chunk(content=text) for text in texts), chunk(finish)))


def error(status: int, message: str) -> Script:
    return Script([json.dumps({"error": {"message": message}}).encode()], status, "application/json")


@dataclass
class ScriptedServer:
    """Plays ``scripts`` one a chat request, the last one again and again, and lists ``models``."""

    models: Any = field(default_factory=lambda: ["qwen"])
    scripts: list[Script] = field(default_factory=list)
    requests: list[JsonObject] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    lists_models: Script | None = None
    _server: asyncio.Server | None = None
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._done.set()
        if self._server is not None:
            self._server.close()
            await asyncio.gather(*self._serving)
            await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0])) if lengths else b""
            self.headers.append(head)
            await self._play(self._script(head, body), writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def _script(self, head: str, body: bytes) -> Script:
        if head.startswith("GET"):
            data = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in self.models]
            listing = json.dumps({"object": "list", "data": data}).encode()
            return self.lists_models or Script([listing], content_type="application/json")
        self.requests.append(json.loads(body))
        return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

    async def _play(self, script: Script, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {script.status} X\r\nContent-Type: {script.content_type}\r\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        for number, piece in enumerate(script.pieces):
            if number == script.hang_after:
                break
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if script.hang_after is not None:
            await self._done.wait()
        elif not script.break_off:
            writer.write(b"0\r\n\r\n")
            await writer.drain()

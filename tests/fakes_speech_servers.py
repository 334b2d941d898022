"""Speech servers that play a script: real sockets on loopback, with the faults that real and hostile servers have."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from wyoming.event import Event, async_read_event


@dataclass
class Answer:
    """``pieces`` are sent one by one; after ``hang_after`` of them nothing more comes; ``break_off``: the connection is
    closed without an end; ``raw``: the pieces are the whole answer, head and all; ``endless``: the last one again and
    again."""

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "application/json"
    headers: str = ""
    hang_after: int | None = None
    break_off: bool = False
    raw: bool = False
    endless: bool = False


def says(text: Any, **more: Any) -> Answer:
    """A transcript."""
    return Answer([json.dumps({"text": text, **more}).encode()])


def refuses(status: int, said: Any) -> Answer:
    return Answer([json.dumps(said).encode()], status)


def wav_header(size: int = 0xFFFFFFFF, rate_hz: int = 24_000, channels: int = 1, bits: int = 16, tag: int = 1) -> bytes:
    """As a server that streams writes it: it does not know the size."""
    riff = min(size + 36, 0xFFFFFFFF)
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * width & 0xFFFFFFFF, width, bits)
    return (
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def sound(pieces: Sequence[bytes], content_type: str = "audio/wav", **more: Any) -> Answer:
    return Answer(pieces, content_type=content_type, **more)


@dataclass
class _Loopback:
    """A server on a free port that ends what hangs when it is left."""

    port: int = 0
    _server: asyncio.Server | None = None
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await self._listen()
        address = self._server.sockets[0].getsockname()
        self.port = address[1] if isinstance(address, tuple) else 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._done.set()
        if self._server is not None:
            self._server.close()
            await asyncio.gather(*self._serving)
            await self._server.wait_closed()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


@dataclass
class SpeechHttpServer(_Loopback):
    """Plays ``answers`` one a request, the last one again and again."""

    answers: list[Answer] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> list[Any]:
        """The bodies as JSON."""
        return [json.loads(body) for body in self.bodies]

    def form(self, index: int = -1) -> dict[str, bytes]:
        """The fields of a multipart body."""
        body = self.bodies[index]
        mark = body.split(b"\r\n", 1)[0]
        fields = {}
        for part in body.split(mark)[1:-1]:
            head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
            name = head.split(b'name="', 1)[1].split(b'"', 1)[0]
            fields[name.decode()] = value
        return fields

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(int(lengths[0])) if lengths else b"")
        await self._play(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0], writer)

    async def _play(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        if not answer.raw:
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Type: {answer.content_type}\r\n{answer.headers}"
            writer.write(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        await play(answer, writer, self._done)
        if not answer.raw and not answer.break_off and answer.hang_after is None:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


@dataclass
class WyomingServer(_Loopback):
    """Reads events up to one of these types, then sends the pieces; ``path``: on a unix socket."""

    answers: dict[str, Answer] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    path: str = ""

    @property
    def url(self) -> str:
        return f"unix://{self.path}" if self.path else f"tcp://127.0.0.1:{self.port}"

    def heard(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    async def _listen(self) -> asyncio.Server:
        if self.path:
            return await asyncio.start_unix_server(self._connected, self.path)
        return await super()._listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (event := await async_read_event(reader)) is not None:
            self.events.append(event)
            if answer := self.answers.get(event.type):
                await play(answer, writer, self._done, framed=False)
                if answer.break_off:
                    return


async def play(answer: Answer, writer: asyncio.StreamWriter, done: asyncio.Event, *, framed: bool = True) -> None:
    pieces = list(answer.pieces)
    for number, piece in enumerate(pieces):
        if number == answer.hang_after:
            break
        await _send(piece, writer, framed=framed and not answer.raw)
    while answer.endless and not done.is_set():
        await _send(pieces[-1], writer, framed=framed and not answer.raw)
        await asyncio.sleep(0)
    if answer.hang_after is not None:
        await done.wait()


async def _send(piece: bytes, writer: asyncio.StreamWriter, *, framed: bool) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if framed else piece)
    await writer.drain()


def event(kind: str, data: Any = None, payload: bytes = b"", **lies: Any) -> bytes:
    """A Wyoming event; ``lies`` replace what its head says."""
    body = json.dumps(data).encode() if data is not None else b""
    head = {"type": kind, "version": "1.5.4", "data_length": len(body), "payload_length": len(payload), **lies}
    return json.dumps(head).encode() + b"\n" + body + payload


def info(**services: Any) -> Answer:
    return Answer([event("info", services)])


def program(name: str, **more: Any) -> dict[str, Any]:
    made_by = {"name": "x", "url": "y"}
    return {"name": name, "attribution": made_by, "installed": True, "description": name, "version": "1", **more}

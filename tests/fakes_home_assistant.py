"""A Home Assistant small enough to script: the websocket's first exchange, one pipeline, and the reply's audio."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from assistant.ports import SAMPLE_RATE_HZ

TOKEN = "let me in"
HANDLER = 7
AUDIO = "/api/tts_proxy/reply.mp3"
ASKED = "assist_pipeline/run"

Event = Mapping[str, Any]
RUN_START: Event = {"type": "run-start", "data": {"runner_data": {"stt_binary_handler_id": HANDLER}}}
STT_START: Event = {"type": "stt-start", "data": {}}
VAD_END: Event = {"type": "stt-vad-end", "data": {"timestamp": 1}}
RUN_END: Event = {"type": "run-end"}
LOST = "the connection ends"
END_MARK = "what follows waits for the mark of the end"


def stt_end(text: str) -> Event:
    return {"type": "stt-end", "data": {"stt_output": {"text": text}}}


def intent_end(reply: str) -> Event:
    return {"type": "intent-end", "data": {"intent_output": {"response": {"speech": {"plain": {"speech": reply}}}}}}


def tts_end(url: str = AUDIO) -> Event:
    return {"type": "tts-end", "data": {"tts_output": {"url": url}}}


def failed(code: str, message: str) -> Event:
    return {"type": "error", "data": {"code": code, "message": message}}


@dataclass
class FakeHomeAssistant:
    """Each run gets ``before`` at once and ``after`` when ``hears_s`` seconds of audio came."""

    before: Sequence[Event] = (RUN_START, STT_START)
    after: Sequence[Event | str] = ()
    hears_s: float = 0.0
    refuses: str = ""
    audio: bytes = b"mp3"
    url: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    """Binary frames, with their first byte."""
    _later: list[Event | str] = field(default_factory=list)

    async def talk(self, connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "auth_required"}))
        said = json.loads(await connection.recv())
        if said != {"type": "auth", "access_token": TOKEN}:
            await connection.send(json.dumps({"type": "auth_invalid"}))
            return
        await connection.send(json.dumps({"type": "auth_ok"}))
        async for message in connection:
            if isinstance(message, bytes):
                self.heard.append(message)
                await self._heard(connection, ended=len(message) == 1)
            else:
                await self._asked(connection, json.loads(message))

    async def _asked(self, connection: ServerConnection, asked: dict[str, Any]) -> None:
        self.runs.append(asked)
        self._later = [*self.after]
        await connection.send(json.dumps(self._result(asked)))
        if not self.refuses:
            await self._send(connection, self.before)

    async def _heard(self, connection: ServerConnection, *, ended: bool) -> None:
        """All up to END_MARK when it heard enough, what is behind it at the mark."""
        if sum(len(frame) - 1 for frame in self.heard) < self.hears_s * 2 * SAMPLE_RATE_HZ:
            return
        now = len(self._later) if ended or END_MARK not in self._later else self._later.index(END_MARK)
        due, self._later = self._later[:now], self._later[now:]
        await self._send(connection, due)

    def _result(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"id": asked["id"], "type": "result", "success": not self.refuses, "result": None}
        if self.refuses:
            result["error"] = {"code": "refused", "message": self.refuses}
        return result

    async def _send(self, connection: ServerConnection, events: Sequence[Event | str]) -> None:
        for event in events:
            if event == LOST:
                await connection.close()
            elif event != END_MARK:
                await connection.send(json.dumps({"id": self.runs[-1]["id"], "type": "event", "event": event}))

    def page(self, connection: ServerConnection, request: Request) -> Response | None:
        """What plain HTTP gets."""
        if request.path == "/api/websocket":
            return None
        found = request.path == AUDIO
        body = self.audio if found else b"not found"
        headers = Headers([("Content-Length", str(len(body))), ("Connection", "close")])
        return Response(200 if found else 404, "OK" if found else "Not Found", headers, body)


@asynccontextmanager
async def serving(home: FakeHomeAssistant) -> AsyncIterator[FakeHomeAssistant]:
    """On a free port of 127.0.0.1."""
    server: Server
    async with serve(home.talk, "127.0.0.1", 0, process_request=home.page) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        home.url = f"http://127.0.0.1:{port}"
        yield home

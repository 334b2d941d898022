"""The HTTP doors: ``POST /command`` for phones and scripts, ``/mcp`` for MCP clients, reply audio, health.

``docs/http-api.md`` is its page.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from assistant.app import App, app_version
from assistant.broadcast import RunningTurn
from assistant.errors import AudioError
from assistant.events import AudioReady, to_json
from assistant.outcome import TurnOutcome
from assistant.ports import AudioSource, SpeechChunk
from assistant.server.answers import RequestError, problem, refused
from assistant.server.auth import Authenticator
from assistant.server.bodies import Command, read_command
from assistant.server.guards import Guards, caller_name
from assistant.speech.wav import wav_bytes
from tools.contract import Caller, Door

log = logging.getLogger(__name__)

KEPT_TURNS = 32
KEPT_FOR_S = 600.0
"""Turns whose events and reply audio can still be fetched: the newest, for ten minutes."""

MAX_RUNNING = 8
CLIENT_ERRORS = {"clip_too_long": 413, "clip_too_large": 413}


class Doors:
    """The routes over one app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turns: OrderedDict[str, tuple[float, RunningTurn]] = OrderedDict()

    async def command(self, request: Request) -> Response:
        """One utterance in, one turn, the answer in the form that Accept asks for."""
        command = await read_command(request, self._app.settings.server.max_upload_bytes)
        if sum(not turn.over for _, turn in self._turns.values()) >= MAX_RUNNING:
            answer = problem(503, "busy", f"{MAX_RUNNING} turns are under way.", "Try again in a few seconds.")
            answer.headers["Retry-After"] = "5"
            return answer
        turn = self._start(command, await self._utterance(command))
        if "text/event-stream" in request.headers.get("accept", ""):
            with_audio = request.query_params.get("audio") == "1"
            return _event_stream(turn, with_audio=with_audio)
        return JSONResponse(_answer(await turn.outcome()))

    async def reply_audio(self, request: Request) -> Response:
        """The reply of a recent turn as wav; waits for a turn that is still under way."""
        turn = self._find(request)
        chunks = [
            SpeechChunk(event.pcm, event.sample_rate_hz)
            async for event in turn.events()
            if isinstance(event, AudioReady)
        ]
        if not chunks:
            return problem(404, "no_audio", "That turn said nothing.")
        return Response(wav_bytes(chunks), media_type="audio/wav")

    async def events(self, request: Request) -> Response:
        """The events of a recent turn, from the first, as server-sent events."""
        return _event_stream(self._find(request), with_audio=request.query_params.get("audio") == "1")

    async def health(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "version": app_version()})

    async def ready(self, _: Request) -> Response:
        """The tools answer, too."""
        sick = [server.name for server in self._app.toolbox.health() if not server.ok]
        return JSONResponse({"status": "degraded" if sick else "ready", "sick": sick})

    async def _utterance(self, command: Command) -> str | AudioSource:
        if command.clip is None:
            return command.text or ""
        try:
            return await self._app.clip(command.clip)
        except AudioError as error:
            status = CLIENT_ERRORS.get(error.code, 400)
            raise RequestError(status, error.code, error.detail, error.mend) from error

    def _start(self, command: Command, utterance: str | AudioSource) -> RunningTurn:
        name = caller_name.get()
        turn = self._app.start_turn(
            utterance,
            caller=Caller(name=name, door=Door.HTTP),
            conversation_id=f"{name}/{command.conversation_id}",
            speak=True,
            engine=command.engine,
        )
        self._turns[turn.turn_id] = (time.monotonic(), turn)
        while len(self._turns) > KEPT_TURNS:
            self._turns.popitem(last=False)
        return turn

    def _find(self, request: Request) -> RunningTurn:
        at, turn = self._turns.get(request.path_params["turn_id"], (0.0, None))
        if turn is None or time.monotonic() - at > KEPT_FOR_S:
            raise RequestError(404, "unknown_turn", "There is no such turn, or it was too long ago.")
        return turn


def http_app(app: App, authenticator: Authenticator) -> Starlette:
    """The whole ASGI application; its lifespan runs the MCP session manager."""
    doors = Doors(app)
    hosts = app.settings.server.allowed_hosts
    manager = StreamableHTTPSessionManager(app.mcp_server(caller_name.get), security_settings=_mcp_security(hosts))
    mcp = StreamableHTTPASGIApp(manager)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    return Starlette(
        routes=[
            Route("/command", doors.command, methods=["POST"]),
            Route("/turns/{turn_id}/reply.wav", doors.reply_audio),
            Route("/turns/{turn_id}/events", doors.events),
            Route("/health", doors.health),
            Route("/ready", doors.ready),
            Route("/mcp", endpoint=mcp),
            Route("/mcp/", endpoint=mcp),
        ],
        middleware=[Middleware(Guards, authenticator=authenticator, allowed_hosts=hosts)],
        exception_handlers={
            RequestError: _request_error,
            HTTPException: _http_exception,
            AudioError: lambda _, error: refused(400, error),
            Exception: _bug,
        },
        lifespan=lifespan,
    )


def _answer(outcome: TurnOutcome) -> dict[str, object]:
    """The documented object, ``response`` for older clients, and where the reply can be heard."""
    audio = f"/turns/{outcome.turn_id}/reply.wav" if outcome.timings_ms.first_audio is not None else None
    return {**outcome.model_dump(mode="json"), "response": outcome.reply, "audio_url": audio}


def _event_stream(turn: RunningTurn, *, with_audio: bool) -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        async for event in turn.events():
            shown = replace(event, pcm=b"") if isinstance(event, AudioReady) and not with_audio else event
            yield f"event: {event.kind}\ndata: ".encode() + to_json(shown) + b"\n\n"
        outcome = TurnOutcome.from_events([event async for event in turn.events()])
        yield b"event: outcome\ndata: " + outcome.model_dump_json().encode() + b"\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _mcp_security(hosts: tuple[str, ...]) -> TransportSecuritySettings:
    names = ["127.0.0.1", "localhost", "[::1]", *hosts]
    with_ports = [form for name in names for form in (name, f"{name}:*")]
    origins = [f"{scheme}://{form}" for scheme in ("http", "https") for form in with_ports]
    return TransportSecuritySettings(allowed_hosts=with_ports, allowed_origins=origins)


async def _request_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestError):
        raise error
    return error.answer


async def _http_exception(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    codes = {404: "not_found", 405: "method_not_allowed"}
    return problem(error.status_code, codes.get(error.status_code, "refused"), str(error.detail))


async def _bug(_: Request, error: Exception) -> Response:
    """A bug of ours: an id in the answer and in the log, nothing of the inside."""
    number = secrets.token_hex(4)
    log.error("request failed (%s)", number, exc_info=error)
    return problem(500, "internal_error", f"A bug of ours. The log has it under {number}.")

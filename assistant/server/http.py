"""The HTTP doors: ``POST /command`` for phones and scripts, ``/mcp`` for MCP clients, reply audio, health.

``docs/http-api.md`` is its page.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.app import App, app_version
from assistant.broadcast import RunningTurn
from assistant.errors import AudioError
from assistant.events import AudioReady
from assistant.outcome import TurnOutcome
from assistant.ports import AudioSource, SpeechChunk
from assistant.server.answers import RequestError, problem
from assistant.server.auth import Authenticator
from assistant.server.bodies import Command, clip_status, read_command
from assistant.server.event_stream import event_stream
from assistant.server.guards import Guards, caller_name, server_names
from assistant.server.idempotency import HEADER, Requests
from assistant.server.mcp_door import McpDoor
from assistant.server.message_doors import MessageDoors
from assistant.server.openai_audio import AudioDoor
from assistant.server.openai_chat import ChatDoor
from assistant.server.openai_forms import FormError, in_form_of
from assistant.server.recent import RecentTurns
from assistant.server.speech_stream import speech_form, speech_stream
from assistant.speech.wav import wav_bytes
from tools.contract import Caller, Door

log = logging.getLogger(__name__)

MAX_READING = 16
"""Bodies that are being read at once: with ``max_upload_bytes`` the bound of the memory that clips take."""

MAX_RUNNING = 8
"""Clips that are being decoded and turns under way, together."""

RETRY_AFTER_S = 5


class Doors:
    """The routes over one app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._recent = RecentTurns()
        self._requests = Requests(app.state.path / "requests.db")
        self._reading = 0
        self._decoding = 0

    async def command(self, request: Request) -> Response:
        """One utterance in, one turn, the answer in the form that Accept asks for."""
        with self._place_to_read():
            command = await read_command(request, self._app.settings.server.max_upload_bytes)

        async def start() -> RunningTurn:
            with self._place_to_run():
                return self._start(command, await self._utterance(command))

        name = caller_name.get()
        key = request.headers.get(HEADER)
        turn = await self._requests.once(key, name, command, start, lambda turn_id: self._recent.find(turn_id, name))
        accept = request.headers.get("accept", "")
        if "text/event-stream" in accept:
            return event_stream(turn, with_audio=_wants_audio(request))
        if (form := speech_form(accept)) is not None:
            return await speech_stream(turn, form)
        return JSONResponse(_answer(await turn.outcome()))

    def close(self) -> None:
        """Idempotent."""
        self._requests.close()

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
        return event_stream(self._find(request), with_audio=_wants_audio(request))

    async def digest(self, request: Request) -> Response:
        """The summary of the house (docs/digest.md); ``?plain=1``: no model is asked."""
        with self._place_to_run():
            digest = await self._app.digest(plain=request.query_params.get("plain") == "1")
        return JSONResponse(digest.model_dump(mode="json"))

    async def health(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "version": app_version()})

    async def ready(self, _: Request) -> Response:
        """The tools answer, too."""
        sick = [server.name for server in (await self._app.toolbox.outside()).servers if not server.ok]
        return JSONResponse({"status": "degraded" if sick else "ready", "sick": sick})

    @contextmanager
    def _place_to_read(self) -> Iterator[None]:
        if self._reading >= MAX_READING:
            raise _busy(f"{MAX_READING} requests are being read.")
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1

    @contextmanager
    def _place_to_run(self) -> Iterator[None]:
        """For decoding; the turn that is started inside has the place after it."""
        if self._decoding + self._recent.under_way >= MAX_RUNNING:
            raise _busy(f"{MAX_RUNNING} turns are under way.")
        self._decoding += 1
        try:
            yield
        finally:
            self._decoding -= 1

    async def _utterance(self, command: Command) -> str | AudioSource:
        if command.clip is None:
            return command.text or ""
        try:
            return await self._app.clip(command.clip)
        except AudioError as error:
            raise RequestError(clip_status(error.code), error.code, error.detail, error.mend) from error

    def start_typed(self, text: str, conversation_id: str, caller: Caller) -> RunningTurn:
        """A turn without a mouth. Raises RequestError where too many are under way."""
        with self._place_to_run():
            turn = self._app.start_turn(text, caller=caller, conversation_id=conversation_id)
            self._recent.add(turn, caller.name)
        return turn

    def _start(self, command: Command, utterance: str | AudioSource) -> RunningTurn:
        name = caller_name.get()
        turn = self._app.start_turn(
            utterance,
            caller=Caller(name=name, door=Door.HTTP),
            conversation_id=f"{name}/{command.conversation_id}",
            speak=True,
            engine=command.engine,
        )
        self._recent.add(turn, name)
        return turn

    def _find(self, request: Request) -> RunningTurn:
        turn = self._recent.find(request.path_params["turn_id"], caller_name.get())
        if turn is None:
            raise RequestError(404, "unknown_turn", "You have no such turn, or it was too long ago.")
        return turn


def http_app(app: App, authenticator: Authenticator, *, bound_host: str | None = None) -> Starlette:
    """The whole ASGI application; its lifespan runs the MCP session manager.

    ``bound_host``: the address it is served at. ``state.mcp`` and ``state.messages`` are the doors that have streams to
    end (``McpDoor``, ``MessageDoors``).
    """
    doors, messages = Doors(app), MessageDoors(app)
    chat, audio = ChatDoor(app, doors.start_typed), AudioDoor(app)
    ntfy = app.settings.ntfy
    phones = ntfy.confirm_url.host if ntfy is not None and ntfy.confirm_url is not None else None
    names = server_names([*app.settings.server.allowed_hosts, *([phones] if phones else [])], bound_host)
    mcp = McpDoor(app.mcp_server(caller_name.get), names)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with mcp.open():
                yield
        finally:
            doors.close()

    web = Starlette(
        routes=[
            Route("/command", doors.command, methods=["POST"]),
            Route("/turns/{turn_id}/reply.wav", doors.reply_audio),
            Route("/turns/{turn_id}/events", doors.events),
            Route("/digest", doors.digest),
            Route("/v1/models", chat.models),
            Route("/v1/models/{model}", chat.model),
            Route("/v1/chat/completions", chat.chat, methods=["POST"]),
            Route("/v1/audio/transcriptions", audio.transcribe, methods=["POST"]),
            Route("/v1/audio/speech", audio.speak, methods=["POST"]),
            Route("/health", doors.health),
            Route("/ready", doors.ready),
            *messages.routes,
            Route("/mcp", endpoint=mcp),
            Route("/mcp/", endpoint=mcp),
        ],
        middleware=[Middleware(Guards, authenticator=authenticator, names=names)],
        exception_handlers={
            RequestError: _request_error,
            FormError: _form_error,
            HTTPException: _http_exception,
            Exception: _bug,
        },
        lifespan=lifespan,
    )
    web.state.mcp = mcp
    web.state.messages = messages
    return web


def _answer(outcome: TurnOutcome) -> dict[str, object]:
    """The documented object, ``response`` for older clients, and where the reply can be heard."""
    audio = f"/turns/{outcome.turn_id}/reply.wav" if outcome.timings_ms.first_audio is not None else None
    return {**outcome.model_dump(mode="json"), "response": outcome.reply, "audio_url": audio}


def _wants_audio(request: Request) -> bool:
    return request.query_params.get("audio") == "1"


def _busy(message: str) -> RequestError:
    return RequestError(503, "busy", message, "Try again in a few seconds.", {"Retry-After": str(RETRY_AFTER_S)})


async def _request_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestError):
        raise error
    return in_form_of(request.url.path, error.answer)


async def _form_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, FormError):
        raise error
    return error.answer


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "refused")
    answer = problem(error.status_code, code, str(error.detail), headers=error.headers)
    return in_form_of(request.url.path, answer)


async def _bug(request: Request, error: Exception) -> Response:
    """A bug of ours: an id in the answer and in the log, nothing of the inside."""
    number = secrets.token_hex(4)
    log.error("request failed (%s)", number, exc_info=error)
    answer = problem(500, "internal_error", f"A bug of ours. The log has it under {number}.")
    return in_form_of(request.url.path, answer)

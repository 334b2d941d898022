"""The HTTP doors: ``POST /command`` for phones and scripts, ``/mcp`` for MCP clients, reply audio, health.

``docs/http-api.md`` is its page.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from assistant.app import App, app_version
from assistant.readiness import readiness
from assistant.server.answers import RequestError, problem, shown
from assistant.server.api import ApiDoors
from assistant.server.auth import Authenticator
from assistant.server.commands import CommandDoor
from assistant.server.guards import Guards, server_names
from assistant.server.identity import identity
from assistant.server.mcp_door import McpDoor
from assistant.server.message_doors import MessageDoors
from assistant.server.metrics_door import MetricsDoor
from assistant.server.openai_audio import AudioDoor
from assistant.server.openai_chat import ChatDoor
from assistant.server.openai_forms import FormError, in_form_of
from assistant.server.page import PageDoor
from assistant.server.satellite_door import SatelliteDoor
from assistant.server.token_doors import TokenDoors
from tools.contract import Caller, Door, JsonObject

log = logging.getLogger(__name__)


class Doors:
    """The routes over one app that are no more than a question to it."""

    def __init__(self, app: App, commands: CommandDoor) -> None:
        self._app = app
        self._commands = commands

    async def digest(self, request: Request) -> Response:
        """The summary of the house (docs/digest.md); ``?plain=1``: no model is asked. Not for who is limited."""
        if self._app.is_limited(identity.get().caller()):
            mend = "Ask about what the token is limited to."
            raise RequestError(403, "limited", "The summary is about the whole house.", mend)
        with self._commands.place_to_run():
            digest = await self._app.digest(plain=request.query_params.get("plain") == "1")
        return shown(digest)

    async def health(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "version": app_version()})

    async def ready(self, _: Request) -> Response:
        """Whether turns can be served, and how each part is (docs/scale-out.md); 503 where they cannot."""
        found = await readiness(self._app, app_version())
        return JSONResponse(found.model_dump(), status_code=503 if found.status == "down" else 200)

    async def openapi(self, _: Request) -> Response:
        """What all of this is, for programs; made when it is first asked for."""
        return JSONResponse(await asyncio.to_thread(_document))


def http_app(app: App, authenticator: Authenticator, *, bound_host: str | None = None) -> Starlette:
    """The whole ASGI application; its lifespan runs the MCP session manager.

    ``bound_host``: the address it is served at. ``state.mcp`` and ``state.messages`` are the doors that have streams to
    end (``McpDoor``, ``MessageDoors``).
    """
    authenticator = authenticator.at_home(app.state.path)
    commands, messages = CommandDoor(app), MessageDoors(app)
    doors, chat, audio = Doors(app, commands), ChatDoor(app, commands.start_typed), AudioDoor(app)
    ntfy = app.settings.ntfy
    phones = ntfy.confirm_url.host if ntfy is not None and ntfy.confirm_url is not None else None
    names = server_names([*app.settings.server.allowed_hosts, *([phones] if phones else [])], bound_host)
    mcp = McpDoor(app.mcp_server(_mcp_client), names, lambda: app.house.scopes(_mcp_client()))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with mcp.open():
                yield
        finally:
            commands.close()
            await authenticator.close()

    web = Starlette(
        routes=[
            Route("/command", commands.command, methods=["POST"]),
            Route("/turns/{turn_id}/reply.wav", commands.reply_audio),
            Route("/turns/{turn_id}/events", commands.events),
            Route("/digest", doors.digest),
            Route("/v1/models", chat.models),
            Route("/v1/models/{model}", chat.model),
            Route("/v1/chat/completions", chat.chat, methods=["POST"]),
            Route("/v1/audio/transcriptions", audio.transcribe, methods=["POST"]),
            Route("/v1/audio/speech", audio.speak, methods=["POST"]),
            Route("/health", doors.health),
            Route("/ready", doors.ready),
            Route("/openapi.json", doors.openapi),
            *messages.routes,
            *TokenDoors(app, authenticator).routes,
            *ApiDoors(app, commands.recent).routes,
            *SatelliteDoor(app).routes,
            *MetricsDoor(app).routes,
            *PageDoor().routes,
            Route("/mcp", endpoint=mcp),
            Route("/mcp/", endpoint=mcp),
        ],
        middleware=[
            Middleware(
                Guards,
                authenticator=authenticator,
                names=names,
                requests_a_minute=app.settings.server.requests_a_minute,
                wrong_tokens_a_minute=app.settings.server.wrong_tokens_a_minute,
            )
        ],
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


def _document() -> JsonObject:
    from assistant.server.openapi import document  # with it comes the whole of the openai package

    return document()


def _mcp_client() -> Caller:
    """A model decides there, with nobody's words to go by: the door itself is worth no more than a member."""
    return identity.get().caller(Door.MCP)


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
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    answer = problem(error.status_code, code, str(error.detail), headers=headers)
    return in_form_of(request.url.path, answer)


def _allowed(request: Request) -> str:
    """Every method of that path, whichever of its routes came first."""
    found = [
        route.methods or ()
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return ", ".join(sorted({method for methods in found for method in methods}))


async def _bug(request: Request, error: Exception) -> Response:
    """A bug of ours: an id in the answer and in the log, nothing of the inside."""
    number = secrets.token_hex(4)
    log.error("request failed (%s)", number, exc_info=error)
    answer = problem(500, "internal_error", f"A bug of ours. The log has it under {number}.")
    return in_form_of(request.url.path, answer)

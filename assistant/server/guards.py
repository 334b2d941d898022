"""ASGI middleware before every route: known Host, own Origin, a token where one is needed."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.server.answers import problem
from assistant.server.auth import Authenticator

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = frozenset({"/health"})

caller_name: ContextVar[str] = ContextVar("caller_name", default="owner")
"""Who the request under way comes from, as its token says."""


class Guards:
    """421 for a foreign Host (DNS rebinding), 403 for a foreign Origin (another page's script), 401 without token."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, allowed_hosts: Iterable[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._hosts = LOOPBACK_NAMES | {host.casefold() for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if _host_name(request.headers.get("host")) not in self._hosts:
            mend = "Add the name to `allowed_hosts` in [server]."
            answer = problem(421, "unknown_host", "This server does not go by that name.", mend)
        elif not self._own_origin(request.headers.get("origin")):
            answer = problem(403, "foreign_origin", "Pages of other sites may not talk to this server.")
        elif (name := self._name(request)) is None:
            answer = problem(401, "no_token", "A valid bearer token is needed.", "Authorization: Bearer …")
            answer.headers["WWW-Authenticate"] = "Bearer"
        else:
            token = caller_name.set(name)
            try:
                await self._app(scope, receive, send)
            finally:
                caller_name.reset(token)
            return
        await answer(scope, receive, send)

    def _name(self, request: Request) -> str | None:
        if request.url.path in OPEN_PATHS:
            return "anybody"
        return self._authenticator.name_of(request.headers.get("authorization"))

    def _own_origin(self, origin: str | None) -> bool:
        if origin is None:
            return True
        try:
            return urlsplit(origin).hostname in self._hosts
        except ValueError:
            return False


def _host_name(header: str | None) -> str | None:
    """Without port and brackets, lower case; None for a header that is no host."""
    if not header:
        return None
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None

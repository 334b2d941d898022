"""ASGI middleware before every route: known Host, own Origin, a token where one is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.server.answers import problem
from assistant.server.auth import Authenticator
from assistant.server.openai_forms import in_form_of

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = frozenset({"/health", "/alerts"})
"""Without one of our tokens: Alertmanager brings its own."""

OPEN_BELOW = "/confirm/"
"""Without any: the link is the right to answer one question."""

SHOWN_CHARACTERS = 100

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
"""RFC 9110 section 7.2, as narrow as names and addresses at home are."""

caller_name: ContextVar[str] = ContextVar("caller_name", default="owner")
"""Who the request under way comes from, as its token says."""


class Guards:
    """421 for a foreign Host (DNS rebinding), 403 for a foreign Origin (another page's script), 401 without token."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, names: Iterable[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._names = frozenset(name.casefold() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the start and end of the server; there are no websockets
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host_name(host) not in self._names:
            message = f"This server does not go by the name {host[:SHOWN_CHARACTERS]!r}."
            answer = problem(421, "unknown_host", message, "Add the name to `allowed_hosts` in [server].")
        elif not self._own_origin(headers.get("origin")):
            answer = problem(403, "foreign_origin", "Pages of other sites may not talk to this server.")
        elif (name := self._name(scope["path"], headers.get("authorization"))) is None:
            wanted = {"WWW-Authenticate": "Bearer"}
            answer = problem(401, "no_token", "A valid bearer token is needed.", "Authorization: Bearer …", wanted)
        else:
            token = caller_name.set(name)
            try:
                await self._app(scope, receive, send)
            finally:
                caller_name.reset(token)
            return
        await in_form_of(scope["path"], answer)(scope, receive, send)

    def _name(self, path: str, authorization: str | None) -> str | None:
        is_open = path in OPEN_PATHS or path.startswith(OPEN_BELOW)
        return "anybody" if is_open else self._authenticator.name_of(authorization)

    def _own_origin(self, origin: str | None) -> bool:
        if origin is None:
            return True
        try:
            return urlsplit(origin).hostname in self._names
        except ValueError:
            return False


def server_names(allowed_hosts: Iterable[str], bound_host: str | None = None) -> frozenset[str]:
    """The names and addresses the server goes by, without ports: loopback's, the configured, the one it binds."""
    found = {host_name(host) or host.casefold() for host in allowed_hosts}
    bound = {bound_host.casefold()} if bound_host else set()
    return LOOPBACK_NAMES | found | bound


def host_name(header: str) -> str | None:
    """Of a Host header, without port and brackets, lower case; None for a header that is no host."""
    match = _HOST.fullmatch(header)
    return (match["v6"] or match["name"]).casefold() if match else None

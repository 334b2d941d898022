"""ASGI middleware before every route: known Host, own Origin, a token where one is needed, not too often."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server.answers import RequestError
from assistant.server.auth import Authenticator
from assistant.server.identity import NOBODY, Identity, identity
from assistant.server.openai_forms import in_form_of
from assistant.server.rate_limit import RateLimit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = frozenset({"/", "/health", "/alerts", "/openapi.json"})
"""Without one of our tokens: the page holds nothing of the house, and Alertmanager brings its own."""

OPEN_BELOW = ("/confirm/", "/page/")
"""Without any: the link is the right to answer one question; the page's files."""

SHOWN_CHARACTERS = 100

WRONG_TOKENS_A_MINUTE = 20
"""By one address. A token cannot be guessed in any number of tries; this keeps a forgotten phone from asking on."""

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
"""RFC 9110 section 7.2, as narrow as names and addresses at home are."""


class TokenEndedError(OSError):
    """What a stream sees of it; OSError is what a connection that is gone raises."""


class Guards:
    """421 for a foreign Host (DNS rebinding), 403 for a foreign Origin (another page's script), 401 without token, 429
    for too many requests of one identity, and for too many wrong tokens from one address."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        names: Iterable[str],
        requests_a_minute: int = 0,
        wrong_tokens_a_minute: int = WRONG_TOKENS_A_MINUTE,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._names = frozenset(name.casefold() for name in names)
        self._requests = RateLimit(requests_a_minute)
        self._wrong = RateLimit(wrong_tokens_a_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the start and end of the server; there are no websockets
            await self._app(scope, receive, send)
            return
        try:
            token = identity.set(await self._admitted(scope))
        except RequestError as refused:
            await in_form_of(scope["path"], refused.answer)(scope, receive, send)
            return
        try:
            await self._while_it_counts(scope, receive, send)
        finally:
            identity.reset(token)

    async def _while_it_counts(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream ends where its token does: a phone that was lost with the page open hears nothing more."""
        headers, ended = Headers(scope=scope), False

        async def watched(message: Message) -> None:
            nonlocal ended
            if message.get("more_body") and await self._authenticator.ended(headers):
                ended = True
                raise TokenEndedError  # as if the client had left
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except (OSError, ClientDisconnect, ExceptionGroup):
            if not ended:
                raise
            await send({"type": "http.response.body", "body": b""})

    async def _admitted(self, scope: Scope) -> Identity:
        """Raises RequestError."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host_name(host) not in self._names:
            message = f"This server does not go by the name {host[:SHOWN_CHARACTERS]!r}."
            raise RequestError(421, "unknown_host", message, "Add the name to `allowed_hosts` in [server].")
        if not self._own_origin(headers.get("origin")):
            raise RequestError(403, "foreign_origin", "Pages of other sites may not talk to this server.")
        if scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_BELOW):
            return NOBODY
        peer = scope["client"][0] if scope.get("client") else ""
        try:
            who = await self._authenticator.identify(headers, peer)
        except RequestError as refused:
            if refused.answer.status_code in (401, 403):
                self._wrong.take(peer)  # only wrong tokens wait: behind a proxy the whole house has one address
            raise
        if who.counted:
            self._requests.take(who.name)
        return who

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

"""``/mcp``: the tools over streamable HTTP, in every protocol that is still out there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Message, Receive, Scope, Send

from assistant.server.identity import identity

MAX_SESSIONS = 256
"""Sessions of older protocols at once; a client that forgets to end its own loses it after half an hour."""


class McpDoor:
    """An ASGI application; ``open`` must be entered for it to answer."""

    def __init__(self, server: Server[Any], names: Iterable[str], scopes: Callable[[], list[str]] = lambda: []) -> None:
        """``names``: that the server goes by; ``scopes``: of whoever makes the request under way."""
        self._scopes = scopes
        self._manager = StreamableHTTPSessionManager(
            server, security_settings=_security(names), max_sessions=MAX_SESSIONS
        )
        self._ending = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run the session manager."""
        async with self._manager.run():
            yield

    def end_streams(self) -> None:
        """End the streams that clients of older protocols keep open for news: a server that stops has none."""
        self._ending.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A session belongs to whoever opened it, under the rights that they had: the manager compares this user with
        # that one, and for another the session is not there.
        who = identity.get()
        rights = json.dumps([who.role, who.only, who.room])
        known = AccessToken(token="", client_id=who.name, subject=rights, scopes=self._scopes())
        scope = {**scope, "user": AuthenticatedUser(known)}
        if scope["method"] == "GET":
            await self._news(scope, receive, send)
        else:
            await self._manager.handle_request(scope, receive, send)

    async def _news(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream that is open until its client leaves, or this server: then it looks as if the client had left."""
        unfinished = False

        async def receive_or_leave() -> Message:
            ending = asyncio.create_task(self._ending.wait())
            message = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({ending, message}, return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                ending.cancel()
                message.cancel()

        async def watched(message: Message) -> None:
            nonlocal unfinished
            unfinished = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        await self._manager.handle_request(scope, receive_or_leave, watched)
        if unfinished:
            await send({"type": "http.response.body", "body": b""})


def _security(names: Iterable[str]) -> TransportSecuritySettings:
    """The rules of ``Guards`` in the library's form, so that the door is safe without them, too."""
    hosts = [f"[{name}]" if ":" in name else name for name in sorted(names)]
    with_ports = [form for host in hosts for form in (host, f"{host}:*")]
    origins = [f"{scheme}://{form}" for scheme in ("http", "https") for form in with_ports]
    return TransportSecuritySettings(allowed_hosts=with_ports, allowed_origins=origins)

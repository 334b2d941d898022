"""Home Assistant's websocket: commands with their results, and the events of one command as they come.

The protocol is JSON texts with an ``id`` each, and binary frames whose first byte says whom they are for. One reader at
a time: who waits for a result drops the events of older commands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from assistant.errors import EgressError, HomeAssistantError

ANSWER_TIMEOUT_S = 30.0
"""Longest wait for the result of a command."""

_UNREACHABLE = "home_assistant_unreachable"
_LOST = "home_assistant_lost"


class AssistSocket:
    """An authenticated connection; made by :func:`assist_socket`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last_id = 0

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a command and give back its result, decoded. Raises HomeAssistantError."""
        id_ = await self.start(kind, **fields)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while True:
                    message = await self._receive()
                    if message.get("id") == id_ and message["type"] == "result":
                        return _result(kind, message)
        except TimeoutError as error:
            raise HomeAssistantError(_LOST, f"Home Assistant does not answer {kind}.") from error

    async def start(self, kind: str, **fields: Any) -> int:
        """Send a command and do not wait; its id. Raises HomeAssistantError."""
        self._last_id += 1
        await self._send(json.dumps({"id": self._last_id, "type": kind, **fields}))
        return self._last_id

    async def events(self, id_: int, kind: str) -> AsyncGenerator[Mapping[str, Any], None]:
        """The events of the command that was started, without end. Raises HomeAssistantError, also on its refusal."""
        while True:
            message = await self._receive()
            if message.get("id") != id_:
                continue
            if message["type"] == "result":
                _result(kind, message)
            elif message["type"] == "event":
                yield message["event"]

    async def send_binary(self, handler: int, data: bytes) -> None:
        """Bytes for the handler that a command named. Raises HomeAssistantError."""
        await self._send(bytes([handler]) + data)

    async def authenticate(self, token: str) -> None:
        """The first exchange. Raises HomeAssistantError."""
        await self._receive()  # auth_required
        await self._send(json.dumps({"type": "auth", "access_token": token}))
        if (await self._receive()).get("type") != "auth_ok":
            raise HomeAssistantError(
                "home_assistant_refused",
                "Home Assistant refuses the token.",
                mend="Make a long-lived access token on your profile page there, under Security.",
            )

    async def _send(self, data: str | bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise HomeAssistantError(_LOST, "Home Assistant has closed the connection.") from error

    async def _receive(self) -> Mapping[str, Any]:
        try:
            message = json.loads(await self._connection.recv())
        except ConnectionClosed as error:
            raise HomeAssistantError(_LOST, "Home Assistant has closed the connection.") from error
        except ValueError as error:
            raise HomeAssistantError("home_assistant_nonsense", "Home Assistant sends what is no JSON.") from error
        if not isinstance(message, dict) or "type" not in message:
            raise HomeAssistantError("home_assistant_nonsense", "Home Assistant sends a message without a type.")
        return message


@asynccontextmanager
async def assist_socket(url: str, token: str) -> AsyncIterator[AssistSocket]:
    """Connect to the Home Assistant whose pages are at ``url``. Raises HomeAssistantError, EgressError."""
    try:
        # no proxy: what is asked for is in the house; no compression: audio does not shrink
        connection = await connect(websocket_url(url), proxy=None, compression=None, max_size=None)
    except EgressError:
        raise
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise HomeAssistantError(
            _UNREACHABLE,
            f"No Home Assistant answers at {url}: {error}.",
            mend="Give the address of its start page, such as http://homeassistant.local:8123.",
        ) from error
    async with connection:
        socket = AssistSocket(connection)
        await socket.authenticate(token)
        yield socket


def websocket_url(url: str) -> str:
    """Where the websocket of the Home Assistant at ``url`` is. Pure. Raises HomeAssistantError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise HomeAssistantError(_UNREACHABLE, f"{url!r} is no http:// or https:// address.")
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/api/websocket", "", ""))


def _result(kind: str, message: Mapping[str, Any]) -> Any:
    if message.get("success"):
        return message.get("result")
    reason = message.get("error") or {}
    raise HomeAssistantError(
        "home_assistant_refused", f"Home Assistant refuses {kind}: {reason.get('message') or reason.get('code')}."
    )

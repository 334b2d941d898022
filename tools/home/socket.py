"""Home Assistant's websocket: a token, commands with their results, and the events that were subscribed to.

JSON texts with an ``id`` each. What comes is bounded in size and taken as bad input: what is no message ends the
connection with a reason, never with another error. The token is sent to nobody but the address in the settings.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from tools.home.faults import (
    LOST,
    NAME,
    NONSENSE,
    SLOW,
    RefusedTokenError,
    ended,
    refusal,
    turned_away,
    unreachable,
)
from tools.home.port import HomeError
from tools.settings_house import HomeAssistantSettings
from tools.web import WebError, secret

MAX_MESSAGE_BYTES = 16 * 2**20
"""Of one message. The states of a thousand entities take half a megabyte."""
MAX_PARTS = 500_000
"""Objects and lists in one message: a few letters of text become a hundred bytes of memory each."""
PING_EVERY_S = 2.0
PONG_WITHIN_S = 4.0
CLOSING_S = 0.5
"""A peer that is gone without a word is noticed after the three together at the latest."""

Handler = Callable[[Any], None]
"""Gets each event of a subscription; pure and quick."""

log = logging.getLogger(__name__)

_UNHEARD = logging.Logger("websockets.home")
_UNHEARD.disabled = True
"""At its lowest level the library logs whole messages, and one of them is the token."""


class HomeSocket:
    """An authenticated connection; made by :func:`home_socket`."""

    def __init__(self, connection: ClientConnection, version: str) -> None:
        self.version = version
        self._connection = connection
        self._last_id = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._handlers: dict[int, Handler] = {}
        self._end: HomeError | None = None

    async def command(self, kind: str, *, timeout_s: float, handler: Handler | None = None, **fields: Any) -> Any:
        """Send it and give its result; ``handler`` gets the events of what was subscribed to. Raises HomeError,
        RefusedCommandError where the answer is no."""
        if self._end is not None:
            raise self._end
        self._last_id += 1
        id_ = self._last_id
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = result
        if handler is not None:
            self._handlers[id_] = handler
        try:
            async with asyncio.timeout(timeout_s):
                await self._connection.send(json.dumps({"id": id_, "type": kind, **fields}))
                return await result
        except TimeoutError as error:
            raise HomeError(SLOW) from error
        except ConnectionClosed as error:
            raise ended(error) from error
        finally:
            del self._waiting[id_]

    async def read(self) -> NoReturn:
        """Take in what comes, until the connection ends. Raises HomeError, also to all who wait for a result."""
        try:
            while True:
                self._take(await self._connection.recv())
        except ConnectionClosed as error:
            self._end = ended(error)
        except _NonsenseError:
            self._end = HomeError(NONSENSE)
        except asyncio.CancelledError:
            self._end = HomeError(LOST)
            raise
        except Exception:  # the edge to the network: whatever it sends, the link goes on and connects again
            log.exception("what %s sends broke its reader", NAME)
            self._end = HomeError(NONSENSE)
        finally:
            for result in self._waiting.values():
                if not result.done():
                    _fail(result, self._end or HomeError(LOST))
        raise self._end

    def _take(self, frame: str | bytes) -> None:
        for message in decoded(frame):
            id_, kind = message.get("id"), message.get("type")
            if not isinstance(id_, int):
                continue
            if kind == "event" and (handler := self._handlers.get(id_)) is not None:
                handler(message.get("event"))
            elif kind == "result" and (result := self._waiting.get(id_)) is not None and not result.done():
                if message.get("success") is True:
                    result.set_result(message.get("result"))
                else:
                    _fail(result, refusal(message.get("error")))


def _fail(result: asyncio.Future[Any], error: HomeError) -> None:
    result.set_exception(error)
    result.exception()  # whoever waited may have gone meanwhile: nobody is told that nobody looked


@asynccontextmanager
async def home_socket(settings: HomeAssistantSettings) -> AsyncIterator[HomeSocket]:
    """Connect and show the token. Raises HomeError."""
    try:
        token = await secret(settings.token_file)
    except WebError as error:
        raise HomeError(f"the file with the token for {NAME} cannot be read") from error
    connection = await _connected(settings)
    try:
        version = await _admitted(connection, token, settings.timeout_s)
        yield HomeSocket(connection, version)
    finally:
        with suppress(ConnectionClosed):
            await connection.close()


class _Connect(connect):
    """Follows no redirect: the token is meant for the address in the settings only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _connected(settings: HomeAssistantSettings) -> ClientConnection:
    try:
        return await _Connect(
            websocket_url(str(settings.url)),
            ssl=await asyncio.to_thread(_tls, settings),
            proxy=None,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=settings.timeout_s,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_WITHIN_S,
            close_timeout=CLOSING_S,
            logger=_UNHEARD,
        )
    except InvalidStatus as error:
        raise turned_away(error.response.status_code) from error
    except InvalidMessage as error:
        raise unreachable(error.__cause__ if isinstance(error.__cause__, OSError) else None) from error
    except OSError as error:  # TimeoutError is one; a certificate's error is a ValueError too
        raise unreachable(error) from error
    except (InvalidHandshake, InvalidURI, ValueError) as error:
        raise HomeError(NONSENSE) from error
    except EOFError as error:
        raise HomeError(LOST) from error


async def _admitted(connection: ClientConnection, token: str, timeout_s: float) -> str:
    """Show the token; the version of Home Assistant. Raises HomeError."""
    try:
        async with asyncio.timeout(timeout_s):
            if _kind(await connection.recv()) != "auth_required":
                raise HomeError(NONSENSE)
            await connection.send(json.dumps({"type": "auth", "access_token": token}))
            (answer,) = decoded(await connection.recv())
    except TimeoutError as error:
        raise HomeError(SLOW) from error
    except ConnectionClosed as error:
        raise HomeError(LOST) from error
    except (_NonsenseError, ValueError) as error:
        raise HomeError(NONSENSE) from error
    if answer.get("type") == "auth_invalid":
        raise RefusedTokenError(
            f"{NAME} refuses the token; a new long-lived access token is made on the profile page there"
        )
    if answer.get("type") != "auth_ok":
        raise HomeError(NONSENSE)
    return str(answer.get("ha_version", ""))[:20]


def websocket_url(url: str) -> str:
    """Where the websocket of the Home Assistant with that start page is. Pure."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc.rpartition("@")[2], f"{parts.path.rstrip('/')}/api/websocket", "", ""))


class _NonsenseError(Exception):
    pass


def decoded(frame: str | bytes) -> list[dict[str, Any]]:
    """The messages in one frame: one, or a list of them. Raises _NonsenseError for what is no such thing."""
    if isinstance(frame, bytes):
        return []  # nothing that we ask for comes as bytes
    if len(frame) > MAX_PARTS and frame.count("{") + frame.count("[") > MAX_PARTS:
        raise _NonsenseError
    try:
        found = json.loads(frame, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _NonsenseError from error
    messages = found if isinstance(found, list) else [found]
    if not all(isinstance(message, dict) for message in messages):
        raise _NonsenseError
    return messages


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not JSON")


def _kind(frame: str | bytes) -> object:
    messages = decoded(frame)
    return messages[0].get("type") if len(messages) == 1 else None


def _tls(settings: HomeAssistantSettings) -> ssl.SSLContext | None:
    if settings.url.scheme != "https":
        return None
    context = ssl.create_default_context()
    if not settings.verify_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context

"""One MCP server's connection, owned by a task of its own.

anyio's cancel scopes belong to the task that entered them, so a client is entered and left in one task and only used
from others. Whatever a server does wrong comes out as OutsideError within the time it was given.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import anyio
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, Tool

from tools.outside.errors import OutsideCode, OutsideError

log = logging.getLogger(__name__)
T = TypeVar("T")

CLOSE_TIMEOUT_S = 5.0
"""More than the stdio transport needs to kill its child."""

MAX_LIST_PAGES = 20

RETRY_AFTER_S = 5.0
"""After a failed connect calls fail at once for so long, so that a dead server costs a turn nothing."""

Connector = Callable[[], AbstractAsyncContextManager[Client]]


class Connection:
    """Opens on first use, closes when told, and opens again after the server broke.

    ``connect`` makes a fresh client; ``why`` says, in words, why the last transport ended (stdio knows).
    """

    def __init__(
        self,
        name: str,
        connect: Connector,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        why: Callable[[], str] = lambda: "",
    ) -> None:
        self.name = name
        self._connect = connect
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._why = why
        self._lock = asyncio.Lock()
        self._link: _Link | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._failed_at = float("-inf")
        self._failure = ""

    async def use(self, what: str, act: Callable[[Client], Awaitable[T]]) -> T:
        """Run ``act`` on the open client within ``timeout_s``.

        Raises OutsideError: unreachable, timeout, crashed, nonsense; and MCPError as it is when the server answered
        with an error of the protocol (only the caller knows what that means).
        """
        client = await self.open()
        try:
            with anyio.fail_after(self._timeout_s):
                return await act(client)
        except TimeoutError:
            raise self._broken("timeout", f"did not answer {what} within {self._timeout_s:g} s") from None
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise self._broken("timeout", f"did not answer {what} in time") from error
            if error.code == CONNECTION_CLOSED:
                raise self._broken("crashed", f"went away during {what}") from error
            raise
        except (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise self._broken("crashed", f"went away during {what} ({type(error).__name__})") from error
        except (
            Exception
        ) as error:  # the edge to a server that may answer anything: the library does not name all it raises
            raise OutsideError(
                "nonsense",
                f"The MCP server {self.name!r} answered {what} with something that is no MCP: {_brief(error)}",
            ) from error

    async def open(self) -> Client:
        """The client, connecting if need be. Raises OutsideError (unreachable, timeout)."""
        async with self._lock:
            if self._link is not None and self._link.alive and not self._why():
                return self._link.client
            if time.monotonic() - self._failed_at < RETRY_AFTER_S:
                raise OutsideError("unreachable", self._failure)
            self._drop()
            link = _Link(self._connect)
            try:
                await link.enter(self._connect_timeout_s)
            except OutsideError as error:
                self._failed_at = time.monotonic()
                reason = self._why() or error.detail
                self._failure = f"The MCP server {self.name!r} cannot be used: {reason}."
                raise OutsideError(error.code, self._failure) from error
            self._link = link
            return link.client

    async def close(self) -> None:
        """Leave the client and wait until it is gone. Idempotent."""
        async with self._lock:
            self._drop()
            if self._closing:
                await asyncio.wait(self._closing)

    def _broken(self, code: OutsideCode, what_happened: str) -> OutsideError:
        why = self._why()
        self._drop()
        detail = f"The MCP server {self.name!r} {what_happened}" + (f": {why}." if why else ".")
        return OutsideError(code, detail)

    def _drop(self) -> None:
        """Let the link go in the background: whoever is waiting for an answer need not wait for a child to die."""
        link, self._link = self._link, None
        if link is not None:
            task = asyncio.create_task(link.leave())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def list_tools(client: Client) -> list[Tool]:
    """All pages of the server's tools, at most MAX_LIST_PAGES."""
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_LIST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


class _Link:
    """One life of a client inside its own task."""

    def __init__(self, connect: Connector) -> None:
        self._connect = connect
        self._scope = anyio.CancelScope()
        self._leaving = asyncio.Event()
        self._entered: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done() and self._entered.done()

    @property
    def client(self) -> Client:
        return self._entered.result()

    async def enter(self, timeout_s: float) -> None:
        """Connect. Raises OutsideError (unreachable, timeout) with nothing left behind."""
        self._task = asyncio.create_task(self._live(), name="mcp-connection")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._entered)
        except TimeoutError:
            await self.leave()
            raise OutsideError("timeout", f"it did not answer within {timeout_s:g} s") from None
        except asyncio.CancelledError:
            await self.leave()
            raise

    async def leave(self) -> None:
        """Ask the task to leave the client; after CLOSE_TIMEOUT_S it is cancelled."""
        if self._task is None:
            return
        if self._entered.done():
            self._leaving.set()
        else:
            self._scope.cancel()
        await asyncio.wait({self._task}, timeout=CLOSE_TIMEOUT_S)
        if not self._task.done():
            self._scope.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_TIMEOUT_S)
        if self._entered.done() and not self._entered.cancelled():
            self._entered.exception()  # looked at: nobody else will

    async def _live(self) -> None:
        try:
            with self._scope:
                async with self._connect() as client:
                    self._entered.set_result(client)
                    await self._leaving.wait()
        except Exception as error:  # noqa: BLE001 - the edge to an outside server: it may fail in any way it likes
            if self._entered.done():
                log.debug("an MCP connection ended with %s", type(error).__name__)
            else:
                self._entered.set_exception(OutsideError("unreachable", _brief(error)))
        finally:
            if not self._entered.done():
                self._entered.set_exception(OutsideError("unreachable", "the connection was given up"))


def _brief(error: BaseException) -> str:
    """The innermost error of a group in one line, without trailing stop."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    line = (str(error).strip().splitlines() or [""])[0][:300].rstrip(".")
    return line or type(error).__name__

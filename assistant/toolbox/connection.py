"""The connection to our own MCP server, owned by a task of its own.

anyio's cancel scopes belong to the task that entered them, so a client is entered and left in one task and only used
from others. Whatever goes wrong comes out as ToolboxError within the time it was given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import anyio
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, Tool

from assistant.errors import ToolboxError

log = logging.getLogger(__name__)
T = TypeVar("T")

CLOSE_TIMEOUT_S = 5.0

MAX_LIST_PAGES = 20

Connector = Callable[[], AbstractAsyncContextManager[Client]]


class Connection:
    """Opens on first use and closes when told. ``connect`` makes a fresh client."""

    def __init__(self, connect: Connector, *, timeout_s: float, connect_timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._lock = asyncio.Lock()
        self._link: _Link | None = None

    async def use(self, what: str, act: Callable[[Client], Awaitable[T]]) -> T:
        """Run ``act`` on the open client within ``timeout_s``.

        Raises ToolboxError: unreachable, timeout, crashed, nonsense; and MCPError as it is when the server answered
        with an error of the protocol (only the caller knows what that means).
        """
        client = await self.open()
        try:
            with anyio.fail_after(self._timeout_s):
                return await act(client)
        except TimeoutError:
            raise _broken("timeout", f"did not answer {what} within {self._timeout_s:g} s") from None
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise _broken("timeout", f"did not answer {what} in time") from error
            if error.code == CONNECTION_CLOSED:
                raise _broken("crashed", f"went away during {what}") from error
            raise
        except (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise _broken("crashed", f"went away during {what} ({type(error).__name__})") from error
        except Exception as error:  # the edge to a library that does not name all it raises
            raise _broken("nonsense", f"answered {what} with something that is no MCP: {_brief(error)}") from error

    async def open(self) -> Client:
        """The client, connecting if need be. Raises ToolboxError (unreachable, timeout)."""
        async with self._lock:
            if self._link is None or not self._link.alive:
                link = _Link(self._connect)
                try:
                    await link.enter(self._connect_timeout_s)
                except ToolboxError as error:
                    raise _broken(error.code, f"cannot be used: {error.detail}") from error
                self._link = link
            return self._link.client

    async def close(self) -> None:
        """Leave the client and wait until it is gone. Idempotent."""
        async with self._lock:
            link, self._link = self._link, None
            if link is not None:
                await link.leave()


def _broken(code: str, what_happened: str) -> ToolboxError:
    return ToolboxError(code, f"Our own tool server {what_happened}.", mend="See `jarvis doctor`.")


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
        """Connect. Raises ToolboxError (unreachable, timeout) with nothing left behind."""
        self._task = asyncio.create_task(self._live(), name="mcp-connection")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._entered)
        except TimeoutError:
            await self.leave()
            raise ToolboxError("timeout", f"it did not answer within {timeout_s:g} s") from None
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
        except Exception as error:  # noqa: BLE001 - the edge to a library that does not name all it raises
            if self._entered.done():
                log.debug("an MCP connection ended with %s", type(error).__name__)
            else:
                self._entered.set_exception(ToolboxError("unreachable", _brief(error)))
        finally:
            if not self._entered.done():
                self._entered.set_exception(ToolboxError("unreachable", "the connection was given up"))


def _brief(error: BaseException) -> str:
    """The innermost error of a group in one line, without trailing stop."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    line = (str(error).strip().splitlines() or [""])[0][:300].rstrip(".")
    return line or type(error).__name__

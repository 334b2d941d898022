"""One life of an MCP client, owned by a task of its own.

anyio's cancel scopes belong to the task that entered them, so a client is entered and left in one task and only used
from others. The assistant's toolbox and the outside servers' connections are both made of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

import anyio
from mcp import Client
from mcp_types import Tool

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
"""More than the stdio transport needs to kill its child."""

MAX_LIST_PAGES = 20

Connector = Callable[[], AbstractAsyncContextManager[Client]]


class LinkError(Exception):
    """The client could not be entered; ``detail``: a clause, without a stop."""

    def __init__(self, code: Literal["unreachable", "timeout"], detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


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


class Link:
    """One life of a client inside its own task."""

    def __init__(self, connect: Connector) -> None:
        self._connect = connect
        self._scope = anyio.CancelScope()
        self._leaving = asyncio.Event()
        self._entered: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it was entered, and has not ended."""
        return self._task is not None and not self._task.done() and self._entered.done()

    @property
    def client(self) -> Client:
        """Once it is alive."""
        return self._entered.result()

    async def enter(self, timeout_s: float) -> None:
        """Connect. Raises LinkError (unreachable, timeout) with nothing left behind."""
        self._task = asyncio.create_task(self._live(), name="mcp-connection")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._entered)
        except TimeoutError:
            await self.leave()
            raise LinkError("timeout", f"it did not answer within {timeout_s:g} s") from None
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
        except Exception as error:  # noqa: BLE001 - the edge to a server that may fail in any way it likes
            if self._entered.done():
                log.debug("an MCP connection ended with %s", type(error).__name__)
            else:
                self._entered.set_exception(LinkError("unreachable", brief(error)))
        finally:
            if not self._entered.done():
                self._entered.set_exception(LinkError("unreachable", "the connection was given up"))


def brief(error: BaseException) -> str:
    """The innermost error of a group in one line, without trailing stop."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    line = (str(error).strip().splitlines() or [""])[0][:300].rstrip(".")
    return line or type(error).__name__

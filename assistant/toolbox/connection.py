"""The connection to our own MCP server. Whatever goes wrong comes out as ToolboxError within the time it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from assistant.errors import ToolboxError
from tools.mcp_link import Connector, Link, LinkError, brief

T = TypeVar("T")


class Connection:
    """Opens on first use and closes when told. ``connect`` makes a fresh client."""

    def __init__(self, connect: Connector, *, timeout_s: float, connect_timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._lock = asyncio.Lock()
        self._link: Link | None = None

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
            raise _broken("nonsense", f"answered {what} with something that is no MCP: {brief(error)}") from error

    async def open(self) -> Client:
        """The client, connecting if need be. Raises ToolboxError (unreachable, timeout)."""
        async with self._lock:
            if self._link is None or not self._link.alive:
                link = Link(self._connect)
                try:
                    await link.enter(self._connect_timeout_s)
                except LinkError as error:
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

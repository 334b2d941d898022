"""One outside MCP server's connection. Whatever the server does wrong comes out as OutsideError within the time that it
was given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from tools.breaker import Attempt, Breaker
from tools.mcp_link import Connector, Link, LinkError, brief
from tools.outside.errors import OutsideCode, OutsideError

T = TypeVar("T")

RETRY_AFTER_S = 5.0
"""The first rest of a server that failed: calls fail at once, so that a dead or hung server costs a turn nothing."""


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
        self._link: Link | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.breaker = Breaker(f"MCP server {name}", time.monotonic, rest_s=RETRY_AFTER_S)
        """Opened by one connect that failed, or by two calls that broke or were not answered."""
        self._failure = ""

    async def use(self, what: str, act: Callable[[Client], Awaitable[T]]) -> T:
        """Run ``act`` on the open client within ``timeout_s``.

        Raises OutsideError: unreachable, timeout, crashed, nonsense; and MCPError as it is when the server answered
        with an error of the protocol (only the caller knows what that means).
        """
        attempt = self.breaker.attempt()
        if attempt is None:
            raise OutsideError("unreachable", self._failure)
        with attempt:
            client = await self._open(attempt)
            try:
                answer = await self._answered(client, what, act)
            except MCPError:
                attempt.succeeded()  # it spoke, and knows the protocol
                raise
            except OutsideError as error:
                self._note(attempt, error)
                raise
            attempt.succeeded()
            return answer

    async def _answered(self, client: Client, what: str, act: Callable[[Client], Awaitable[T]]) -> T:
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
                f"The MCP server {self.name!r} answered {what} with something that is no MCP: {brief(error)}",
            ) from error

    async def _open(self, attempt: Attempt) -> Client:
        """The client, connecting if need be. Raises OutsideError (unreachable, timeout)."""
        async with self._lock:
            if self._link is not None and self._link.alive and not self._why():
                return self._link.client
            if not attempt.counts:  # another one tried while this one waited
                raise OutsideError("unreachable", self._failure)
            self._drop()
            link = Link(self._connect)
            try:
                await link.enter(self._connect_timeout_s)
            except LinkError as error:
                reason = self._why() or error.detail
                failure = OutsideError(error.code, f"The MCP server {self.name!r} cannot be used: {reason}.")
                self._note(attempt, failure, opens=True)
                raise failure from error
            self._link = link
            return link.client

    async def close(self) -> None:
        """Leave the client and wait until it is gone. Idempotent."""
        async with self._lock:
            self._drop()
            if self._closing:
                await asyncio.wait(self._closing)

    def _note(self, attempt: Attempt, error: OutsideError, *, opens: bool = False) -> None:
        if attempt.counts:
            self._failure = error.detail
        attempt.failed(opens=opens)

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

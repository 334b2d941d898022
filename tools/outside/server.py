"""One outside MCP server of the configuration: how to reach it, what it offers, and how it is."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import INVALID_PARAMS, CallToolResult

from tools.contract import JsonObject
from tools.mcp_link import list_tools
from tools.outside.connection import Connection
from tools.outside.errors import OutsideError
from tools.outside.http import bounded_http_client
from tools.outside.said import Offer, offered, printable
from tools.outside.stdio import BoundedStdio
from tools.settings_outside import McpServerSettings

log = logging.getLogger(__name__)

RETRY_AFTER_S = 60.0
"""A server that was down at start is tried again after so long, behind a turn's back."""

MAX_DETAIL_CHARACTERS = 300


class InvalidCallError(Exception):
    """The server does not take these arguments; the text says why, in its words, cleaned and cut."""


class OutsideServer:
    """It is told nothing but the arguments of a call."""

    def __init__(self, name: str, settings: McpServerSettings, connect_timeout_s: float) -> None:
        self.name = name
        self.settings = settings
        self.offers: tuple[Offer, ...] = ()
        self.left_out: tuple[str, ...] = ()
        self.failure = ""
        self._met = False
        self._tried_at = float("-inf")
        self._stdio: BoundedStdio | None = None
        self.connection = Connection(
            name,
            self._by_stdio if settings.command else self._by_http,
            timeout_s=settings.timeout_s,
            connect_timeout_s=min(connect_timeout_s, settings.timeout_s),
            why=lambda: self._stdio.ended if self._stdio else "",
        )

    @property
    def ok(self) -> bool:
        """It listed its tools, and the last call went well."""
        return self._met and not self.failure

    @property
    def wants_another_try(self) -> bool:
        """It was down at start, and that is a while ago."""
        return not self._met and time.monotonic() - self._tried_at > RETRY_AFTER_S

    async def meet(self, taken: Collection[str]) -> None:
        """List its tools and take those that may be offered; ``taken`` names are in use. A failure is only noted."""
        self._tried_at = time.monotonic()
        try:
            listed = await self.connection.use("the list of its tools", list_tools)
        except OutsideError as error:
            self.failure = error.detail
        except MCPError as error:
            self.failure = f"The MCP server {self.name!r} does not list its tools: {_cut(error.message)}"
        else:
            self.offers, self.left_out = offered(self.name, listed, self.settings, taken)
            self._met, self.failure = True, ""
        if self.failure:
            log.warning("%s", self.failure)

    async def call(self, tool: str, arguments: JsonObject) -> CallToolResult:
        """Its answer, good or bad. Raises OutsideError, InvalidCallError."""
        try:
            result = await self.connection.use(tool, lambda client: client.call_tool(tool, arguments))
        except MCPError as error:
            if error.code == INVALID_PARAMS:
                raise InvalidCallError(_cut(error.message)) from error
            detail = f"The MCP server {self.name!r} refused {tool}: {_cut(error.message)}"
            raise OutsideError("protocol_error", detail) from error
        except OutsideError as error:
            self.failure = error.detail
            raise
        self.failure = ""
        return result

    @asynccontextmanager
    async def _by_stdio(self) -> AsyncIterator[Client]:
        self._stdio = BoundedStdio(self.settings.command)
        async with Client(self._stdio, read_timeout_seconds=self.settings.timeout_s) as client:
            yield client

    @asynccontextmanager
    async def _by_http(self) -> AsyncIterator[Client]:
        file, timeout_s = self.settings.token_file, self.settings.timeout_s
        token = file.read_text(encoding="utf-8").strip() if file else None
        async with bounded_http_client(token, timeout_s) as http:
            transport = streamable_http_client(str(self.settings.url), http_client=http)
            async with Client(transport, read_timeout_seconds=timeout_s) as client:
                yield client


def _cut(text: str) -> str:
    return printable(text)[:MAX_DETAIL_CHARACTERS]

"""The toolbox: our own MCP server in process, and the outside ones of the configuration.

Our own server is told who asks, by which door and whether it was a question; outside servers are told nothing but the
arguments. A sick outside server is reported by :meth:`McpToolbox.health` and never stops the others.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp_types import INVALID_PARAMS, CallToolResult, TextResourceContents, Tool
from pydantic import ValidationError

from assistant.config import McpServerSettings
from assistant.errors import ToolboxError
from assistant.phrases import phrase
from assistant.ports import Names, ToolDescription
from assistant.toolbox.connection import Connection, Connector
from assistant.toolbox.http import bounded_http_client
from assistant.toolbox.outside import OutsideTool, offered, outcome_of, without_titles
from assistant.toolbox.stdio import BoundedStdio
from tools.contract import CALLER_META, NAMES_URI, Caller, CallOutcome, JsonObject

log = logging.getLogger(__name__)

OWN = "jarvis"
OWN_TIMEOUT_S = 120.0
"""Our tools keep their own, shorter deadlines; this only ends a call whose tool has a bug."""

CONNECT_TIMEOUT_S = 5.0
"""For an outside server at start; one that needs longer is tried again later."""

RETRY_OUTSIDE_AFTER_S = 60.0
MAX_LIST_PAGES = 20


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What `jarvis doctor` and `tools list` say about one server."""

    name: str
    ok: bool
    detail: str = ""
    tools: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Outside:
    """An outside server and what is known of it."""

    settings: McpServerSettings
    connection: Connection
    tools: tuple[OutsideTool, ...] | None = None
    left_out: tuple[str, ...] = ()
    failure: str = ""
    tried_at: float = field(default_factory=time.monotonic)


class McpToolbox:
    """Implements :class:`assistant.ports.Toolbox`; an async context manager.

    Entering raises ToolboxError when our own server cannot be used. The tools of an outside server are called
    ``<server>_<tool>``; only those that declare themselves read-only are offered.
    """

    def __init__(
        self,
        server: Server[Any] | MCPServer,
        outside: Mapping[str, McpServerSettings] | None = None,
        *,
        own_timeout_s: float = OWN_TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._own = Connection(
            OWN, lambda: Client(server), timeout_s=own_timeout_s, connect_timeout_s=connect_timeout_s, durable=True
        )
        self._own_tools: tuple[ToolDescription, ...] = ()
        self._outside = {
            name: _Outside(settings, _outside_connection(name, settings, connect_timeout_s))
            for name, settings in (outside or {}).items()
        }
        self._retries: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        try:
            listed = await self._own.use("the list of its tools", _list_tools)
        except MCPError as error:
            raise ToolboxError(
                "unreachable", f"Our own tool server does not list its tools: {error.message}"
            ) from error
        self._own_tools = tuple(_described(tool) for tool in listed)
        await asyncio.gather(*(self._meet(outside) for outside in self._outside.values()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        connections = [outside.connection for outside in self._outside.values()]
        await asyncio.gather(*(connection.close() for connection in (*connections, self._own)))

    async def tools(self) -> tuple[ToolDescription, ...]:
        """Our own first, in the server's order, then the outside ones by server and name: the same every turn.

        An outside server that was down is tried again behind the turn's back, at most once a minute.
        """
        for outside in self._outside.values():
            if outside.tools is None and time.monotonic() - outside.tried_at > RETRY_OUTSIDE_AFTER_S:
                outside.tried_at = time.monotonic()
                task = asyncio.create_task(self._meet(outside))
                self._retries.add(task)
                task.add_done_callback(self._retries.discard)
        return (*self._own_tools, *(tool.description for tool in self._outside_tools()))

    async def names(self) -> Names:
        """The live names, from the resource ``jarvis://names``. Raises ToolboxError."""
        try:
            resource = await self._own.use("the names", lambda client: client.read_resource(NAMES_URI))
        except MCPError as error:
            raise ToolboxError("no_names", f"Our own tool server gives no names: {error.message}") from error
        texts = [part.text for part in resource.contents if isinstance(part, TextResourceContents)]
        return _parse_names(texts[0] if texts else "")

    async def call(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        """Call a tool of ours or of an outside server; a refusal is an outcome.

        Raises ToolboxError when the server is sick: unreachable, timeout, crashed, nonsense, protocol_error.
        """
        if any(tool.name == name for tool in self._own_tools):
            return await self._call_own(name, arguments, caller)
        for tool in self._outside_tools():
            if tool.description.name == name:
                return await self._call_outside(tool, arguments)
        return CallOutcome(
            ok=False,
            spoken=phrase("unknown_tool"),
            tool=name,
            arguments=arguments,
            error="unknown_tool",
            detail=f"There is no tool {name!r}.",
        )

    def health(self) -> tuple[ServerHealth, ...]:
        """Our own server and each outside one: does it answer, what does it offer, what was left out and why."""
        own = ServerHealth(OWN, ok=bool(self._own_tools), tools=tuple(tool.name for tool in self._own_tools))
        return (
            own,
            *(
                ServerHealth(
                    name,
                    ok=outside.tools is not None and not outside.failure,
                    detail=outside.failure,
                    tools=tuple(tool.description.name for tool in outside.tools or ()),
                    left_out=outside.left_out,
                )
                for name, outside in self._outside.items()
            ),
        )

    def _outside_tools(self) -> tuple[OutsideTool, ...]:
        return tuple(tool for outside in self._outside.values() for tool in outside.tools or ())

    async def _meet(self, outside: _Outside) -> None:
        """List an outside server's tools and take those that may be offered; a failure is only noted."""
        try:
            listed = await outside.connection.use("the list of its tools", _list_tools)
        except ToolboxError as error:
            outside.failure = error.detail
        except MCPError as error:
            outside.failure = f"The MCP server {outside.connection.name!r} does not list its tools: {error.message}"
        else:
            taken = [tool.name for tool in self._own_tools]
            outside.tools, outside.left_out = offered(outside.connection.name, listed, outside.settings.tools, taken)
            outside.failure = ""
        if outside.failure:
            log.warning("%s", outside.failure)

    async def _call_own(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        meta: Any = {CALLER_META: caller.model_dump(mode="json")}
        try:
            result = await self._own.use(name, lambda client: client.call_tool(name, arguments, meta=meta))
        except MCPError as error:
            raise ToolboxError("protocol_error", f"Our own tool server refused {name}: {error.message}") from error
        try:
            return CallOutcome.model_validate(result.structured_content)
        except ValidationError as error:
            raise ToolboxError("nonsense", f"Our own tool {name} answered without an outcome.") from error

    async def _call_outside(self, tool: OutsideTool, arguments: JsonObject) -> CallOutcome:
        outside = self._outside[tool.server]
        started = time.perf_counter()
        result: CallToolResult
        try:
            result = await outside.connection.use(tool.tool, lambda client: client.call_tool(tool.tool, arguments))
        except MCPError as error:
            if error.code == INVALID_PARAMS:
                return CallOutcome(
                    ok=False,
                    spoken=phrase("unmendable_call"),
                    tool=tool.description.name,
                    arguments=arguments,
                    error="invalid_arguments",
                    detail=error.message[:300],
                )
            raise ToolboxError(
                "protocol_error", f"The MCP server {tool.server!r} refused {tool.tool}: {error.message[:300]}"
            ) from error
        except ToolboxError as error:
            outside.failure = error.detail
            raise
        outside.failure = ""
        return outcome_of(tool, arguments, result, (time.perf_counter() - started) * 1000)


async def _list_tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_LIST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _described(tool: Tool) -> ToolDescription:
    read_only = tool.annotations is not None and tool.annotations.read_only_hint is True
    return ToolDescription(tool.name, tool.description or "", without_titles(tool.input_schema), read_only)


def _parse_names(text: str) -> Names:
    try:
        by_kind = json.loads(text)
        return Names(
            {
                str(kind): {str(name): tuple(str(alias) for alias in aliases) for name, aliases in names.items()}
                for kind, names in by_kind.items()
            }
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise ToolboxError("nonsense", "Our own tool server's names are no JSON object of kinds and names.") from error


def _outside_connection(name: str, settings: McpServerSettings, connect_timeout_s: float) -> Connection:
    last: list[BoundedStdio] = []

    @asynccontextmanager
    async def by_stdio() -> AsyncIterator[Client]:
        last[:] = [BoundedStdio(settings.command)]
        async with Client(last[0], read_timeout_seconds=settings.timeout_s) as client:
            yield client

    @asynccontextmanager
    async def by_http() -> AsyncIterator[Client]:
        token = settings.token_file.read_text(encoding="utf-8").strip() if settings.token_file else None
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(bounded_http_client(token, settings.timeout_s))
            transport = streamable_http_client(str(settings.url), http_client=http)
            yield await stack.enter_async_context(Client(transport, read_timeout_seconds=settings.timeout_s))

    connect: Connector = by_stdio if settings.command else by_http
    return Connection(
        name,
        connect,
        timeout_s=settings.timeout_s,
        connect_timeout_s=min(connect_timeout_s, settings.timeout_s),
        why=lambda: last[0].ended if last else "",
    )

"""The toolbox: our own MCP server in process, and the outside ones of the configuration.

Our own server is told who asks, by which door and whether it was a question; outside servers are told nothing but the
arguments. A sick outside server is reported by :meth:`McpToolbox.health` and never stops the others.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from mcp import Client, MCPError
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp_types import TextResourceContents, Tool
from pydantic import ValidationError

from assistant.config import McpServerSettings
from assistant.errors import ToolboxError
from assistant.phrases import phrase
from assistant.ports import DeviceName, Names, ToolDescription
from assistant.toolbox.connection import Connection, list_tools
from assistant.toolbox.outside import without_titles
from assistant.toolbox.outside_server import OutsideServer
from tools.contract import CALLER_META, NAMES_URI, Caller, CallOutcome, JsonObject

log = logging.getLogger(__name__)

OWN = "jarvis"
OWN_TIMEOUT_S = 120.0
"""Our tools keep their own, shorter deadlines; this only ends a call whose tool has a bug."""

CONNECT_TIMEOUT_S = 5.0
"""For an outside server at start; one that needs longer is tried again later."""


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What `jarvis doctor` and `tools list` say about one server."""

    name: str
    ok: bool
    detail: str = ""
    tools: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


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
        self._outside = tuple(
            OutsideServer(name, settings, connect_timeout_s) for name, settings in (outside or {}).items()
        )
        self._retries: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[CallOutcome]] = set()

    async def __aenter__(self) -> Self:
        try:
            listed = await self._own.use("the list of its tools", list_tools)
        except MCPError as error:
            raise ToolboxError(
                "unreachable", f"Our own tool server does not list its tools: {error.message}"
            ) from error
        self._own_tools = tuple(_described(tool) for tool in listed)
        await asyncio.gather(*(server.meet(self._own_names()) for server in self._outside))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, *self._running, return_exceptions=True)
        connections = [server.connection for server in self._outside]
        await asyncio.gather(*(connection.close() for connection in (*connections, self._own)))

    async def tools(self) -> tuple[ToolDescription, ...]:
        """Our own first, in the server's order, then the outside ones by server and name: the same every turn.

        An outside server that was down is tried again behind the turn's back, at most once a minute.
        """
        for server in self._outside:
            if server.wants_another_try and not self._retries:
                task = asyncio.create_task(server.meet(self._own_names()))
                self._retries.add(task)
                task.add_done_callback(self._retries.discard)
        return (*self._own_tools, *(tool.description for server in self._outside for tool in server.tools))

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

        A tool that runs is not cut off: when the turn is interrupted, it ends unheard. Raises ToolboxError when the
        server is sick: unreachable, timeout, crashed, nonsense, protocol_error.
        """
        running = asyncio.create_task(self._call(name, arguments, caller))
        self._running.add(running)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, running: asyncio.Task[CallOutcome]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()  # nobody may be left to hear of it

    async def _call(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        if name in self._own_names():
            return await self._call_own(name, arguments, caller)
        for server in self._outside:
            for tool in server.tools:
                if tool.description.name == name:
                    return await server.call(tool, arguments)
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
        own = ServerHealth(OWN, ok=bool(self._own_tools), tools=self._own_names())
        others = (
            ServerHealth(
                server.name,
                ok=server.ok,
                detail=server.failure,
                tools=tuple(tool.description.name for tool in server.tools),
                left_out=server.left_out,
            )
            for server in self._outside
        )
        return (own, *others)

    def _own_names(self) -> tuple[str, ...]:
        return tuple(tool.name for tool in self._own_tools)

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


def _described(tool: Tool) -> ToolDescription:
    read_only = tool.annotations is not None and tool.annotations.read_only_hint is True
    return ToolDescription(tool.name, tool.description or "", without_titles(tool.input_schema), read_only)


def _parse_names(text: str) -> Names:
    try:
        by_kind = json.loads(text)
        devices = by_kind.pop("devices", [])
        return Names(
            {
                str(kind): {str(name): tuple(str(alias) for alias in aliases) for name, aliases in names.items()}
                for kind, names in by_kind.items()
            },
            tuple(DeviceName(str(name), str(area), str(kind)) for name, area, kind in devices),
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise ToolboxError("nonsense", "Our own tool server's names are no JSON object of kinds and names.") from error

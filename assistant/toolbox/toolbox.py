"""The toolbox: our own MCP server in process. Tools of outside servers are among its own.

It is told who asks, by which door and whether it was a question, and decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
from types import TracebackType
from typing import Any, Self

from mcp import Client, MCPError
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp_types import TextResourceContents, Tool
from pydantic import ValidationError

from assistant.errors import ToolboxError
from assistant.outside_servers import OutsideHealth, outside_health
from assistant.ports import DeviceName, Names, ToolDescription
from assistant.toolbox.connection import Connection
from tools.contract import CALLER_META, NAMES_URI, OUTSIDE_URI, Caller, CallOutcome, JsonObject
from tools.mcp_link import list_tools

log = logging.getLogger(__name__)

OWN_TIMEOUT_S = 120.0
"""Our tools keep their own, shorter deadlines; this only ends a call whose tool has a bug."""

CONNECT_TIMEOUT_S = 5.0


class McpToolbox:
    """Implements :class:`assistant.ports.Toolbox`; an async context manager.

    Entering raises ToolboxError when our own server cannot be used.
    """

    def __init__(
        self,
        server: Server[Any] | MCPServer,
        *,
        own_timeout_s: float = OWN_TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._own = Connection(lambda: Client(server), timeout_s=own_timeout_s, connect_timeout_s=connect_timeout_s)
        self._running: set[asyncio.Task[CallOutcome]] = set()

    async def __aenter__(self) -> Self:
        await self.tools()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._own.close()

    async def tools(self) -> tuple[ToolDescription, ...]:
        """Our own first, in the server's order, then those of outside servers by server and name: the same every turn,
        as long as the same servers are well. Raises ToolboxError."""
        try:
            listed = await self._own.use("the list of its tools", list_tools)
        except MCPError as error:
            detail = f"Our own tool server does not list its tools: {error.message}"
            raise ToolboxError("unreachable", detail) from error
        return tuple(_described(tool) for tool in listed)

    async def names(self) -> Names:
        """The live names, from the resource ``jarvis://names``. Raises ToolboxError."""
        return _parse_names(await self._resource(NAMES_URI))

    async def outside(self) -> OutsideHealth:
        """How the outside servers are, from the resource ``jarvis://outside``. Raises ToolboxError."""
        return outside_health(await self._resource(OUTSIDE_URI))

    async def call(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        """Call a tool of ours or of an outside server; a refusal is an outcome.

        A tool that runs is not cut off: when the turn is interrupted, it ends unheard. Raises ToolboxError when our own
        server is sick: unreachable, timeout, crashed, nonsense, protocol_error.
        """
        running = asyncio.create_task(self._call_own(name, arguments, caller))
        self._running.add(running)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, running: asyncio.Task[CallOutcome]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()  # nobody may be left to hear of it

    async def _resource(self, uri: str) -> str:
        try:
            resource = await self._own.use("a resource", lambda client: client.read_resource(uri))
        except MCPError as error:
            raise ToolboxError("no_names", f"Our own tool server does not give {uri}: {error.message}") from error
        texts = [part.text for part in resource.contents if isinstance(part, TextResourceContents)]
        return texts[0] if texts else ""

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
    return ToolDescription(tool.name, tool.description or "", tool.input_schema, read_only)


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

"""A small MCP server of the shape of ours, in process: answers with outcomes and remembers who called."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)

from tools.contract import CALLER_META, NAMES_URI, CallOutcome, Level, ToolResult

SCHEMA = {
    "title": "check_servicesArguments",
    "type": "object",
    "properties": {"service": {"title": "Service", "type": "string"}, "title": {"title": "Title", "type": "string"}},
}
"""As pydantic writes them: with titles, and a property that is really called title."""


@dataclass
class OwnServer:
    names: object = field(default_factory=lambda: {"service": {"gitea": ["git"]}, "job": {"photos": []}})
    structured: dict[str, Any] | None = None
    callers: list[Any] = field(default_factory=list)

    def build(self) -> Server[Any]:
        return Server("jarvis", on_list_tools=self._list, on_call_tool=self._call, on_read_resource=self._read)

    async def _list(self, _ctx: ServerRequestContext[Any], _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(
            tools=[
                Tool(
                    name=name,
                    description="Tells.",
                    input_schema=SCHEMA,
                    annotations=ToolAnnotations(read_only_hint=True),
                )
                for name in ("check_services", "check_backups")
            ]
        )

    async def _call(self, ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        self.callers.append((ctx.meta or {}).get(CALLER_META))
        outcome = CallOutcome(
            ok=True,
            spoken="Gitea is up.",
            tool=params.name,
            arguments={"service": "gitea"},
            level=Level.READ,
            result=ToolResult(spoken="Gitea is up.", data={"state": "up"}),
        )
        structured = outcome.model_dump(mode="json") if self.structured is None else self.structured
        return CallToolResult(content=[TextContent(text=outcome.spoken)], structured_content=structured)

    async def _read(self, _ctx: ServerRequestContext[Any], params: ReadResourceRequestParams) -> ReadResourceResult:
        assert params.uri == NAMES_URI
        return ReadResourceResult(contents=[TextResourceContents(uri=NAMES_URI, text=json.dumps(self.names))])

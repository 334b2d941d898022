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

from tools.contract import CALLER_META, NAMES_URI, OUTSIDE_URI, CallOutcome, Level, ToolResult

SCHEMA = {
    "type": "object",
    "properties": {"service": {"type": "string"}, "title": {"type": "string"}},
}


@dataclass
class OwnServer:
    names: object = field(default_factory=lambda: {"service": {"gitea": ["git"]}, "job": {"photos": []}})
    outside: object = None
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
        told = {NAMES_URI: self.names, OUTSIDE_URI: self.outside}[str(params.uri)]
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, text=json.dumps(told))])

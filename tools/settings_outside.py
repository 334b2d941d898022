"""Settings of outside MCP servers, whose tools are added to ours. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from tools.contract import Level
from tools.settings_base import Frozen

ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
ToolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class McpServerSettings(Frozen):
    """``[mcp_servers.NAME]``: an outside MCP server whose tools are added."""

    command: tuple[str, ...] = Field(default=(), description="stdio server: program and arguments.")
    url: str | None = Field(default=None, description="Streamable HTTP server.")
    token_file: Path | None = Field(default=None, description="Bearer token for the URL.")
    tools: tuple[str, ...] = Field(default=(), description="Only these tools; empty: all it lists.")
    levels: dict[str, Level] = Field(
        default_factory=dict,
        description="How much a tool can change, by its name there: read, operate or destructive. What is not said is "
        "destructive: each call is asked back.",
    )
    believe_hints: bool = Field(
        default=False, description="Take what says of itself that it only reads for read, where levels says nothing."
    )
    rename: dict[str, ToolName] = Field(
        default_factory=dict, description="What a tool is called here, by its name there; else NAME_tool."
    )
    describe: dict[str, str] = Field(
        default_factory=dict, description="Shorter descriptions, by the tool's name there: models read them each time."
    )
    timeout_s: float = Field(default=20.0, gt=0, le=300, description="Seconds a call may take.")

    @model_validator(mode="after")
    def _one_way_in(self) -> McpServerSettings:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either `command` (stdio) or `url` (HTTP), not both and not neither")
        if len(set(self.rename.values())) < len(self.rename):
            raise ValueError("rename gives two tools the same name")
        return self

"""The tools, reached over MCP: our own server in process and outside ones by configuration."""

from assistant.toolbox.toolbox import McpToolbox, ServerHealth

__all__ = ["McpToolbox", "ServerHealth"]

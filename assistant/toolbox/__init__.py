"""The tools, reached over MCP: our own server in process, with the tools of outside ones in it."""

from assistant.toolbox.toolbox import McpToolbox

__all__ = ["McpToolbox"]

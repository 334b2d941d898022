"""An outside MCP server with two tools, one of which acts: `python notes_server.py FILE [PORT]`.

Over stdio without a port, else over streamable HTTP on the loopback interface. Its pages are the lines of FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("notes")
FILE = Path(sys.argv[1])


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def search(words: str) -> str:
    """Search all pages for words, and give back the lines in which they stand, one after the other."""
    return "\n".join(line for line in FILE.read_text().splitlines() if words in line) or "nothing"


@server.tool()
def add_page(text: str) -> str:
    """Add a page."""
    with FILE.open("a") as file:
        file.write(text + "\n")
    return f"added {text}"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
    else:
        server.run()

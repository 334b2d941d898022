"""A small MCP server over stdio, without a library so that it starts at once, whose tools fail as real ones do."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

TOOLS = ("forecast", "hangs", "crashes", "floods", "babbles")


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The result of one request."""
    if asked["method"] == "initialize":
        version = asked["params"]["protocolVersion"]
        return {
            "protocolVersion": version,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "weather", "version": "1"},
        }
    if asked["method"] == "tools/list":
        shape = {"type": "object", "properties": {}}
        tools = [{"name": name, "description": f"It {name}.", "inputSchema": shape} for name in TOOLS]
        return {"tools": [{**tool, "annotations": {"readOnlyHint": True}} for tool in tools]}
    if asked["method"] == "tools/call":
        return {"content": [{"type": "text", "text": call(asked["params"]["name"])}]}
    return {}


def call(name: str) -> str:
    """What the tool says, where it says something."""
    while name == "hangs":
        time.sleep(60)
    if name == "crashes":
        os._exit(7)
    while name == "floods":
        os.write(1, b"x" * 65536)
    while name == "babbles":
        os.write(1, b"hello?\n")
    return "Sunny."


def main() -> None:
    """Until standard input closes."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            told = {"jsonrpc": "2.0", "id": asked["id"], "result": answer(asked)}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

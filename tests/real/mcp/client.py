"""Our client of outside servers as the program that the conformance suite starts: ``… client.py URL``.

It does what the house does with such a server: lists its tools, and calls them. The suite says in
``MCP_CONFORMANCE_CONTEXT`` which calls it wants to see, where it wants particular ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from tools.outside.errors import OutsideError
from tools.outside.server import InvalidCallError, OutsideServer
from tools.settings_outside import McpServerSettings

PATIENCE_S = 60.0
"""A whole suite of these runs at once."""

ARGUMENTS: dict[str, dict[str, Any]] = {"add_numbers": {"a": 5, "b": 3}}
"""Of tools whose scenario looks at them; others are called without any."""


async def visit(url: str) -> None:
    """Raises SystemExit with the reason where the server cannot be used."""
    server = OutsideServer(
        "conformance", McpServerSettings.model_validate({"url": url, "timeout_s": PATIENCE_S}), PATIENCE_S
    )
    try:
        await server.meet(())
        if not server.ok:
            raise SystemExit(server.failure)
        for tool, arguments in calls(server):
            try:
                await server.call(tool, arguments)
            except (OutsideError, InvalidCallError) as error:
                sys.stderr.write(f"{tool}: {error}\n")
    finally:
        await server.connection.close()


def calls(server: OutsideServer) -> list[tuple[str, dict[str, Any]]]:
    """What the scenario asks for, else every tool that is offered; one is told the schema of another, as we got it."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    offered = [offer.tool for offer in server.offers]
    if "toolCalls" in context:
        return [(call["name"], call.get("arguments", {})) for call in context["toolCalls"] if call["name"] in offered]
    schemas = {offer.tool: offer.input_schema for offer in server.offers}
    echo = {"schema": schemas.get("json_schema_2020_12_tool", {})}
    return [(tool, echo if tool == "json_schema_echo" else ARGUMENTS.get(tool, {})) for tool in offered]


if __name__ == "__main__":
    asyncio.run(visit(sys.argv[1]))

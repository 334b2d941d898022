"""The tools alone as an MCP server over stdio: ``python -m tools --settings FILE.json --state DIR``.

The settings are ToolSettings as JSON. `jarvis mcp` is the command for people; this one needs no assistant.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from mcp.server.stdio import stdio_server
from pydantic import ValidationError

from tools.server import ToolHouse, mcp_server
from tools.settings import ToolSettings
from tools.store import StoreError


async def serve_stdio(settings: ToolSettings, state_dir: Path) -> None:
    """Serve until standard input closes."""
    with ToolHouse(settings, state_dir) as house:
        server = mcp_server(house, trust_caller=False)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


def main() -> int:
    """Exit code 0, or 3 when the settings or the state folder cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="ToolSettings as JSON")
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        settings = ToolSettings.model_validate_json(options.settings.read_bytes())
        asyncio.run(serve_stdio(settings, options.state))
    except (OSError, ValidationError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())

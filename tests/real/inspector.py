"""The MCP Inspector, a program of the protocol's makers, as an outside client."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / ".real" / "node_modules" / ".bin" / "mcp-inspector"
_TIMEOUT_S = 60


class Inspector:
    """Runs the Inspector's command line; ``home`` is a folder of its own for what it wants to remember."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def over_stdio(self, command: list[str], method: str, *options: str) -> Any:
        """Start ``command`` as an MCP server and call one method; the JSON that came back."""
        config = self._home / "config.json"
        server = {"command": command[0], "args": command[1:], "cwd": str(ROOT)}
        config.write_text(json.dumps({"mcpServers": {"jarvis": server}}))
        return self._run("--config", str(config), "--server", "jarvis", "--method", method, *options)

    def over_http(self, url: str, method: str, *options: str) -> Any:
        """Call one method of the server at ``url`` (streamable HTTP); the JSON that came back."""
        return self._run("--server-url", url, "--transport", "http", "--method", method, *options)

    def _run(self, *options: str) -> Any:
        node = ROOT / ".real" / "python" / "bin"
        done = subprocess.run(
            [PROGRAM, "--cli", *options],
            env={
                "HOME": str(self._home),
                "MCP_INSPECTOR_SECRET_STORE": "memory",
                "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

"""How long a list of the tools takes: ``python -m tests.real.mcp.listing`` measures it over loopback HTTP.

Against ``jarvis serve`` with its sixteen tools, alone and with a Home Assistant and an outside server that take
connections and never say a word. Open WebUI lists the tools at every chat request.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.serving import serving

TIMES = 200
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/list",
}
ABOUT = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "measure", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
ASKED = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": ABOUT}}


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as bound:
        yield bound.getsockname()[1]


def cpu_s(pid: int) -> float:
    """Processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(configuration: str) -> tuple[list[float], float]:
    """Milliseconds of each list, on one connection, after ten that are not counted; and the server's own processor time
    for one, which does not depend on what else the machine does."""
    taken: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), configuration) as served,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        used_s = 0.0
        for number in range(TIMES + 10):
            if number == 10:
                used_s = cpu_s(served.process.pid)
            started = time.perf_counter()
            answer = client.post(f"{served.url}/mcp", json=ASKED, headers=HEADERS)
            taken.append((time.perf_counter() - started) * 1000)
            if not answer.is_success or len(answer.json()["result"]["tools"]) != 16:
                raise SystemExit(f"not sixteen tools: {answer.text[:300]}")
        used_s = cpu_s(served.process.pid) - used_s
    return sorted(taken[10:]), used_s / TIMES * 1000


def main() -> None:
    """Print both."""
    plain = 'engine = "sentences"\n'
    with silent() as port, tempfile.NamedTemporaryFile("w") as token:
        token.write("x")
        token.flush()
        hanging = f"""{plain}
[home_assistant]
url = "http://127.0.0.1:{port}/"
token_file = "{token.name}"
[mcp_servers.notes]
url = "http://127.0.0.1:{port}/mcp"
timeout_s = 1
"""
        for what, configuration in (("alone", plain), ("Home Assistant and an outside server hang", hanging)):
            taken, cpu_ms = measure(configuration)
            median, p95 = statistics.median(taken), taken[int(len(taken) * 0.95)]
            sys.stdout.write(f"{what}: median {median:.1f} ms, p95 {p95:.1f} ms, processor {cpu_ms:.1f} ms a list\n")


if __name__ == "__main__":
    main()

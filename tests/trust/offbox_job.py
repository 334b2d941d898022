"""The main job under strace, inside whatever network there is: run by ``tests.trust.offbox`` in a namespace of its own.

Argument: a folder. ``strace`` writes into it what every process did with sockets; what was answered is printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.serving import announced

ROOT = Path(__file__).resolve().parents[2]
FOR_THE_MODEL = "tell me a joke about servers"
"""No sentence template and no signal answers it: a server is looked for, and the embedded model is asked."""

CLIP = ROOT / "audio_fixtures" / "hey_jarvis_is_the_backup_ok.wav"
WAIT_S = 240.0


def traced(folder: Path, name: str, *arguments: str) -> list[str]:
    """The command line of jarvis under strace; ``--seccomp-bpf``: only what is traced is slower."""
    trace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=network", "-o", str(folder / f"{name}.strace")]
    return [*trace, sys.executable, "-m", "assistant", *arguments]


def asked(folder: Path, name: str, *words: str) -> str:
    """The main job from the command line."""
    command = traced(folder, name, "ask", *words, "--json")
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=WAIT_S)
    try:
        return str(json.loads(done.stdout)["reply"])
    except (ValueError, KeyError):
        return f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"


async def from_doors(url: str) -> dict[str, str]:
    """Text, a wav and MCP, from outside the process."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_S) as http:
        text = (await http.post("/command", json={"text": "is the backup ok?"})).json()
        sound = CLIP.read_bytes()
        clip = (await http.post("/command", content=sound, headers={"Content-Type": "audio/wav"})).json()
        async with Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client:
            result = await client.call_tool("check_backups", {})
    return {"text": text["reply"], "wav": clip["reply"], "mcp": cast(Any, result.content[0]).text}


def served(folder: Path) -> dict[str, str]:
    """What `jarvis serve` answers at its doors."""
    server = subprocess.Popen(
        traced(folder, "serve", "serve", "--port", "0"),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        return asyncio.run(from_doors(announced(server)))
    finally:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
        for child in children:  # strace's only one is jarvis
            os.kill(int(child), signal.SIGTERM)
        server.communicate(timeout=60)


def main() -> None:
    """Everything, one after another; what was answered as JSON on standard output."""
    folder = Path(sys.argv[1])
    answers = {
        "clip": asked(folder, "clip", str(CLIP), "--speak", str(folder / "said.wav")),
        "model": asked(folder, "model", FOR_THE_MODEL, "--engine", "model", "--small"),
        **served(folder),
    }
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()

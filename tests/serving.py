"""A real ``jarvis serve`` in a process of its own, for tests that come from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 120


@dataclass(frozen=True)
class Served:
    """A server that answers at ``url``; ``environment`` makes commands find the same house."""

    url: str
    environment: dict[str, str]
    process: subprocess.Popen[str]


@contextmanager
def serving(folder: Path, configuration: str, *, options: Sequence[str] = (), **more: str) -> Iterator[Served]:
    """Start it on a free port with that jarvis.toml, and end it as a service manager would.

    ``options`` go to ``jarvis serve``, ``more`` into its environment.
    """
    config = folder / "jarvis.toml"
    config.write_text(configuration, encoding="utf-8")
    environment = {**os.environ, "JARVIS_CONFIG": str(config), "JARVIS_STATE": str(folder / "state"), **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "serve", "--port", "0", *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(announced(process), environment, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def announced(process: subprocess.Popen[str]) -> str:
    """The URL that the server says on standard error once it listens."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("Jarvis serves "):
            return line.split()[2].removesuffix("/command")
    raise AssertionError(f"jarvis serve ended with {process.wait()}: {''.join(said)}")


def jarvis(*arguments: str, environment: dict[str, str] | None = None, timeout: float = 120) -> Any:
    """Run a command with --json; what it printed, decoded."""
    done = subprocess.run(
        [sys.executable, "-m", "assistant", *arguments, "--json"],
        env=environment or dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)

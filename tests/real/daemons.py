"""Outside programs that listen on loopback for the time of a test."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 10.0


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def need(program: str | Path, package: str) -> str:
    """Path of a program of a Debian package; the test fails where it is not installed."""
    for folder in ("/usr/bin", "/usr/sbin", "/lib/nut", "/usr/local/bin"):
        found = Path(folder) / program
        if found.exists():
            return str(found)
    pytest.fail(f"{program} is not installed: run `deploy/setup.sh real`, or install {package}.", pytrace=False)


@contextmanager
def daemon(
    command: Sequence[object], log: Path, port: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, from when it listens on that port of 127.0.0.1; it is ended with the context."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, "HOME": str(log.parent), **(environment or {})},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        if port is not None:
            _wait_until_listening(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    pytest.fail(f"{process.args!r} does not listen on port {port}:\n{tail}", pytrace=False)

"""A real systemd for the tests that need one: Debian's, booted by systemd-nspawn in a root of its own.

The root is made by deploy/real.sh and only read: what the booted system writes goes into memory and ends with it. It
has its own processes, network and mounts, and nothing of the machine's.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / ".real" / "systemd"
START_TIMEOUT_S = 90.0
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid")


@dataclass(frozen=True)
class Machine:
    """``leader``: process id, here, of its systemd."""

    leader: int

    def argv(self, *command: str) -> list[str]:
        """A command inside of it."""
        return ["nsenter", f"--target={self.leader}", *NAMESPACES, *command]

    def run(self, *command: str, text: str = "") -> str:
        """Its output. Raises CalledProcessError."""
        ended = subprocess.run(self.argv(*command), input=text, capture_output=True, text=True, check=True, timeout=30)
        return ended.stdout

    def service(self, name: str, command: str, more: str = "") -> None:
        """A unit that runs a shell command, known and not started."""
        unit = f"[Unit]\nDescription={name}\n[Service]\nExecStart=/bin/sh -c '{command}'\n{more}\n"
        self.run("sh", "-c", f"cat >/etc/systemd/system/{name}.service", text=unit)
        self.run("systemctl", "daemon-reload")


@contextmanager
def machine(log: Path, *more: str) -> Iterator[Machine]:
    """Booted, until its system is running; ``more``: options of systemd-nspawn."""
    if not (ROOT / "usr" / "lib" / "systemd" / "systemd").exists():
        pytest.fail("There is no systemd in .real/systemd: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    if os.geteuid() != 0:
        pytest.fail("A systemd has to be booted by root: run these tests as root.", pytrace=False)
    command = [
        *("systemd-nspawn", "--quiet", "--boot", f"--directory={ROOT}", "--volatile=overlay", "--register=no"),
        *("--keep-unit", "--private-network", "--link-journal=no", "--timezone=off", "--resolv-conf=off"),
        "--console=pipe",
        *more,
    ]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
    try:
        yield Machine(_booted(process, log))
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _booted(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in map(int, children):
            ended = subprocess.run(
                Machine(child).argv("systemctl", "is-system-running"), capture_output=True, text=True, check=False
            )
            if ended.stdout.strip() in ("running", "degraded"):
                return child
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    pytest.fail(f"systemd does not boot:\n{tail}", pytrace=False)

"""Which process does a job: known again after any restart, and what it started found after it was killed.

A process id alone is given again sooner or later; together with the moment the process began and the boot of the
machine it is not. Read from ``/proc`` on Linux, from ``ps`` elsewhere.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "JARVIS_JOB"
"""Environment variable of a worker and of every program below it: the id of the job."""

ENDING_S = 5.0
"""Seconds that killed processes get to be gone; what waits for a dead disk stays longer."""

_PROC = Path("/proc")
_BEGAN = 22 - 4
"""Where the start time stands behind the state: of the fields of proc_pid_stat(5) the state is the 3rd, it the 22nd."""


def identity(pid: int | None = None) -> str | None:
    """What tells this process (our own, where none is named) from every other; None when it is not running.

    One that has ended and was not waited for is not running.
    """
    number = os.getpid() if pid is None else pid
    began = _began_linux(number) if _PROC.joinpath("self").exists() else _began_elsewhere(number)
    return f"{number} {began}" if began else None


def is_running(known: str | None) -> bool:
    """Whether the process of that identity still runs."""
    number = (known or "").partition(" ")[0]
    return number.isdecimal() and int(number) > 0 and identity(int(number)) == known


def end_marked(job_id: str) -> int:
    """Kill every process that carries a job's mark, but for us; how many there were. Waits until they are gone.

    For a job whose worker is gone: its programs run in groups of their own, and would go on for hours.
    Linux only; elsewhere nothing is found.
    """
    ended: set[int] = set()
    deadline = time.monotonic() + ENDING_S
    while found := [pid for pid in _marked(job_id) if pid != os.getpid()]:  # again: one may have started another
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended.update(found)
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return len(ended)


def _began_linux(pid: int) -> str:
    """Ticks since the boot at which it began, and that boot; empty when it does not run."""
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text(errors="replace")
        boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()  # the name in front may hold spaces and brackets
    return "" if state in "ZXx" or len(rest) <= _BEGAN else f"{rest[_BEGAN]} {boot}"


def _began_elsewhere(pid: int) -> str:
    """Date and time at which it began; empty when it does not run."""
    try:
        told = subprocess.run(
            ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if len(told) < 2 or told[0].startswith("Z") else "_".join(told[1:])


def _marked(job_id: str) -> Iterator[int]:
    wanted = f"{MARK}={job_id}".encode()
    for environment in _PROC.glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile, or is somebody else's
            if wanted in environment.read_bytes().split(b"\0"):
                yield int(environment.parent.name)

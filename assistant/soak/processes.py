"""What a process and its children hold, read from ``/proc`` (proc(5)). Linux only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ConfigError

PROC = Path("/proc")
NANOSECONDS = 1e9
LISTENING = "0A"
"""The state of a socket in /proc/net/tcp."""


@dataclass(frozen=True, slots=True)
class Held:
    """Of a process and all below it. ``pss_mb``: with shared pages by share; ``rss_mb``: of the process alone;
    ``cpu_s``: processor time used by the threads that live, and by children that have ended; ``waited_s``: time that
    these threads were ready to run and had no processor."""

    pss_mb: float
    rss_mb: float
    handles: int
    sockets: int
    threads: int
    children: int
    cpu_s: float
    waited_s: float


def held(pid: int) -> Held:
    """As of now. Raises ProcessLookupError where it has ended."""
    family = [pid, *_below(pid)]
    if not (PROC / str(pid)).exists():
        raise ProcessLookupError(f"process {pid} has ended")
    handles = [handle for one in family for handle in _handles(one)]
    times = [_times(one) for one in family]
    return Held(
        pss_mb=sum(_memory(one, "smaps_rollup", "Pss:") for one in family),
        rss_mb=_memory(pid, "status", "VmRSS:"),
        handles=len(handles),
        sockets=sum(handle.startswith("socket:") for handle in handles),
        threads=sum(len(_listed(PROC / str(one) / "task")) for one in family),
        children=len(family) - 1,
        cpu_s=sum(cpu for cpu, _ in times),
        waited_s=sum(waited for _, waited in times),
    )


def check_here() -> None:
    """Raises ConfigError no_proc."""
    if not sys.platform.startswith("linux"):
        raise ConfigError("no_proc", "What the server holds is read from /proc.", mend="Run the soak on Linux.")


def busy_s() -> float:
    """Processor time that all of this machine has used since it started, without what stood still or was stolen."""
    fields = [int(field) for field in (PROC / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _waiting, irq, softirq, _stolen = fields
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def folder_bytes(folder: Path) -> int:
    """What the files below it take up on the disk."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue  # a journal that was there a moment ago
    return total


def listener(port: int) -> int:
    """The process of this user that listens on that loopback port. Raises ConfigError no_process."""
    listening = (line for line in _tcp() if line[3] == LISTENING and int(line[1].rpartition(":")[2], 16) == port)
    wanted = {f"socket:[{line[9]}]" for line in listening}
    for entry in _listed(PROC):
        if entry.isdecimal() and wanted.intersection(_handles(int(entry))):
            return int(entry)
    mend = "Run the soak on the server's own machine, as the same user."
    raise ConfigError("no_process", f"No process that can be looked into listens on port {port}.", mend=mend)


def _tcp() -> Iterator[list[str]]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        yield from (line.split() for line in lines)


def _below(pid: int) -> list[int]:
    """Children, their children, and so on."""
    found = []
    for task in _listed(PROC / str(pid) / "task"):
        for child in _read(PROC / str(pid) / "task" / task / "children").split():
            found += [int(child), *_below(int(child))]
    return found


def _handles(pid: int) -> list[str]:
    """What each open handle leads to."""
    folder = PROC / str(pid) / "fd"
    found = []
    for name in _listed(folder):
        try:
            found.append(str((folder / name).readlink()))
        except OSError:
            continue
    return found


def _times(pid: int) -> tuple[float, float]:
    """Seconds used and seconds waited. The scheduler's own figures (schedstat) are in nanoseconds; those of threads and
    children that have ended are in stat only, in ticks."""
    used = waited = 0.0
    for task in _listed(PROC / str(pid) / "task"):
        figures = _read(PROC / str(pid) / "task" / task / "schedstat").split()
        if len(figures) >= 2:
            used, waited = used + int(figures[0]) / NANOSECONDS, waited + int(figures[1]) / NANOSECONDS
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    if len(fields) < 15:
        return used, waited
    tick = os.sysconf("SC_CLK_TCK")
    whole = (int(fields[11]) + int(fields[12])) / tick  # all threads, those that ended too
    ended_children = (int(fields[13]) + int(fields[14])) / tick
    return max(used, whole) + ended_children, waited


def _memory(pid: int, file: str, key: str) -> float:
    """A line in kB (1,024 bytes), in MB; 0 for a process that has ended."""
    for line in _read(PROC / str(pid) / file).splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _listed(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []

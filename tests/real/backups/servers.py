"""Database servers that an adapter started for a proof: none may be left."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

LEFT_WITHIN_S = 10.0


def running() -> list[str]:
    """Command lines of processes that know a socket folder of this process."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            argv = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f"jarvis-of-database-{os.getpid()}-" in argv:
                found.append(argv)
    return found


def nothing_left(scratch: Path) -> bool:
    """Whether a proof has left neither a file nor a server behind."""
    return not list(scratch.iterdir()) and not running() and not temporary()


def temporary() -> list[Path]:
    """Folders for sockets and passwords that this process has."""
    return list(Path(tempfile.gettempdir()).glob(f"jarvis-of-*-{os.getpid()}-*"))


def listing(folder: str | Path | None) -> list[str]:
    """The names in a folder."""
    return sorted(path.name for path in Path(folder or "").iterdir())


def let_through(folder: str) -> Path:
    """A folder that any user may pass."""
    Path(folder).chmod(0o711)
    return Path(folder)


def gone(pid: int) -> bool:
    """Whether a process that nobody waits for any more ended within LEFT_WITHIN_S."""
    until = time.monotonic() + LEFT_WITHIN_S
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False

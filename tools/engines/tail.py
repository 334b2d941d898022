"""The end of a log file, however large it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 2**20
"""Of the file's end that is read."""

MAX_LINE = 8_192
"""Characters of a line that are kept."""


def tail(path: Path, lines: int, max_bytes: int = MAX_BYTES) -> list[str]:
    """Its last so many lines, oldest first, of the last ``max_bytes``; a line that begins before those is left out.

    Links are followed. Raises OSError, also for what is no file: a pipe would never end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is no file")
        begin = max(found.st_size - max_bytes, 0)
        file.seek(begin)
        data = file.read(max_bytes)
    if begin and b"\n" in data[:-1]:
        data = data[data.index(b"\n") + 1 :]
    return [line[:MAX_LINE] for line in data.decode(errors="replace").splitlines()[-lines:]]

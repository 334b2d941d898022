"""Restored files against the files they were made of, byte by byte.

A source is compared where it is unchanged since the copy began, by both its times: a file that was copied over may
bring an old mtime along, and no program sets a ctime. What was restored is looked at without following a link.

Nothing is read while the program restores: it has the processor to itself, and both files are still in the page cache
when it is done. Holding them against each other costs a fraction of two hashes.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from tools.backups.port import Entry

THREADS = min(os.cpu_count() or 1, 4)
PIECE_BYTES = 1 << 20
CLOCK_STEP_S = 0.02
"""A file's times come from a clock that lags by up to a tick of the kernel: 10 ms at 100 Hz, doubled."""


class StoppedError(Exception):
    """The comparison was called off."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A file of the copy, where it was restored to, and the source; None where there is none to compare with."""

    entry: Entry
    restored: Path
    source: Path | None


@dataclass(slots=True)
class Comparison:
    """What came back (``restored``), how many of these were compared, and what is wrong, by path; ``left``: what came
    back whole and could not be compared, because its source is gone, changed, no plain file, or not to be read, which
    is no fault of the backup."""

    restored: int = 0
    compared: int = 0
    mismatches: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def comparable(pair: Pair, copy_at: float) -> bool:
    """Whether the source is there, and was not changed since the copy began (Unix time). Blocks."""
    try:
        return pair.source is not None and _unchanged(pair.source.lstat(), copy_at)
    except OSError:
        return False


def compare(pairs: Sequence[Pair], copy_at: float, scratch: Path, stop: threading.Event) -> Comparison:
    """Each restored file against its size in the copy and the bytes of its source; then it is removed.

    ``copy_at``: when the copy began (Unix time); ``scratch`` is a real path, and so is that of each pair but for what
    the restore put there. Raises StoppedError, OSError.
    """

    def check(pair: Pair) -> tuple[bool, bool, str]:
        came_back, wrong = _restored(pair, scratch)
        same = None
        if came_back:
            same = _same_as_source(pair, copy_at, stop) if pair.source is not None else None
            pair.restored.unlink()
        return came_back, same is not None, wrong if same is not False else f"{pair.entry.path} came back different"

    comparison = Comparison()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="compare") as threads:
        for pair, (came_back, compared, wrong) in zip(pairs, threads.map(check, pairs), strict=True):
            if wrong:
                comparison.mismatches[pair.entry.path] = wrong
            comparison.restored += came_back
            comparison.compared += compared
            if came_back and not compared:
                comparison.left.append(pair.entry.path)
    return comparison


def _same_as_source(pair: Pair, copy_at: float, stop: threading.Event) -> bool | None:
    """None where the source says nothing: not as it was when the copy began, or changed while it was read."""
    if pair.source is None:
        return None
    try:
        before = pair.source.lstat()
        if not _unchanged(before, copy_at):
            return None
        source = _opened(pair.source)
    except OSError:
        return None
    with source, _opened(pair.restored) as restored:
        same = _same_bytes(source, restored, stop)
    try:
        after = pair.source.lstat()
    except OSError:
        return None
    unchanged = (before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino)
    return same if unchanged == (after.st_size, after.st_mtime_ns, after.st_ctime_ns, after.st_ino) else None


def _same_bytes(source: FileIO, restored: FileIO, stop: threading.Event) -> bool | None:
    """None where the source cannot be read to its end."""
    while True:
        if stop.is_set():
            raise StoppedError
        try:
            piece = source.read(PIECE_BYTES)
        except OSError:
            return None
        other = b""
        while len(other) < len(piece) and (more := restored.read(len(piece) - len(other))):
            other += more
        if piece != other:
            return False
        if not piece:
            return not restored.read(1)


def _unchanged(found: os.stat_result, copy_at: float) -> bool:
    return stat.S_ISREG(found.st_mode) and max(found.st_mtime, found.st_ctime) < copy_at - CLOCK_STEP_S


def _restored(pair: Pair, scratch: Path) -> tuple[bool, str]:
    """Whether a file came back at its full size, and what is wrong with it, in words; empty for nothing."""
    path, name = pair.restored, pair.entry.path
    if os.path.realpath(path.parent) != str(path.parent):
        return False, f"{name} came back behind a link"
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False, f"{name} did not come back"
    except PermissionError:
        _open_up(path.parent, scratch)
        return _restored(pair, scratch)
    if not stat.S_ISREG(found.st_mode):
        return False, f"{name} came back as something that is no file"
    if found.st_size != pair.entry.size:
        return False, f"{name} came back with {found.st_size} of {pair.entry.size} bytes"
    if not found.st_mode & stat.S_IRUSR:
        path.chmod(0o600)  # ours, a plain file, and in scratch
    return True, ""


def _open_up(folder: Path, scratch: Path) -> None:
    """A restored folder may be locked to its owner too. ``folder`` is a real path below ``scratch``."""
    for part in (*reversed(folder.parents), folder):
        if part.is_relative_to(scratch) and part.lstat().st_mode & 0o700 != 0o700:
            part.chmod(0o700)


def _opened(path: Path) -> FileIO:
    """Neither through a link nor waiting for what is no plain file after all."""
    return FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")

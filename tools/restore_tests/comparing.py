"""Restored files against the files they were made of, by SHA-256.

A source is compared where it is unchanged since the copy began, by both its times: a file that was copied over may
bring an old mtime along, and no program sets a ctime. What was restored is looked at without following a link.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
    """What came back (``restored``), how many of these were compared, and what is wrong, by path."""

    restored: int = 0
    compared: int = 0
    mismatches: dict[str, str] = field(default_factory=dict)


def hash_sources(pairs: Sequence[Pair], copy_at: float, stop: threading.Event) -> dict[str, str]:
    """SHA-256 by path of each source that can be compared. Raises StoppedError.

    One that is gone, changed, no plain file, or not to be read is left out: that is no fault of the backup. The
    restore may run meanwhile.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as threads:
        found = threads.map(lambda pair: _source(pair.source, copy_at, stop) if pair.source else None, pairs)
        return {pair.entry.path: digest for pair, digest in zip(pairs, found, strict=True) if digest is not None}


def compare(pairs: Sequence[Pair], sources: dict[str, str], scratch: Path, stop: threading.Event) -> Comparison:
    """Each restored file against its size in the copy and the SHA-256 of its source.

    ``scratch`` is a real path, and so is that of each pair but for what the restore put there. Raises StoppedError,
    OSError.
    """
    comparison = Comparison()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as threads:
        outcomes = threads.map(lambda pair: _restored(pair, sources.get(pair.entry.path), scratch, stop), pairs)
        for pair, (came_back, wrong) in zip(pairs, outcomes, strict=True):
            if wrong:
                comparison.mismatches[pair.entry.path] = wrong
            comparison.restored += came_back
            comparison.compared += came_back and pair.entry.path in sources
    return comparison


def _source(path: Path, copy_at: float, stop: threading.Event) -> str | None:
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode) or max(before.st_mtime, before.st_ctime) > copy_at - CLOCK_STEP_S:
            return None
        digest = _sha256(path, stop)
        after = path.lstat()
    except OSError:
        return None
    unchanged = (before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino)
    return digest if unchanged == (after.st_size, after.st_mtime_ns, after.st_ctime_ns, after.st_ino) else None


def _restored(pair: Pair, expected: str | None, scratch: Path, stop: threading.Event) -> tuple[bool, str]:
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
        return _restored(pair, expected, scratch, stop)
    if not stat.S_ISREG(found.st_mode):
        return False, f"{name} came back as something that is no file"
    if found.st_size != pair.entry.size:
        return False, f"{name} came back with {found.st_size} of {pair.entry.size} bytes"
    if expected is None:
        return True, ""
    if not found.st_mode & stat.S_IRUSR:
        path.chmod(0o600)  # ours, a plain file, and in scratch
    return True, "" if _sha256(path, stop) == expected else f"{name} came back different"


def _open_up(folder: Path, scratch: Path) -> None:
    """A restored folder may be locked to its owner too. ``folder`` is a real path below ``scratch``."""
    for part in (*reversed(folder.parents), folder):
        if part.is_relative_to(scratch) and part.lstat().st_mode & 0o700 != 0o700:
            part.chmod(0o700)


def _sha256(path: Path, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        if stop.is_set():
            raise StoppedError
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[memoryview]:
    """Neither through a link nor waiting for what is no plain file after all."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    buffer = memoryview(bytearray(PIECE_BYTES))
    with os.fdopen(handle, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield buffer[:count]

"""Restored files against the files they were made of, by SHA-256.

A source is compared where it is unchanged since the copy began, by both its times: a file that was copied over may
bring an old mtime along, and no program sets a ctime. What was restored is looked at without following a link.

The sources are hashed while the program restores, and after them each restored file that seems to be done: one whose
hash is that of its source came back, whatever else is still being written.
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


PAUSE_S = 0.2
"""Between two looks at what has come back; a file that was not written to in between seems to be done."""


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


@dataclass(slots=True)
class Watched:
    """``sources``: SHA-256 by path of those that can be compared; ``seen``: paths that came back the same already."""

    sources: dict[str, str]
    seen: set[str] = field(default_factory=set)


def comparable(pair: Pair, copy_at: float) -> bool:
    """Whether the source is there, and was not changed since the copy began (Unix time). Blocks."""
    try:
        return pair.source is not None and _unchanged(pair.source.lstat(), copy_at)
    except OSError:
        return False


def watch(pairs: Sequence[Pair], copy_at: float, stop: threading.Event, restored: threading.Event) -> Watched:
    """Hash the sources, then what comes back, until ``restored`` is set. Raises StoppedError.

    A source that is gone, changed, no plain file, or not to be read is left out: that is no fault of the backup.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as threads:
        found = threads.map(lambda pair: _source(pair.source, copy_at, stop) if pair.source else None, pairs)
        hashes = {pair.entry.path: digest for pair, digest in zip(pairs, found, strict=True) if digest is not None}
    watched = Watched(hashes)
    waiting = {pair.entry.path: pair for pair in pairs if pair.entry.path in hashes}
    last: dict[str, int] = {}
    while waiting and not restored.wait(PAUSE_S):
        for path, pair in list(waiting.items()):
            if restored.is_set():
                break
            written = _written(pair)
            if written is None or last.get(path) != written:
                last[path] = -1 if written is None else written
                continue
            del waiting[path]  # tried once; if it was not done, the comparison at the end has it
            if _same(pair, hashes[path], stop):
                watched.seen.add(path)
    return watched


def compare(pairs: Sequence[Pair], watched: Watched, scratch: Path, stop: threading.Event) -> Comparison:
    """Each restored file against its size in the copy and the SHA-256 of its source; then it is removed.

    ``scratch`` is a real path, and so is that of each pair but for what the restore put there. Raises StoppedError,
    OSError.
    """

    def check(pair: Pair) -> tuple[bool, str]:
        path = pair.entry.path
        outcome = _restored(pair, None if path in watched.seen else watched.sources.get(path), scratch, stop)
        if outcome[0]:
            pair.restored.unlink()
        return outcome

    comparison = Comparison()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as threads:
        for pair, (came_back, wrong) in zip(pairs, threads.map(check, pairs), strict=True):
            if wrong:
                comparison.mismatches[pair.entry.path] = wrong
            comparison.restored += came_back
            comparison.compared += came_back and pair.entry.path in watched.sources
    return comparison


def _source(path: Path, copy_at: float, stop: threading.Event) -> str | None:
    try:
        before = path.lstat()
        if not _unchanged(before, copy_at):
            return None
        digest = _sha256(path, stop)
        after = path.lstat()
    except OSError:
        return None
    unchanged = (before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino)
    return digest if unchanged == (after.st_size, after.st_mtime_ns, after.st_ctime_ns, after.st_ino) else None


def _unchanged(found: os.stat_result, copy_at: float) -> bool:
    return stat.S_ISREG(found.st_mode) and max(found.st_mtime, found.st_ctime) < copy_at - CLOCK_STEP_S


def _written(pair: Pair) -> int | None:
    """When a restored file was last written to (ns), if all of it lies on the disk; None if not."""
    try:
        found = pair.restored.lstat()
    except OSError:
        return None
    whole = stat.S_ISREG(found.st_mode) and found.st_size == pair.entry.size <= found.st_blocks * 512
    return found.st_mtime_ns if whole else None


def _same(pair: Pair, expected: str, stop: threading.Event) -> bool:
    """Of a file that is perhaps still being written: whatever is wrong with it may still become right."""
    try:
        real = os.path.realpath(pair.restored.parent) == str(pair.restored.parent)
        return real and _sha256(pair.restored, stop) == expected
    except OSError:
        return False


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

"""SQLite database files: copied while they are used, and checked without being written to. Blocks: for threads.

Every function gets ``stop``: when it is set, the work ends soon with a BackupError cancelled.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from tools.backups.port import BackupError, Fault

T = TypeVar("T")

HEADER = b"SQLite format 3\0"
"""The first bytes of a database file (sqlite.org/fileformat.html, 1.3)."""

PAGES_A_STEP = 1024
STOP_EVERY = 20_000
"""Virtual machine instructions between two looks at ``stop``: some milliseconds."""

FEW = 20
"""So many problems are told; a file with more is no better known by them."""

_FAULTS = {
    sqlite3.SQLITE_BUSY: (Fault.LOCKED, "the database is locked by another program"),
    sqlite3.SQLITE_LOCKED: (Fault.LOCKED, "the database is locked by another program"),
    sqlite3.SQLITE_CORRUPT: (Fault.DAMAGED, "the database is damaged"),
    sqlite3.SQLITE_NOTADB: (Fault.DAMAGED, "it is not a SQLite database"),
    sqlite3.SQLITE_FULL: (Fault.DISK_FULL, "the disk is full"),
    sqlite3.SQLITE_INTERRUPT: (Fault.CANCELLED, "it was cancelled"),
    sqlite3.SQLITE_CANTOPEN: (Fault.DENIED, "the database cannot be opened"),
    sqlite3.SQLITE_PERM: (Fault.DENIED, "the database may not be opened"),
    sqlite3.SQLITE_AUTH: (Fault.DENIED, "the database may not be opened"),
    sqlite3.SQLITE_READONLY: (Fault.DENIED, "the place of the copy is read-only"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What SQLite says of a file. ``problems``: of its structure; ``orphans``: rows whose foreign key leads nowhere;
    ``tables``: rows of each."""

    problems: tuple[str, ...]
    orphans: int
    tables: Mapping[str, int]


def back_up(
    source: Path, part: Path, wait_s: float, stop: threading.Event, told: Callable[[float], None]
) -> dict[str, object]:
    """Copy a database that others use into ``part``, by SQLite's online backup; what it holds, for the manifest.

    One read transaction spans the counting and the copying, so that the counts are those of the copy. In WAL mode
    nobody waits for it; in the older modes who writes does. ``wait_s``: for somebody who writes just now.
    """

    def step(_: int, remaining: int, total: int) -> None:
        if stop.is_set():
            raise BackupError(Fault.CANCELLED, "it was cancelled")
        told(1.0 - remaining / total if total else 1.0)

    with _told(), closing(_opened(source, "mode=ro", stop, wait_s)) as reading:
        reading.execute("BEGIN")
        tables = _counts(reading)
        orphans = _orphans(reading)
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            reading.backup(copy, pages=PAGES_A_STEP, progress=step, sleep=0.0)
            copy.execute("PRAGMA journal_mode = DELETE")  # else it would ask for a -wal file beside it
        return {"tables": tables, "orphans": orphans}


def check(file: Path, stop: threading.Event) -> Checked:
    """All of it: structure, indexes, foreign keys, and the rows of each table. The file is not changed."""
    check_header(file)
    with _told(), closing(_opened(file, "mode=ro&immutable=1", stop, 0.0)) as reading:
        said = [str(row[0]) for row in reading.execute(f"PRAGMA integrity_check({FEW})")]
        problems = tuple(line for line in said if line != "ok")
        if problems:
            return Checked(problems, 0, {})
        return Checked((), _orphans(reading), _counts(reading))


def check_header(file: Path) -> None:
    """What its first hundred bytes tell: that it is a database, and has all its pages. Raises BackupError."""
    try:
        with file.open("rb") as opened:
            head = opened.read(100)
        size = file.stat().st_size
    except OSError as error:
        raise BackupError(Fault.FAILED, "the copy cannot be read") from error
    if len(head) < 100:
        raise BackupError(Fault.TRUNCATED, "the copy is cut off")
    if not head.startswith(HEADER):
        raise BackupError(Fault.DAMAGED, "it is not a SQLite database")
    (page_size,) = struct.unpack_from(">H", head, 16)
    change, pages = struct.unpack_from(">II", head, 24)
    (valid_for,) = struct.unpack_from(">I", head, 92)
    if change == valid_for and size < (65_536 if page_size == 1 else page_size) * pages:
        raise BackupError(Fault.TRUNCATED, "the copy is cut off")


def copy(source: Path, target: Path, stop: threading.Event) -> None:
    """A plain copy. Raises BackupError, OSError."""
    with source.open("rb") as reading, target.open("xb") as writing:
        while block := reading.read(1 << 20):
            if stop.is_set():
                raise BackupError(Fault.CANCELLED, "it was cancelled")
            writing.write(block)
    shutil.copymode(source, target)


async def in_thread(work: Callable[[threading.Event], T], timeout_s: float) -> T:
    """Its result. Cancelled or too late, it is told to stop, and has ended when this returns."""
    stop = threading.Event()
    task = asyncio.create_task(asyncio.to_thread(work, stop))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(task)
    except TimeoutError as error:
        raise BackupError(Fault.TIMED_OUT, f"SQLite was not done within {timeout_s:g} seconds") from error
    finally:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # told already, or nobody's any more


def _opened(file: Path, how: str, stop: threading.Event, wait_s: float) -> sqlite3.Connection:
    name = f"file:{quote(str(file))}?{how}"
    opened = sqlite3.connect(name, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False)
    opened.set_progress_handler(lambda: int(stop.is_set()), STOP_EVERY)
    return opened


def _counts(reading: sqlite3.Connection) -> dict[str, int]:
    """Rows of each table that SQLite itself stores; what a virtual one gives is its module's."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    names = [str(row[0]) for row in reading.execute(query + " AND sql NOT LIKE 'CREATE VIRTUAL%'")]
    return {name: int(reading.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]) for name in names}  # noqa: S608 - quoted


def _orphans(reading: sqlite3.Connection) -> int:
    return sum(1 for _ in reading.execute("PRAGMA foreign_key_check"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _told() -> Iterator[None]:
    """SQLite's errors as faults."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        fault, reason = _FAULTS.get(code, (Fault.FAILED, f"SQLite cannot read it: {error}"))
        raise BackupError(fault, reason) from error

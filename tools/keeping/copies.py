"""Copies of a database that is in use: SQLite's online backup, looked at, fsynced, and only then given its name.

``copies/jarvis-000042-20261122T030000Z-v7.db``: number, UTC time, schema; ``-before-v8`` was made before a migration.
They are ordered by their number, which a clock that is wrong does not upset.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = "copies"
BUSY_TIMEOUT_S = 5.0

_NAME = re.compile(
    r"(?P<base>[\w-]+?)-(?P<number>\d{6})-(?P<stamp>\d{8}T\d{6}Z)-v(?P<schema>\d+)(?:-before-v(?P<before>\d+))?\.db"
)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy, as its name says. ``at``: Unix seconds; ``before``: the schema it was made before, if any."""

    path: Path
    base: str
    number: int
    at: float
    schema: int
    before: int | None = None


def folder_of(database: Path) -> Path:
    """Where the copies of a database lie."""
    return database.parent / FOLDER


def copies_of(database: Path) -> list[Copy]:
    """Those there are, oldest first. Raises nothing: what cannot be listed is not there."""
    try:
        found = [_read(path) for path in folder_of(database).iterdir()]
    except OSError:
        return []
    return sorted((copy for copy in found if copy is not None and copy.base == database.stem), key=lambda c: c.number)


def make_copy(database: Path, at: float, *, before: int | None = None) -> Copy:
    """Copy a database while it is in use; the copy is whole and sound, or there is none. Blocks.

    ``at``: Unix seconds now; ``before``: the schema that it is about to be migrated to. Raises OSError, sqlite3.Error;
    sqlite3.DatabaseError where the copy, and so the database, is damaged.
    """
    folder = folder_of(database)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f".{database.stem}-{os.getpid()}.partial"
    partial.unlink(missing_ok=True)
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy_online(database, partial)
        schema = checked(partial)
        stamp = datetime.fromtimestamp(at, UTC).strftime(_STAMP)
        number = max((copy.number for copy in copies_of(database)), default=0) + 1
        suffix = f"-before-v{before}" if before is not None else ""
        path = folder / f"{database.stem}-{number:06d}-{stamp}-v{schema}{suffix}.db"
        partial.replace(path)
        sync(folder)
    finally:
        partial.unlink(missing_ok=True)
    return Copy(path, database.stem, number, float(int(at)), schema, before)


def copy_online(database: Path, target: Path) -> None:
    """Fill an empty file with a database that others may be writing to, and have it on the disk. Raises sqlite3.Error,
    OSError."""
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as source,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    sync(target)


def checked(database: Path) -> int:
    """The schema of a file that is whole and sound in every page. Raises sqlite3.DatabaseError where it is not."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as db:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise sqlite3.DatabaseError(f"it is damaged: {'; '.join(found)}")
        (schema,) = db.execute("PRAGMA user_version").fetchone()
    return int(schema)


def prune(database: Path, daily: int, before: int) -> Sequence[Path]:
    """Leave the newest ``daily`` ones and the newest ``before`` made before a migration; those that went. Raises
    OSError."""
    there = copies_of(database)
    every_day = [copy for copy in there if copy.before is None]
    migrating = [copy for copy in there if copy.before is not None]
    gone = [*every_day[: max(len(every_day) - daily, 0)], *migrating[: max(len(migrating) - before, 0)]]
    for copy in gone:
        copy.path.unlink(missing_ok=True)
    return [copy.path for copy in gone]


def sync(path: Path) -> None:
    """A file or folder is on the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Copy | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        at = datetime.strptime(match["stamp"], _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    before = int(match["before"]) if match["before"] else None
    return Copy(path, match["base"], int(match["number"]), at, int(match["schema"]), before)

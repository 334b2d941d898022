"""The one way in which a SQLite file of ours is opened: looked at, brought to the newest schema, or refused in words.

The look is ``quick_check``, bounded in time. A migration is one transaction, and a copy of the file is made before it
(``tools/keeping/copies.py``): what breaks it off, ``kill -9`` as well, leaves the file as it was or as it should be.
Why it is so: ADR 33.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.keeping.copies import copies_of, make_copy

BUSY_TIMEOUT_S = 3.0
LOOK_S = 1.0
"""How long a look at the whole file may take when it is opened; the daily copy is looked at in full."""

LOOK_EVERY = 4000
"""Steps of SQLite's machine between two looks at the clock: some tenths of a millisecond."""

NO_SPACE_BYTES = 1_000_000
"""With less free, a write that failed failed for want of space, whatever name the system gave to it."""

Step = str | Callable[[sqlite3.Connection], None]
"""A migration: SQL statements, or what does more than statements can. Neither begins nor ends a transaction."""


class Fault(StrEnum):
    """Why a database cannot be used."""

    LOCKED = "locked"
    DAMAGED = "damaged"
    NEWER = "newer"
    FULL = "full"
    READ_ONLY = "read_only"
    MIGRATION = "migration"
    OTHER = "other"


class DatabaseError(Exception):
    """A database cannot be used; the text names the file, the cause and the mend."""

    def __init__(self, text: str, fault: Fault = Fault.OTHER) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file has to be. ``migrations``: step by step, by ``user_version``; ``keepsake``: False for what may be
    lost: no copy is made before a migration, and nobody waits for the disk."""

    migrations: Sequence[Step]
    keepsake: bool = True


def open_database(
    path: Path,
    schema: Schema,
    *,
    busy_s: float = BUSY_TIMEOUT_S,
    make: bool = True,
    clock: Callable[[], float] = time.time,
) -> sqlite3.Connection:
    """A connection in autocommit mode that any thread may use, one at a time. ``make``: the file and its folder too,
    where there is none; ``busy_s``: how long to wait for whoever writes. Raises DatabaseError."""
    try:
        if make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600, exist_ok=True)
        where = f"{path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(where, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError, ValueError) as error:
        raise explained(path, error, busy_s=busy_s) from error
    try:
        db.execute(f"PRAGMA synchronous={'FULL' if schema.keepsake else 'OFF'}")
        look(db, LOOK_S)
        if _version(db) != len(schema.migrations):
            _migrate(db, path, schema, clock)
    except DatabaseError:
        db.close()
        raise
    except (sqlite3.Error, OSError) as error:
        db.close()
        raise explained(path, error, busy_s=busy_s) from error
    return db


def look(db: sqlite3.Connection, within_s: float) -> bool:
    """Whether the whole of it could be looked at within that time. Raises sqlite3.DatabaseError where it is damaged."""
    until = time.monotonic() + within_s
    db.set_progress_handler(lambda: int(time.monotonic() > until), LOOK_EVERY)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    finally:
        db.set_progress_handler(None, 0)
    if found != [("ok",)]:
        raise DamagedError(str(found[0][0]))
    return True


class DamagedError(sqlite3.DatabaseError):
    """What a look found: SQLite itself noticed nothing."""


def statements(script: str) -> Iterator[str]:
    """The statements of a script, a trigger in one piece."""
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(db: sqlite3.Connection, path: Path, schema: Schema, clock: Callable[[], float]) -> None:
    steps = schema.migrations
    db.execute("BEGIN IMMEDIATE")  # two processes may open a file at once: one of them makes the tables
    try:
        version = _version(db)
        if version > len(steps):
            raise _newer(path, version)
        if (
            schema.keepsake
            and version < len(steps)
            and db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
        ):
            make_copy(path, clock(), before=len(steps))
        for number, step in enumerate(steps[version:], version + 1):
            _take(db, path, number, step)
        db.execute(f"PRAGMA user_version={len(steps)}")
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled it back already where the disk was full
            db.execute("ROLLBACK")
        raise


def _take(db: sqlite3.Connection, path: Path, number: int, step: Step) -> None:
    try:
        if callable(step):
            step(db)
        else:
            for statement in statements(step):
                db.execute(statement)
    except sqlite3.Error as error:
        fault = fault_of(path, error)
        if fault is not Fault.OTHER:
            raise
        text = f"it could not be brought to schema {number} ({error}), and is as it was"
        raise DatabaseError(
            _text(path, text, "Please report it; the version before still works."), Fault.MIGRATION
        ) from error


def fault_of(path: Path, error: Exception) -> Fault:
    """What went wrong, by SQLite's code or the system's."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, DamagedError):
        return Fault.DAMAGED
    if code is not None:
        return _fault_of_code(path, int(code) & 0xFF)
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Fault.FULL
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Fault.READ_ONLY
    return Fault.DAMAGED if isinstance(error, sqlite3.DatabaseError) and "damaged" in str(error) else Fault.OTHER


def _fault_of_code(path: Path, code: int) -> Fault:
    named = {
        sqlite3.SQLITE_BUSY: Fault.LOCKED,
        sqlite3.SQLITE_LOCKED: Fault.LOCKED,
        sqlite3.SQLITE_CORRUPT: Fault.DAMAGED,
        sqlite3.SQLITE_NOTADB: Fault.DAMAGED,
        sqlite3.SQLITE_FULL: Fault.FULL,
        sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    }
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return _why_not_written(path)
    return named.get(code, Fault.OTHER)


def _why_not_written(path: Path) -> Fault:
    try:
        if shutil.disk_usage(path.parent).free < NO_SPACE_BYTES:
            return Fault.FULL
        if os.statvfs(path.parent).f_flag & os.ST_RDONLY or not os.access(path.parent, os.W_OK):
            return Fault.READ_ONLY
    except OSError:
        return Fault.OTHER
    return Fault.OTHER


def explained(path: Path, error: Exception, *, busy_s: float = BUSY_TIMEOUT_S) -> DatabaseError:
    """The error in words, with the mend."""
    if isinstance(error, DatabaseError):
        return error
    fault = fault_of(path, error)
    folder = path.parent
    said = {
        Fault.LOCKED: (
            f"another program holds it, and did not let go of it within {busy_s:g} seconds",
            "End that program (`fuser` names it), then again.",
        ),
        Fault.DAMAGED: (
            f"it is damaged ({error})",
            "`jarvis serve` sets jarvis.db aside and goes back to its newest copy; any damaged file can be moved away.",
        ),
        Fault.FULL: ("the disk is full", f"Free some space for {folder}."),
        Fault.READ_ONLY: (
            f"it cannot be written ({error})",
            f"Mount the disk of {folder} writable, and give the folder to the user that runs Jarvis.",
        ),
    }
    other = (str(error), "Check that the folder can be written and is not full; a damaged file can be moved away.")
    what, mend = said.get(fault, other)
    return DatabaseError(_text(path, what, mend), fault)


def _newer(path: Path, version: int) -> DatabaseError:
    before = [copy for copy in copies_of(path) if copy.before is not None]
    back = " `jarvis state rollback` goes back to the copy from before the upgrade." if before else ""
    text = f"it was written by a newer version of Jarvis (schema {version})"
    return DatabaseError(_text(path, text, f"Use that version.{back}"), Fault.NEWER)


def _text(path: Path, what: str, mend: str) -> str:
    return f"The database {path} cannot be used: {what}. {mend}"

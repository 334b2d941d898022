"""A damaged ``jarvis.db``: set aside, gone back to the newest good copy, with what still holds of the damaged one.

Nothing is deleted. The new file is made whole beside the old one, and takes its name in one step. Of the damaged file
only what holds is taken over: a table that SQLite finds sound, and lines of audit that fit the chain. No yes counts
twice and nothing scheduled is done twice: open questions are void, and what may have been done already is told.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.audit_chain import BEGINNING, COLUMNS, dropped, link
from tools.contract import Caller, Door
from tools.database import DamagedError, look
from tools.keeping.copies import BUSY_TIMEOUT_S, Copy, checked, copies_of, copy_online, folder_of, sync
from tools.notify.messages import HIGH, Messages
from tools.schema import MIGRATIONS
from tools.store import Store
from tools.tasks.schedules import Schedules, local_zone, moment_after
from tools.wording import counted

log = logging.getLogger(__name__)

FOLDER = "damaged"
LOOK_S = 60.0
NEVER_TAKEN = frozenset({"audit", "audit_head", "confirmations", "links"})
"""The audit has a way of its own; a yes that was burnt must not be whole again."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done. ``copy_at``: Unix seconds of the copy, None where there was none; ``tables``: taken over from the
    damaged file; ``audit_kept``: lines newer than the copy that were; ``audit_missing``: those that were not, None
    where nobody knows."""

    at: float
    set_aside: str
    copy: str | None
    copy_at: float | None
    tables: tuple[str, ...]
    audit_kept: int
    audit_missing: int | None

    def spoken(self) -> str:
        """What is said, once."""
        if self.copy_at is None:
            back = "There was no copy of it, so I began anew with what could still be read."
        else:
            back = f"I went back to the copy of {_moment(self.copy_at)}."
        if self.audit_missing is None:
            missing = "Lines of the audit may be missing."
        elif self.audit_missing:
            missing = f"{counted(self.audit_missing, 'line').capitalize()} of the audit may be missing."
        else:
            missing = "No line of the audit is missing."
        return f"My own database was damaged. {back} {missing}"


def recover(path: Path, *, push: bool = False, clock: Callable[[], float] = time.time) -> Recovery | None:
    """Put a good file in the place of a damaged one, and say so in it; None where it is sound after all. For the
    process that owns the state folder. Blocks. ``push``: tell the phone, too. Raises OSError, StoreError, and
    sqlite3.Error when the disk does not let it."""
    with _alone(path.parent):
        return None if _is_sound(path) else _recover(path, push=push, clock=clock)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The kernel lets go of it however the process ends."""
    handle = os.open(folder / "recovery.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _recover(path: Path, *, push: bool, clock: Callable[[], float]) -> Recovery:
    now = clock()
    stamp = datetime.fromtimestamp(now).strftime("%Y%m%dT%H%M%S")
    new = path.with_name(f".{path.stem}-recovered.db")
    for left in (new, new.with_name(f"{new.name}-journal")):
        left.unlink(missing_ok=True)
    copy = _newest_good(path)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if copy is not None:
        copy_online(copy.path, new)
    try:
        with Store(new) as store:
            tables, kept, missing = _salvage(path, store, now)
            aside = path.parent / FOLDER / f"{path.stem}-{stamp}.db"
            found = Recovery(
                now, str(aside), str(copy.path) if copy else None, copy.at if copy else None, tables, kept, missing
            )
            _tell(store, found, stamp, push=push, clock=clock)
        _set_aside(path, aside, found)
        new.replace(path)
        sync(path.parent)
    finally:
        for left in (new, *folder_of(path).glob(f"{new.stem}-*")):
            left.unlink(missing_ok=True)
    log.error("%s It is kept as %s.", found.spoken(), aside)
    return found


def recoveries(state_dir: Path) -> list[Recovery]:
    """Those whose damaged file is still kept, oldest first. Raises nothing."""
    found = []
    for file in sorted((state_dir / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            told = json.loads(file.read_bytes())
            found.append(Recovery(**told | {"tables": tuple(told["tables"])}))
    return found


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
            return look(db, LOOK_S)
    except DamagedError:
        return False
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return False
        raise


def _newest_good(path: Path) -> Copy | None:
    for copy in reversed(copies_of(path)):
        try:
            if checked(copy.path) <= len(MIGRATIONS):
                return copy
        except sqlite3.Error as error:
            log.warning("the copy %s cannot be used: %s", copy.path, error)
    return None


def _salvage(path: Path, store: Store, now: float) -> tuple[tuple[str, ...], int, int | None]:
    """Take over what holds: the tables, how many lines of audit, and how many are missing."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as damaged:
            (version,) = damaged.execute("PRAGMA user_version").fetchone()
            tables = _tables(damaged, store) if version == len(MIGRATIONS) else ()
            kept, missing = _audit(damaged, store)
    except sqlite3.Error as error:
        log.warning("nothing can be read of the damaged database: %s", error)
        tables, kept, missing = (), 0, None
    store.write("DELETE FROM confirmations", [()])
    store.write("DELETE FROM links", [()])
    if "schedules" not in tables:
        hold_back(store, now)
    return tables, kept, missing


def _tables(damaged: sqlite3.Connection, store: Store) -> tuple[str, ...]:
    names = [
        str(name)
        for (name,) in store.read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        if name not in NEVER_TAKEN
    ]
    return tuple(name for name in names if _take(damaged, store, name))


def _take(damaged: sqlite3.Connection, store: Store, table: str) -> bool:
    """Whether a table came over whole: SQLite finds it sound, and every row fits."""
    with suppress(sqlite3.Error):
        if damaged.execute(f"PRAGMA quick_check({table})").fetchall() != [("ok",)]:
            return False
        rows = damaged.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name of our own schema
        store.replace_rows(table, rows)
        return True
    return False


def _audit(damaged: sqlite3.Connection, store: Store) -> tuple[int, int | None]:
    """Lines newer than the copy's, for as long as the chain holds; how many there were, and how many are missing."""
    last = store.audit_lines(1)
    before_id, before = (int(last[0]["id"]), str(last[0]["chain"] or "")) if last else (0, BEGINNING)
    good = list(_continued(_readable(damaged, before_id), before_id, before))
    store.add_audit_lines(good)
    newest = before_id if not good else int(good[-1]["id"])
    for query in ("SELECT id FROM audit_head", "SELECT MAX(id) FROM audit"):
        with suppress(sqlite3.Error):
            for (written,) in damaged.execute(query):
                return len(good), max(int(written or 0) - newest, 0)
    return len(good), None


def _readable(damaged: sqlite3.Connection, after: int) -> Iterator[Mapping[str, Any]]:
    columns = (*COLUMNS, "chain")
    query = f"SELECT {', '.join(columns)} FROM audit WHERE id > ? ORDER BY id"  # noqa: S608 - constants
    with suppress(sqlite3.Error):
        for row in damaged.execute(query, (after,)):
            yield dict(zip(columns, row, strict=True))


def _continued(lines: Iterator[Mapping[str, Any]], last: int, before: str) -> Iterator[Mapping[str, Any]]:
    """The lines that follow on each other, each as its hash says."""
    there = list(lines)
    if last == 0 and there and there[0]["id"] != 1:  # no copy, and the oldest were dropped: a line says up to where
        last, before = next((found for line in there if (found := dropped(line))), (0, BEGINNING))
    for line in there:
        if line["id"] != last + 1 or line["chain"] != link(before, line):
            return
        yield line
        last, before = int(line["id"]), str(line["chain"])


def hold_back(store: Store, now: float) -> None:
    """What was due since the copy may have been done: what comes once is told as broken off, what recurs waits for its
    next moment."""
    for one in Schedules(store, lambda: now).due():
        following = moment_after(one.when, now, local_zone()) if one.recurring else None
        store.write("UPDATE schedules SET next_at = ?, last_at = ? WHERE id = ?", [(following, now, one.id)])


def _tell(store: Store, found: Recovery, stamp: str, *, push: bool, clock: Callable[[], float]) -> None:
    told = {"copy": found.copy, "kept": found.audit_kept, "missing": found.audit_missing}
    store.audit(
        {
            "who": "jarvis", "role": "owner", "door": Door.SCHEDULE.value, "tool": "database",
            "arguments": json.dumps(told), "decision": "recovered", "outcome": "ok",
        }
    )  # fmt: skip
    house = Caller(name="jarvis", role="member", door=Door.SCHEDULE)
    key = f"recovered:{stamp}"
    Messages(store, clock).add(
        found.spoken(), house, title="My own database", priority=HIGH, tags=("rotating_light",), push=push, key=key
    )


def _set_aside(path: Path, aside: Path, found: Recovery) -> None:
    """A second name for the damaged file, so that there is never none; its journal goes along, and is nobody else's."""
    aside.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        os.link(path, aside)
    except OSError:  # a file system without links
        shutil.copy2(path, aside)
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():
        journal.replace(aside.with_name(f"{aside.name}-journal"))
    handle = os.open(aside.with_suffix(".json"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(found), file)
    sync(aside.parent)


def _moment(at: float) -> str:
    """ "today at 03:00", "21 November at 03:00"."""
    there, now = datetime.fromtimestamp(at), datetime.now()
    day = "today" if there.date() == now.date() else f"{there.day} {there:%B}"
    return f"{day} at {there:%H:%M}"

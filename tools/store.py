"""The tools' database: what must not be lost (audit, restore-test ledger, confirmations) and what was observed.

SQLite with ``synchronous=FULL`` and a rollback journal, because a home server's power goes out; folder 0700, file
0600; migrations by ``user_version``. Every method is short; call it through ``asyncio.to_thread`` from a loop.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tools.audit_chain import BEGINNING, COLUMNS, RETENTION, dropped, link, links
from tools.contract import JsonObject
from tools.database import DamagedError, DatabaseError, Fault, Schema, explained, open_database
from tools.schema import MIGRATIONS

log = logging.getLogger(__name__)

T = TypeVar("T")

SCHEMA = Schema(MIGRATIONS)
OBSERVATION_RETENTION_S = 7 * 86400.0
PRUNED_EVERY_S = 3600.0
"""Old observations are looked for that often."""

AUDIT_TEXT_LIMIT = 4000
"""Characters kept of each text of an audit line: a client can send megabytes of nonsense as an argument."""


class StoreError(DatabaseError):
    """The database cannot be used; the text names the file, the cause and the mend."""


class Store:
    """One connection, guarded by a lock. A context manager."""

    def __init__(self, path: Path, on_damage: Callable[[Path], object] | None = None) -> None:
        """Open or create. ``on_damage``: puts a good file in the place of a damaged one, for the process that
        owns the state folder (``tools/keeping/recovery.py``). Raises StoreError."""
        self._path = path
        self._on_damage = on_damage
        self._lock = threading.Lock()
        self._closed = False
        self._pruned_at = -math.inf
        try:
            self._db = self._open()
        except StoreError as error:
            if on_damage is None or error.fault is not Fault.DAMAGED:
                raise
            self._db = self._mended(on_damage)

    def _mended(self, on_damage: Callable[[Path], object]) -> sqlite3.Connection:
        try:
            on_damage(self._path)
        except (sqlite3.Error, OSError, DatabaseError) as error:
            problem = explained(self._path, error)
            raise StoreError(str(problem), problem.fault) from error
        return self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            return open_database(self._path, SCHEMA)
        except DatabaseError as error:
            raise StoreError(str(error), error.fault) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._closed = True
            self._db.close()

    def observe(self, at: float, observations: Iterable[tuple[str, bool, str]]) -> None:
        """Keep what was seen of services: (name, up, reason). Old ones are dropped. On a disk that is full or cannot be
        written it is only logged: what was seen can be said all the same. Raises StoreError."""
        rows = [(name, at, int(up), reason) for name, up, reason in observations]
        try:
            self.write("INSERT INTO observations (service, at, up, reason) VALUES (?, ?, ?, ?)", rows)
            if not 0 <= at - self._pruned_at < PRUNED_EVERY_S:  # it reads the whole table
                self.write("DELETE FROM observations WHERE at < ?", [(at - OBSERVATION_RETENTION_S,)])
                self._pruned_at = at
        except StoreError as error:
            if error.fault not in (Fault.FULL, Fault.READ_ONLY, Fault.LOCKED):
                raise
            log.warning("what was seen is not remembered: %s", error)

    def observations(self, since: float, services: Iterable[str]) -> Mapping[str, Sequence[tuple[float, bool]]]:
        """Of these services, oldest first: (at, up). Raises StoreError."""
        asked = "SELECT at, up FROM observations WHERE service = ? AND at >= ? ORDER BY at, rowid"
        return {name: [(at, bool(up)) for at, up in self.read(asked, (name, since))] for name in services}

    def down_since(self, service: str) -> float | None:
        """When the present run of failures began, as far as it was observed. Raises StoreError."""
        rows = self.read(
            "SELECT MIN(at) FROM observations WHERE service = ? AND up = 0 AND at > "
            "COALESCE((SELECT MAX(at) FROM observations WHERE service = ? AND up = 1), 0)",
            (service, service),
        )
        return float(rows[0][0]) if rows and rows[0][0] is not None else None

    def add_restore_test(self, job: str, kind: str, at: float, *, ok: bool, record: JsonObject) -> None:
        """Enter a restore test into the ledger, passed or failed. Raises StoreError."""
        self.write(
            "INSERT INTO restore_tests (job, kind, at, ok, record) VALUES (?, ?, ?, ?, ?)",
            [(job, kind, at, int(ok), json.dumps(record))],
        )

    def last_restore_test(self, job: str) -> JsonObject | None:
        """The newest ledger entry of a job, with ``at`` and ``ok``. Raises StoreError."""
        rows = self.read(
            "SELECT at, ok, record FROM restore_tests WHERE job = ? ORDER BY at DESC, id DESC LIMIT 1", (job,)
        )
        if not rows:
            return None
        at, ok, record = rows[0]
        return {**json.loads(record), "at": at, "ok": bool(ok)}

    def audit(self, entry: Mapping[str, Any]) -> None:
        """Append one line of audit, chained to the one before it; its keys are the table's columns. Raises
        StoreError."""
        self._transaction(lambda db: append(db, _storable_line(entry)))

    def begin_act(self, worker: str, entry: Mapping[str, Any]) -> int:
        """Note an act before it is done; the id for ``end_act``. ``worker``: the process that does it; ``entry``: what
        stands in the audit should nobody come to say how it ended. Raises StoreError: then it must not be done."""
        line = json.dumps(_storable_line(entry))

        def note(db: sqlite3.Connection) -> int:
            db.execute("INSERT INTO acts_begun (at, worker, entry) VALUES (?, ?, ?)", (time.time(), worker, line))
            return int(db.execute("SELECT last_insert_rowid()").fetchone()[0])

        return self._transaction(note)

    def end_act(self, act: int, entry: Mapping[str, Any]) -> None:
        """Append its line of audit, and it is no longer under way: both or neither. Raises StoreError."""

        def end(db: sqlite3.Connection) -> None:
            append(db, _storable_line(entry))
            db.execute("DELETE FROM acts_begun WHERE id = ?", (act,))

        self._transaction(end)

    def settle_acts(self, is_running: Callable[[str], bool]) -> int:
        """Acts whose process is gone get the line that they left; how many there were. Raises StoreError."""
        left = [
            (int(act), json.loads(entry))
            for act, worker, entry in self.read("SELECT id, worker, entry FROM acts_begun ORDER BY id")
            if not is_running(worker)
        ]
        for act, entry in left:
            self.end_act(act, entry)
        return len(left)

    def audit_lines(self, limit: int = 100) -> list[JsonObject]:
        """The newest lines of the audit, newest first. Raises StoreError."""
        return self._audit("ORDER BY id DESC LIMIT ?", (limit,))

    def audit_after(self, after_id: int, limit: int) -> list[JsonObject]:
        """The lines after that one, oldest first; with ``after_id`` 0 or less the newest ones. Raises StoreError."""
        if after_id > 0:
            return self._audit("WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit))
        return self.audit_lines(limit)[::-1]

    def forget_audit(self, before: float, entry: Mapping[str, Any]) -> int:
        """Drop the lines from before a moment (Unix seconds), oldest first up to the first that is newer, and append
        one that says so (``entry``, without its arguments); how many there were. Raises StoreError."""

        def forget(db: sqlite3.Connection) -> int:
            (kept_from,) = db.execute("SELECT MIN(id) FROM audit WHERE at >= ?", (before,)).fetchone()
            (newest,) = db.execute("SELECT MAX(id) FROM audit").fetchone()
            up_to = newest if kept_from is None else kept_from - 1
            old = _lines(db.execute("SELECT * FROM audit WHERE id <= ? ORDER BY id", (up_to,))) if newest else []
            if not old:
                return 0
            chain = old[-1]["chain"] or links(BEGINNING, old)
            told = {"dropped": len(old), "up_to": up_to, "before": round(before), "chain": chain}
            append(db, {**entry, "decision": RETENTION, "arguments": json.dumps(told)})
            db.execute("DELETE FROM audit WHERE id <= ?", (up_to,))
            return len(old)

        return self._transaction(forget)

    def _audit(self, which: str, values: tuple[Any, ...]) -> list[JsonObject]:
        return self._attempt(lambda db: _lines(db.execute(f"SELECT * FROM audit {which}", values)))  # noqa: S608 - constants

    def open_confirmation(self, row: Mapping[str, Any]) -> None:
        """Keep an open question; its keys are the table's columns. Raises StoreError.

        What is burnt or expired is dropped, and so is an earlier question about the same call in the same conversation.
        """
        self.write(
            "DELETE FROM confirmations WHERE burnt = 1 OR expires <= ? "
            "OR (who = ? AND conversation IS ? AND digest = ?)",
            [(row["created"], row["who"], row["conversation"], row["digest"])],
        )
        self.write(
            "INSERT INTO confirmations (nonce_sha256, digest, who, door, conversation, turn_id, created, expires, "
            "created_ticks, expires_ticks) VALUES (:nonce_sha256, :digest, :who, :door, :conversation, :turn_id, "
            ":created, :expires, :created_ticks, :expires_ticks)",
            [row],
        )

    def burn_confirmation(self, row: Mapping[str, Any]) -> bool:
        """Use up the open question of ``nonce_sha256, digest, who, conversation`` at ``now`` and ``ticks``.

        True for exactly one caller, however many try at once. Raises StoreError.
        """
        burnt = self.write(
            "UPDATE confirmations SET burnt = 1 WHERE burnt = 0 AND nonce_sha256 = :nonce_sha256 "
            "AND digest = :digest AND who = :who AND conversation IS :conversation "
            "AND created <= :now AND expires > :now AND created_ticks <= :ticks AND expires_ticks > :ticks",
            [row],
        )
        return burnt == 1

    def withdraw_confirmations(self, who: str, conversation: str | None, but_of_turn: str | None = None) -> int:
        """Burn the open questions of a conversation; how many there were. Raises StoreError."""
        return self.write(
            "UPDATE confirmations SET burnt = 1 WHERE burnt = 0 AND who = ? AND conversation IS ? "
            "AND (turn_id IS NULL OR turn_id IS NOT ?)",
            [(who, conversation, but_of_turn)],
        )

    def replace_rows(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """These rows, of another file of the same schema, in place of those that are there. Raises StoreError."""

        def put(db: sqlite3.Connection) -> None:
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of our own schema
            if rows:
                db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in rows[0])})", rows)  # noqa: S608

        self._transaction(put)

    def add_audit_lines(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Lines that follow on the newest one, each with the hash it has; what they say was dropped goes. Raises
        StoreError."""

        def put(db: sqlite3.Connection) -> None:
            columns = (*COLUMNS, "chain")
            marks = ", ".join("?" for _ in columns)
            statement = f"INSERT INTO audit ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - constants
            db.executemany(statement, [tuple(line[column] for column in columns) for line in lines])
            head = (lines[-1]["id"], lines[-1]["chain"])
            db.execute("INSERT OR REPLACE INTO audit_head (one, id, chain) VALUES (1, ?, ?)", head)
            for gone in filter(None, map(dropped, lines)):
                db.execute("DELETE FROM audit WHERE id <= ?", (gone[0],))

        if lines:
            self._transaction(put)

    def write(self, statement: str, rows: Sequence[tuple[Any, ...] | Mapping[str, Any]]) -> int:
        """One statement for all rows in a transaction; how many rows it changed. Raises StoreError."""
        return self._transaction(lambda db: db.executemany(statement, rows).rowcount)

    def read(self, query: str, values: tuple[Any, ...] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises StoreError."""
        return self._attempt(lambda db: db.execute(query, values).fetchall())

    def is_sound(self) -> bool:
        """Look at every page, however long it takes, and mend it where that is ours to do. Raises StoreError."""
        return self._attempt(lambda db: _sound(db))

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """All of it or nothing, beside other processes, too. Raises StoreError."""

        def whole(db: sqlite3.Connection) -> T:
            try:
                db.execute("BEGIN IMMEDIATE")
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # no transaction to roll back, or closed meanwhile
                    db.execute("ROLLBACK")
                raise
            return result

        return self._attempt(whole)

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it; where the file turns out to be damaged, once more with the one that was put in its place."""
        with self._lock:
            try:
                return work(self._db)
            except sqlite3.Error as error:
                problem = self._error(error)
                if problem.fault is not Fault.DAMAGED or self._on_damage is None or self._closed:
                    raise problem from error
            log.error("%s", problem)
            self._db.close()
            self._db = self._mended(self._on_damage)
            try:
                return work(self._db)
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> StoreError:
        problem = explained(self._path, error)
        return StoreError(str(problem), problem.fault)


def _sound(db: sqlite3.Connection) -> bool:
    found = db.execute("PRAGMA integrity_check(1)").fetchall()
    if found != [("ok",)]:
        raise DamagedError(str(found[0][0]))
    return True


def _lines(cursor: sqlite3.Cursor) -> list[JsonObject]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def append(db: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
    """One line of audit, inside a transaction."""
    last = _lines(db.execute("SELECT * FROM audit ORDER BY id DESC LIMIT 1"))
    before = last[0]["chain"] if last else BEGINNING
    if before is None:  # the first line since there is a chain covers all that came before it
        before = links(BEGINNING, _lines(db.execute("SELECT * FROM audit ORDER BY id")))
    line = {**entry, "id": last[0]["id"] + 1 if last else 1, "at": time.time()}
    chain = link(before, line)
    marks = ", ".join("?" for _ in COLUMNS)
    statement = f"INSERT INTO audit ({', '.join(COLUMNS)}, chain) VALUES ({marks}, ?)"  # noqa: S608 - constants
    db.execute(statement, (*(line.get(column) for column in COLUMNS), chain))
    db.execute("INSERT OR REPLACE INTO audit_head (one, id, chain) VALUES (1, ?, ?)", (line["id"], chain))


def _storable_line(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {column: _storable(entry.get(column)) for column in COLUMNS}


def _storable(value: Any) -> Any:
    """Text cut to a length that nobody says, with what UTF-8 cannot hold as question marks."""
    return value[:AUDIT_TEXT_LIMIT].encode("utf-8", "replace").decode() if isinstance(value, str) else value

"""The tools' database: what must not be lost (audit, restore-test ledger, confirmations) and what was observed.

SQLite with ``synchronous=FULL`` and a rollback journal, because a home server's power goes out; folder 0700, file
0600; migrations by ``user_version``. Every method is short; call it through ``asyncio.to_thread`` from a loop.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.audit_chain import BEGINNING, COLUMNS, RETENTION, link, links
from tools.contract import JsonObject
from tools.schema import MIGRATIONS

BUSY_TIMEOUT_S = 3.0
OBSERVATION_RETENTION_S = 7 * 86400.0
AUDIT_TEXT_LIMIT = 4000
"""Characters kept of each text of an audit line: a client can send megabytes of nonsense as an argument."""


class StoreError(Exception):
    """The database cannot be used; the text names the file, the cause and the mend."""


class Store:
    """One connection, guarded by a lock. A context manager."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises StoreError."""
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise self._error(error) from error
        try:
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except sqlite3.Error as error:
            self._db.close()
            raise self._error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._db.close()

    def observe(self, at: float, observations: Iterable[tuple[str, bool, str]]) -> None:
        """Keep what was seen of services: (name, up, reason). Old ones are dropped. Raises StoreError."""
        rows = [(name, at, int(up), reason) for name, up, reason in observations]
        self.write("INSERT INTO observations (service, at, up, reason) VALUES (?, ?, ?, ?)", rows)
        self.write("DELETE FROM observations WHERE at < ?", [(at - OBSERVATION_RETENTION_S,)])

    def observations(self, since: float) -> Mapping[str, Sequence[tuple[float, bool]]]:
        """Per service, oldest first: (at, up). Raises StoreError."""
        rows = self.read("SELECT service, at, up FROM observations WHERE at >= ? ORDER BY at, rowid", (since,))
        grouped: dict[str, list[tuple[float, bool]]] = {}
        for service, at, up in rows:
            grouped.setdefault(service, []).append((at, bool(up)))
        return grouped

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
        with self._transaction() as db:
            _append(db, {column: _storable(entry.get(column)) for column in COLUMNS})

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
        with self._transaction() as db:
            (kept_from,) = db.execute("SELECT MIN(id) FROM audit WHERE at >= ?", (before,)).fetchone()
            (newest,) = db.execute("SELECT MAX(id) FROM audit").fetchone()
            up_to = newest if kept_from is None else kept_from - 1
            old = _lines(db.execute("SELECT * FROM audit WHERE id <= ? ORDER BY id", (up_to,))) if newest else []
            if not old:
                return 0
            chain = old[-1]["chain"] or links(BEGINNING, old)
            told = {"dropped": len(old), "up_to": up_to, "before": round(before), "chain": chain}
            _append(db, {**entry, "decision": RETENTION, "arguments": json.dumps(told)})
            db.execute("DELETE FROM audit WHERE id <= ?", (up_to,))
        return len(old)

    def _audit(self, which: str, values: tuple[Any, ...]) -> list[JsonObject]:
        with self._lock:
            try:
                return _lines(self._db.execute(f"SELECT * FROM audit {which}", values))  # noqa: S608 - constants
            except sqlite3.Error as error:
                raise self._error(error) from error

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

    def _migrate(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")  # two processes may open a new file at once: one of them makes the tables
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise sqlite3.DatabaseError(f"it was written by a newer version of Jarvis (schema {version})")
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        self._db.execute("COMMIT")

    def write(self, statement: str, rows: Sequence[tuple[Any, ...] | Mapping[str, Any]]) -> int:
        """One statement for all rows in a transaction; how many rows it changed. Raises StoreError."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                changed = self._db.executemany(statement, rows).rowcount
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):  # no transaction to roll back, or closed meanwhile
                    self._db.execute("ROLLBACK")
                raise self._error(error) from error
        return changed

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, beside other processes, too. Raises StoreError."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):  # no transaction to roll back, or closed meanwhile
                    self._db.execute("ROLLBACK")
                raise self._error(error) from error
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    def read(self, query: str, values: tuple[Any, ...] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises StoreError."""
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _error(self, error: Exception) -> StoreError:
        mend = "Check that the folder can be written and is not full; a damaged file can be moved away."
        return StoreError(f"The database {self._path} cannot be used: {error}. {mend}")


def _lines(cursor: sqlite3.Cursor) -> list[JsonObject]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _append(db: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
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


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, a trigger in one piece."""
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _storable(value: Any) -> Any:
    """Text cut to a length that nobody says, with what UTF-8 cannot hold as question marks."""
    return value[:AUDIT_TEXT_LIMIT].encode("utf-8", "replace").decode() if isinstance(value, str) else value

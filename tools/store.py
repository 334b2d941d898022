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
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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
        """Append one line of audit; its columns are the table's. Raises StoreError."""
        columns = (
            "who", "role", "door", "room", "turn_id", "tool", "arguments", "level", "decision", "outcome",
            "result_sha256",
        )  # fmt: skip
        values = tuple(_storable(entry.get(column)) for column in columns)
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO audit (at, {', '.join(columns)}) VALUES (?, {marks})"  # noqa: S608 - constants
        self.write(statement, [(time.time(), *values)])

    def audit_lines(self, limit: int = 100) -> list[JsonObject]:
        """The newest lines of the audit, newest first. Raises StoreError."""
        with self._lock:
            try:
                cursor = self._db.execute("SELECT * FROM audit ORDER BY id DESC LIMIT ?", (limit,))
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
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

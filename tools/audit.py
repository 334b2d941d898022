"""Reading the audit out of the database, beside whoever writes it, and without writing anything oneself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.audit_chain import Verified, verify
from tools.contract import JsonObject

BUSY_TIMEOUT_S = 5.0
LONGEST_PAGE = 10_000


class AuditError(Exception):
    """The audit cannot be read; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; None: whatever. ``since``: Unix seconds; ``decision``: as it stands there, or what came of it."""

    who: str | None = None
    door: str | None = None
    tool: str | None = None
    decision: str | None = None
    since: float | None = None


class AuditReader:
    """Over ``jarvis.db``, opened anew for each question. Every method blocks and raises AuditError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self, wanted: Wanted, limit: int) -> list[JsonObject]:
        """At most so many, oldest first."""
        condition, values = _where(wanted)
        rows = self._read(f"SELECT * FROM audit WHERE {condition} ORDER BY id DESC LIMIT ?", (*values, limit))  # noqa: S608 - constants
        return rows[::-1]

    def after(self, line: int, wanted: Wanted, limit: int = LONGEST_PAGE) -> list[JsonObject]:
        """The next ones after that id, oldest first."""
        condition, values = _where(wanted)
        return self._read(
            f"SELECT * FROM audit WHERE id > ? AND {condition} ORDER BY id LIMIT ?",  # noqa: S608 - constants
            (line, *values, limit),
        )

    def pages(self, wanted: Wanted) -> Iterator[JsonObject]:
        """All of them, oldest first, without holding them all."""
        line = 0
        while page := self.after(line, wanted):
            yield from page
            line = int(page[-1]["id"])

    def verified(self) -> Verified:
        """Every line held against the chain, in one look at the database."""
        try:
            with closing(self._open()) as db:
                db.execute("BEGIN")  # lines and head of one moment
                lines = _rows(db.execute("SELECT * FROM audit ORDER BY id"))
                known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit_head'").fetchone()
                head = db.execute("SELECT id, chain FROM audit_head").fetchone() if known else None
        except sqlite3.Error as error:
            raise self._error(error) from error
        return verify(lines, (int(head[0]), str(head[1])) if head else None)

    def _read(self, query: str, values: Sequence[Any]) -> list[JsonObject]:
        try:
            with closing(self._open()) as db:
                return _rows(db.execute(query, values))
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _open(self) -> sqlite3.Connection:
        where = f"{self._path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(where, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)

    def _error(self, error: Exception) -> AuditError:
        return AuditError(f"The audit in {self._path} cannot be read: {error}.")


def _rows(cursor: sqlite3.Cursor) -> list[JsonObject]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _where(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    conditions: list[tuple[str, tuple[Any, ...]]] = [("1 = 1", ())]
    for column in ("who", "door", "tool"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append((f"{column} = ? COLLATE NOCASE", (value,)))
    if wanted.decision is not None:
        conditions.append(("(decision = ? OR outcome = ?)", (wanted.decision, wanted.decision)))
    if wanted.since is not None:
        conditions.append(("at >= ?", (wanted.since,)))
    values = tuple(value for _, some in conditions for value in some)
    return " AND ".join(condition for condition, _ in conditions), values

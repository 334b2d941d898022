"""Traces: one row per turn, written when the turn is over; what was said only if the configuration wants it."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.errors import StateError
from assistant.events import TurnEvent
from assistant.outcome import TurnOutcome
from tools.contract import JsonObject
from tools.database import DatabaseError, Fault, Schema, explained, open_database

log = logging.getLogger(__name__)

KEPT_TURNS = 10_000
KEPT_DAYS = 365.0
DAY_S = 86400.0
DAMAGED = "damaged"

_TABLE = """
CREATE TABLE IF NOT EXISTS turns (
    turn_id TEXT PRIMARY KEY, at REAL NOT NULL, door TEXT NOT NULL, matched TEXT NOT NULL, tools TEXT NOT NULL,
    timings_ms TEXT NOT NULL, total_ms REAL, error TEXT, transcript TEXT, reply TEXT,
    who TEXT NOT NULL DEFAULT 'owner'
);
"""
_INDEX = "CREATE INDEX IF NOT EXISTS turns_by_time ON turns (at)"
_ADD_WHO = "ALTER TABLE turns ADD COLUMN who TEXT NOT NULL DEFAULT 'owner'"
"""For a file of before there were several callers."""


def _first(db: sqlite3.Connection) -> None:
    """The table; a file from before there were versions has it, perhaps without its last column."""
    db.execute(_TABLE)
    if "who" not in {column[1] for column in db.execute("PRAGMA table_info(turns)")}:
        db.execute(_ADD_WHO)
    db.execute(_INDEX)


SCHEMA = Schema((_first,), keepsake=False)


class TraceStore:
    """``traces.db``: may be lost, so it is written without waiting for the disk, and begun anew when it is damaged."""

    def __init__(
        self,
        path: Path,
        *,
        keep_words: bool,
        turns: int | None = None,
        days: float = KEPT_DAYS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``turns``, ``days``: how many, and for how long, are kept. Raises StateError."""
        self._path = path
        self._keep_words = keep_words
        self._turns, self._days = turns, days
        self._clock = clock
        self.dropped = 0
        """Rows that were dropped since it was opened."""
        try:
            self._db = self._opened()
        except DatabaseError as error:
            raise self._unusable(error) from error

    def _opened(self) -> sqlite3.Connection:
        try:
            return open_database(self._path, SCHEMA, busy_s=1.0, clock=self._clock)
        except DatabaseError as error:
            if error.fault is not Fault.DAMAGED:
                raise
            self._set_aside()
            return open_database(self._path, SCHEMA, busy_s=1.0, clock=self._clock)

    def _set_aside(self) -> None:
        """Kept, not deleted: somebody may want to know what happened. Raises DatabaseError."""
        folder = self._path.parent / DAMAGED
        stamp = time.strftime("%Y%m%dT%H%M%S", time.localtime(self._clock()))
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            for suffix in ("-journal", ""):
                part = self._path.with_name(self._path.name + suffix)
                if part.exists():
                    part.replace(folder / f"{self._path.stem}-{stamp}.db{suffix}")
        except OSError as error:
            raise explained(self._path, error) from error
        log.warning("%s was damaged; it is kept in %s, and begun anew", self._path, folder)

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    def keep(self, events: Sequence[TurnEvent], door: str, who: str = "owner") -> None:
        """Write one finished turn of this caller. Raises StateError."""
        outcome = TurnOutcome.from_events(events)
        words = (outcome.transcript, outcome.reply) if self._keep_words else (None, None)
        row = (
            outcome.turn_id,
            self._clock(),
            door,
            outcome.matched,
            json.dumps([{"name": tool.name, "ok": tool.ok} for tool in outcome.tools]),
            outcome.timings_ms.model_dump_json(),
            outcome.timings_ms.total,
            f"{outcome.error.stage.value}.{outcome.error.code}" if outcome.error else None,
            *words,
            who,
        )
        try:
            try:
                self._write(row)
            except sqlite3.DatabaseError as error:
                if explained(self._path, error).fault is not Fault.DAMAGED:
                    raise
                self._db.close()
                self._set_aside()
                self._db = self._opened()
                self._write(row)
        except (sqlite3.Error, DatabaseError) as error:
            raise self._unusable(error) from error

    def _write(self, row: Sequence[object]) -> None:
        self._db.execute("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        gone = self._db.execute(
            "DELETE FROM turns WHERE at < ? OR at < (SELECT at FROM turns ORDER BY at DESC LIMIT 1 OFFSET ?)",
            (self._clock() - self._days * DAY_S, KEPT_TURNS if self._turns is None else self._turns),
        )
        self.dropped += max(gone.rowcount, 0)

    def _unusable(self, error: Exception) -> StateError:
        mend = f"Move {self._path} away; it holds only traces."
        return StateError("traces_unusable", str(explained(self._path, error)), mend=mend)

    def turns(self, limit: int = 20, *, slowest_first: bool = False, who: str | None = None) -> list[JsonObject]:
        """The newest turns, newest (or slowest of all) first; ``who``: of this caller only. Raises StateError."""
        order = "total_ms DESC" if slowest_first else "at DESC"
        select = f"SELECT * FROM turns WHERE ? IN (who, '') ORDER BY {order} LIMIT ?"  # noqa: S608 - constants
        try:
            cursor = self._db.execute(select, (who or "", limit))
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return [{**row, "tools": json.loads(row["tools"]), "timings_ms": json.loads(row["timings_ms"])} for row in rows]

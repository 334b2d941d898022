"""Traces: one row per turn, written when the turn is over; what was said only if the configuration wants it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import StateError
from assistant.events import TurnEvent
from assistant.outcome import TurnOutcome
from tools.contract import JsonObject

KEPT_TURNS = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    turn_id TEXT PRIMARY KEY, at REAL NOT NULL, door TEXT NOT NULL, matched TEXT NOT NULL, tools TEXT NOT NULL,
    timings_ms TEXT NOT NULL, total_ms REAL, error TEXT, transcript TEXT, reply TEXT,
    who TEXT NOT NULL DEFAULT 'owner'
);
CREATE INDEX IF NOT EXISTS turns_by_time ON turns (at);
"""
_ADD_WHO = "ALTER TABLE turns ADD COLUMN who TEXT NOT NULL DEFAULT 'owner'"
"""For a file of before there were several callers."""


class TraceStore:
    """``traces.db``: may be lost, so it is written without waiting for the disk."""

    def __init__(self, path: Path, *, keep_words: bool) -> None:
        """Raises StateError."""
        self._path = path
        self._keep_words = keep_words
        try:
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous=OFF")
            self._db.executescript(_SCHEMA)
            if "who" not in {column[1] for column in self._db.execute("PRAGMA table_info(turns)")}:
                self._db.execute(_ADD_WHO)
        except (sqlite3.Error, OSError) as error:
            mend = f"Move {path} away; it holds only traces."
            raise StateError("traces_unusable", f"{path} cannot be used: {error}.", mend=mend) from error

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    def keep(self, events: Sequence[TurnEvent], door: str, who: str = "owner") -> None:
        """Write one finished turn of this caller. Raises StateError."""
        outcome = TurnOutcome.from_events(events)
        words = (outcome.transcript, outcome.reply) if self._keep_words else (None, None)
        row = (
            outcome.turn_id,
            time.time(),
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
            self._db.execute("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._db.execute(
                "DELETE FROM turns WHERE at < (SELECT at FROM turns ORDER BY at DESC LIMIT 1 OFFSET ?)", (KEPT_TURNS,)
            )
        except sqlite3.Error as error:
            raise StateError("traces_unusable", f"{self._path} cannot be written: {error}.") from error

    def turns(self, limit: int = 20, *, slowest_first: bool = False, who: str | None = None) -> list[JsonObject]:
        """The newest turns, newest (or slowest of all) first; ``who``: of this caller only. Raises StateError."""
        order = "total_ms DESC" if slowest_first else "at DESC"
        select = f"SELECT * FROM turns WHERE ? IN (who, '') ORDER BY {order} LIMIT ?"  # noqa: S608 - constants
        try:
            cursor = self._db.execute(select, (who or "", limit))
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise StateError("traces_unusable", f"{self._path} cannot be read: {error}.") from error
        return [{**row, "tools": json.loads(row["tools"]), "timings_ms": json.loads(row["timings_ms"])} for row in rows]

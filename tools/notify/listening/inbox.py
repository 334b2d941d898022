"""What came in, each once, until it was said or listed; and how far each stream was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.notify.messages import SAID_WITHIN_S
from tools.store import Store

ALERTMANAGER = "alertmanager"

MOST_KEPT = 5000
"""Messages; of a flood the oldest are dropped."""

KEPT_S = 30 * 86400.0

NAMED = 3
"""Messages of a group that are said, the most important ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message from outside, cleaned. ``key``: where it came from and its id there; ``priority``: 1 to 5."""

    key: str
    source: str
    at: float
    priority: int
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that are said together. ``first``/``last``: ids; ``top``: the most important texts, then the newest;
    ``since``: when the first one came (Unix seconds); ``alerts``: how many are alerts; ``urgent``: the highest
    priority."""

    first: int
    last: int
    count: int
    alerts: int
    since: float
    urgent: int
    top: tuple[str, ...]


class Inbox:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self.changed: Callable[[], None] = lambda: None
        """Called, from any thread, when something came in."""

    def keep(self, received: Sequence[Received]) -> int:
        """Those that are new; how many were."""
        new = self._store.write(
            "INSERT OR IGNORE INTO incoming (key, source, at, priority, text) VALUES (?, ?, ?, ?, ?)",
            [(one.key, one.source, one.at, one.priority, one.text) for one in received],
        )
        if new:
            self._store.write(
                "DELETE FROM incoming WHERE id <= (SELECT MAX(id) FROM incoming) - ? OR at < ?",
                [(MOST_KEPT, self._clock() - KEPT_S)],
            )
            self.changed()
        return new

    def last(self, stream: str) -> str | None:
        """The id up to which a stream was read."""
        rows = self._store.read("SELECT last FROM listened WHERE stream = ?", (stream,))
        return str(rows[0][0]) if rows else None

    def read_up_to(self, stream: str, last: str) -> None:
        """Everything before it is kept."""
        self._store.write(
            "INSERT INTO listened (stream, last) VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET last = excluded.last",
            [(stream, last)],
        )

    def waiting(self, min_priority: int) -> Group | None:
        """What is still to be said, of at least this priority."""
        since = self._clock() - SAID_WITHIN_S
        new = "gathered_at IS NULL AND listed_at IS NULL"
        return self._group(f"{new} AND priority >= ? AND at > ?", min_priority, since)

    def left_over(self) -> Group | None:
        """What was gathered when a crash came, before its announcement was written."""
        return self._group("gathered_at IS NOT NULL AND message IS NULL AND priority >= ? AND at > ?", 0, 0.0)

    def gather(self, group: Group, min_priority: int) -> None:
        """These are said together, and with nothing else. The second half is :meth:`said_in`."""
        self._store.write(
            "UPDATE incoming SET gathered_at = ? WHERE gathered_at IS NULL AND listed_at IS NULL AND priority >= ? "
            "AND id BETWEEN ? AND ?",
            [(self._clock(), min_priority, group.first, group.last)],
        )

    def said_in(self, message_key: str) -> None:
        """What was gathered stands in this message."""
        self._store.write(
            "UPDATE incoming SET message = (SELECT id FROM messages WHERE key = ?) "
            "WHERE gathered_at IS NOT NULL AND message IS NULL",
            [(message_key,)],
        )

    def _group(self, where: str, min_priority: int, since: float) -> Group | None:
        ((count, first, last, alerts, oldest, urgent),) = self._store.read(
            "SELECT COUNT(*), MIN(id), MAX(id), SUM(source = ?), MIN(at), MAX(priority) "  # noqa: S608 - constants
            f"FROM incoming WHERE {where}",
            (ALERTMANAGER, min_priority, since),
        )
        if not count:
            return None
        top = self._store.read(
            f"SELECT text FROM incoming WHERE {where} ORDER BY priority DESC, id DESC LIMIT {NAMED}",  # noqa: S608
            (min_priority, since),
        )
        return Group(first, last, count, alerts, oldest, urgent, tuple(str(text) for (text,) in top))

"""What is told without being asked: at the door where it was asked for, and on the phone. Kept until it was told."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.contract import Caller, Door
from tools.notify.port import HIGH as HIGH
from tools.notify.port import NORMAL as NORMAL
from tools.notify.published import Published
from tools.store import Store

Clock = Callable[[], float]
"""Unix seconds."""

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 3600.0
"""Between two tries to push a message: twice as long each time, up to an hour, until it was taken."""

SAID_WITHIN_S = 86400.0
"""What nobody was there to hear is not said after a day; the phone has it."""

ANSWERED_WITHIN_S = 600.0
"""Whoever speaks at a door so soon after something was said there has heard it."""

READ_DOORS = frozenset({Door.REPL, Door.CLI})
"""What is written there, between two lines of somebody, was read."""

KEPT_S = 30 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``key`` keeps it from being told twice; ``attempts``: pushes by the service it was asked for."""

    id: int
    key: str
    at: float
    title: str
    text: str
    priority: int
    tags: tuple[str, ...]
    who: str
    door: str
    room: str | None
    conversation: str | None
    attempts: int = 0


_COLUMNS = ("id", "key", "at", "title", "text", "priority", "tags", "who", "door", "room", "conversation")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM messages"  # noqa: S608 - constants


class Messages:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only."""

    def __init__(self, store: Store, clock: Clock = time.time) -> None:
        self._store = store
        self._clock = clock
        self.published = Published(store, clock)

    def add(
        self,
        text: str,
        to: Caller,
        *,
        title: str = "Jarvis",
        priority: int = NORMAL,
        tags: Sequence[str] = (),
        say: bool = True,
        push: bool = False,
        key: str | None = None,
    ) -> str:
        """Keep a message for ``to``, to be said at the door, pushed, or both; its key. Once for each key."""
        now, own = self._clock(), key if key is not None else f"message:{secrets.token_hex(8)}"
        self._store.write(
            "INSERT OR IGNORE INTO messages (key, at, title, text, priority, tags, who, door, room, conversation, say, "
            "push, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    own, now, title, text, priority, json.dumps(list(tags)), to.name, to.door.value, to.room,
                    to.conversation, int(say), int(push), now if push else None,
                )
            ],
        )  # fmt: skip
        return own

    def get(self, key: str) -> Message | None:
        """By its key."""
        rows = self._store.read(f"{_SELECT} WHERE key = ?", (key,))
        return _message(rows[0]) if rows else None

    def unannounced(self, conversation: str | None = None) -> list[Message]:
        """What is still to be said, oldest first; of one conversation, or of all."""
        query = (
            f"{_SELECT} WHERE say = 1 AND said_at IS NULL AND at > ? AND (? IS NULL OR conversation IS ?) ORDER BY id"
        )
        since = self._clock() - SAID_WITHIN_S
        return [_message(row) for row in self._store.read(query, (since, conversation, conversation))]

    def announce(self, message_id: int, door: Door | None = None, room: str | None = None) -> bool:
        """Take a message to say it at this door. True for exactly one of those who try."""
        now = self._clock()
        return (
            self._store.write(
                "UPDATE messages SET said_at = ?, said_door = ?, said_room = ?, heard_at = ? "
                "WHERE id = ? AND say = 1 AND said_at IS NULL",
                [
                    (
                        now,
                        door.value if door is not None else None,
                        room,
                        now if door in READ_DOORS else None,
                        message_id,
                    )
                ],
            )
            == 1
        )

    def after(self, message_id: int, limit: int = 50) -> list[Message]:
        """What is said, or was, newer than that one, oldest first: for pages, which take nothing."""
        rows = self._store.read(f"{_SELECT} WHERE say = 1 AND id > ? ORDER BY id LIMIT ?", (message_id, limit))
        return [_message(row) for row in rows]

    def newest(self) -> int:
        """The newest id; 0 without any."""
        return int(self._store.read("SELECT COALESCE(MAX(id), 0) FROM messages")[0][0])

    def somebody_spoke(self, door: Door, room: str | None) -> None:
        """At this door, in this room, just now: what was said there a little before was heard."""
        since = self._clock() - ANSWERED_WITHIN_S
        where = "heard_at IS NULL AND said_at > ? AND said_door = ? AND said_room IS ?"
        if self._store.read(f"SELECT 1 FROM messages WHERE {where} LIMIT 1", (since, door.value, room)):  # noqa: S608
            self._store.write(
                f"UPDATE messages SET heard_at = ? WHERE {where}",  # noqa: S608 - a constant
                [(self._clock(), since, door.value, room)],
            )

    def due(self, service: str) -> list[Message]:
        """What is to be pushed by this service now, oldest first."""
        columns = ", ".join(f"m.{name}" for name in _COLUMNS)
        rows = self._store.read(
            f"SELECT {columns}, COALESCE(p.attempts, 0) FROM messages m "  # noqa: S608 - constants
            "LEFT JOIN pushes p ON p.message = m.id AND p.service = ? WHERE m.push = 1 AND m.next_at IS NOT NULL "
            "AND (p.message IS NULL OR (p.pushed_at IS NULL AND p.next_at <= ?)) ORDER BY m.id",
            (service, self._clock()),
        )
        return [_message(row[:-1], attempts=row[-1]) for row in rows]

    def take(self, message: Message, service: str) -> bool:
        """Take one to push it: True for one process only. The next try is set already, should this one be killed."""
        wait = min(FIRST_WAIT_S * 2.0 ** min(message.attempts, 20), LONGEST_WAIT_S)
        return (
            self._store.write(
                "INSERT INTO pushes (message, service, attempts, next_at) VALUES (?, ?, 1, ?) "
                "ON CONFLICT (message, service) DO UPDATE SET attempts = attempts + 1, next_at = excluded.next_at "
                "WHERE pushed_at IS NULL AND next_at IS NOT NULL AND attempts = ?",
                [(message.id, service, self._clock() + wait, message.attempts)],
            )
            == 1
        )

    def pushed(self, message_id: int, service: str) -> None:
        """The service took it."""
        self._store.write(
            "UPDATE pushes SET pushed_at = ?, next_at = NULL, error = '' WHERE message = ? AND service = ?",
            [(self._clock(), message_id, service)],
        )

    def not_pushed(self, message_id: int, service: str, error: str, *, again: bool) -> None:
        """Why not; ``again``: whether it may be taken later."""
        keep = "next_at" if again else "NULL"
        self._store.write(
            f"UPDATE pushes SET error = ?, next_at = {keep} WHERE message = ? AND service = ?",  # noqa: S608
            [(error, message_id, service)],
        )

    def settle(self, services: Sequence[str]) -> None:
        """What each of these services took, or will never take, is over."""
        marks = ", ".join("?" for _ in services)
        over = (
            f"push = 1 AND next_at IS NOT NULL AND (SELECT COUNT(*) FROM pushes WHERE message = messages.id "  # noqa: S608
            f"AND service IN ({marks}) AND next_at IS NULL) = ?"
        )
        if self._store.read(f"SELECT 1 FROM messages WHERE {over} LIMIT 1", (*services, len(services))):  # noqa: S608
            self._store.write(
                "UPDATE messages SET next_at = NULL, "  # noqa: S608 - constants
                f"pushed_at = (SELECT MAX(pushed_at) FROM pushes WHERE message = messages.id) WHERE {over}",
                [(*services, len(services))],
            )

    def was_pushed(self, key: str) -> bool:
        """Whether a service took it."""
        return bool(
            self._store.read(
                "SELECT 1 FROM pushes p JOIN messages m ON m.id = p.message "
                "WHERE m.key = ? AND p.pushed_at IS NOT NULL",
                (key,),
            )
        )

    def forget_old(self) -> None:
        """Drop what is older than KEPT_S and not still to be pushed."""
        before = self._clock() - KEPT_S
        self._store.write("DELETE FROM messages WHERE at < ? AND (push = 0 OR next_at IS NULL)", [(before,)])
        self._store.write("DELETE FROM pushes WHERE message NOT IN (SELECT id FROM messages)", [()])
        self.published.forget_old()


def _message(row: tuple[Any, ...], attempts: int = 0) -> Message:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Message(**values | {"tags": tuple(json.loads(values["tags"])), "attempts": attempts})

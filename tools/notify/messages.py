"""What is told without being asked: at the door where it was asked for, and on the phone. Kept until it was told."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.contract import Caller
from tools.store import Store

Clock = Callable[[], float]
"""Unix seconds."""

NORMAL = 3
HIGH = 5
"""Priorities of ntfy: what went well, and what somebody has to do something about."""

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 3600.0
"""Between two tries to push a message: twice as long each time, up to an hour, until it was taken."""

SAID_WITHIN_S = 86400.0
"""What nobody was there to hear is not said after a day; the phone has it."""

KEPT_S = 30 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``key`` keeps it from being told twice; ``attempts``: pushes that were tried."""

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
    attempts: int
    error: str


_COLUMNS = (
    "id", "key", "at", "title", "text", "priority", "tags", "who", "door", "room", "conversation", "attempts", "error"
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM messages"  # noqa: S608 - constants


class Messages:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only."""

    def __init__(self, store: Store, clock: Clock = time.time) -> None:
        self._store = store
        self._clock = clock

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

    def announce(self, message_id: int) -> bool:
        """Take a message to say it. True for exactly one of those who try."""
        return (
            self._store.write(
                "UPDATE messages SET said_at = ? WHERE id = ? AND say = 1 AND said_at IS NULL",
                [(self._clock(), message_id)],
            )
            == 1
        )

    def due(self) -> list[Message]:
        """What is to be pushed now, oldest first."""
        query = f"{_SELECT} WHERE push = 1 AND pushed_at IS NULL AND next_at <= ? ORDER BY id"
        return [_message(row) for row in self._store.read(query, (self._clock(),))]

    def take(self, message: Message) -> bool:
        """Take one to push it: True for one process only. The next try is set already, should this one be killed."""
        wait = min(FIRST_WAIT_S * 2.0 ** min(message.attempts, 20), LONGEST_WAIT_S)
        return (
            self._store.write(
                "UPDATE messages SET attempts = attempts + 1, next_at = ? "
                "WHERE id = ? AND attempts = ? AND pushed_at IS NULL",
                [(self._clock() + wait, message.id, message.attempts)],
            )
            == 1
        )

    def pushed(self, message_id: int) -> None:
        """The server took it."""
        self._store.write(
            "UPDATE messages SET pushed_at = ?, next_at = NULL, error = '' WHERE id = ?", [(self._clock(), message_id)]
        )

    def not_pushed(self, message_id: int, error: str, *, again: bool) -> None:
        """Why not; ``again``: whether it may be taken later."""
        keep = "next_at" if again else "NULL"
        self._store.write(f"UPDATE messages SET error = ?, next_at = {keep} WHERE id = ?", [(error, message_id)])  # noqa: S608

    def was_pushed(self, key: str) -> bool:
        """Whether the server took it."""
        return bool(self._store.read("SELECT 1 FROM messages WHERE key = ? AND pushed_at IS NOT NULL", (key,)))

    def forget_old(self) -> None:
        """Drop what is older than KEPT_S and not still to be pushed."""
        self._store.write(
            "DELETE FROM messages WHERE at < ? AND (push = 0 OR next_at IS NULL)", [(self._clock() - KEPT_S,)]
        )


def _message(row: tuple[Any, ...]) -> Message:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Message(**values | {"tags": tuple(json.loads(values["tags"]))})

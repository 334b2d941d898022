"""What did I miss? What came in and was not said, or was said to nobody; each is listed once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.contract import DASHBOARD, Caller, Door, ToolResult
from tools.notify.messages import ANSWERED_WITHIN_S
from tools.store import Store
from tools.wording import counted, sentence

PEOPLES_DOORS = frozenset({Door.MICROPHONE, Door.SATELLITE, Door.REPL, Door.CLI, Door.HTTP, Door.PAGE})
"""Where a person hears the list; a program that asks must not use it up."""

WITHIN_S = 7 * 86400.0
LISTED = 20
"""Of the messages, in the data."""

NAMED = 3
"""Of them, in the spoken sentence."""

NOTHING = "Nothing is running, nothing is scheduled, and you missed nothing."

_NOT_HEARD = (
    "(m.heard_at IS NULL AND (m.said_at IS NULL OR m.said_at < :answered "
    "OR m.said_door IS NOT :door OR m.said_room IS NOT :room))"
)

_OURS = (
    "SELECT m.id, 'jarvis', m.at, m.priority, m.text FROM messages m WHERE m.say = 1 AND m.key NOT LIKE 'incoming:%' "  # noqa: S608 - constants
    f"AND m.at > :since AND m.who IN (:who, 'jarvis', 'house') AND {_NOT_HEARD}"
)  # fmt: skip

_THEIRS = (
    "SELECT i.id, i.source, i.at, i.priority, i.text FROM incoming i LEFT JOIN messages m ON m.id = i.message "  # noqa: S608
    f"WHERE i.listed_at IS NULL AND i.at > :since AND (m.id IS NULL OR {_NOT_HEARD})"
)


@dataclass(frozen=True, slots=True)
class One:
    """A message that was missed. ``source``: "jarvis", or where it came from; ``at``: Unix seconds."""

    id: int
    source: str
    at: float
    priority: int
    text: str

    @property
    def ours(self) -> bool:
        """Whether the words are our own."""
        return self.source == "jarvis"


class Missed:
    """Over the tools' database. Blocks, and raises StoreError only."""

    def __init__(self, store: Store, listening: bool = False, clock: Callable[[], float] = time.time) -> None:
        """``listening``: whether anything from outside is heard, so that having missed nothing is worth a word."""
        self._store = store
        self.listening = listening
        self._clock = clock

    def take(self, caller: Caller) -> list[One]:
        """What this caller has missed, the most important first; it is not missed any more, unless it is
        only shown beside other things. Guests miss nothing."""
        if caller.role == "guest" or caller.door not in PEOPLES_DOORS:
            return []
        now = self._clock()
        values = {
            "since": now - WITHIN_S,
            "answered": now - ANSWERED_WITHIN_S,
            "who": caller.name,
            "door": caller.door.value,
            "room": caller.room,
        }
        ours = [One(*row) for row in self._store.read(_OURS, values)]
        theirs = [One(*row) for row in self._store.read(_THEIRS, values)]
        if caller.conversation != DASHBOARD:
            self._used_up(ours, theirs, now)
        return sorted([*ours, *theirs], key=lambda one: (-one.priority, -one.at))

    def _used_up(self, ours: Sequence[One], theirs: Sequence[One], now: float) -> None:
        if ours:
            self._store.write(
                "UPDATE messages SET heard_at = ?, said_at = COALESCE(said_at, ?) WHERE id = ?",
                [(now, now, one.id) for one in ours],
            )
        if theirs:
            self._store.write("UPDATE incoming SET listed_at = ? WHERE id = ?", [(now, one.id) for one in theirs])
            self._store.write(
                "UPDATE messages SET heard_at = ?, said_at = COALESCE(said_at, ?) WHERE key LIKE 'incoming:%' "
                "AND heard_at IS NULL AND NOT EXISTS "
                "(SELECT 1 FROM incoming WHERE message = messages.id AND listed_at IS NULL)",
                [(now, now)],
            )


def said_missed(missed: Sequence[One]) -> str:
    """ "While you were away, two messages came: …; …."; empty without any."""
    if not missed:
        return ""
    head = f"while you were away, {counted(len(missed), 'message')} came"
    named = "; ".join(one.text.strip().rstrip(".") for one in missed[:NAMED])
    if len(missed) <= NAMED:
        return sentence(f"{head}: {named}")
    return f"{sentence(head)} {sentence(f'The most important: {named}')}"


def with_missed(tasks: ToolResult, missed: Sequence[One], *, idle: bool, listening: bool) -> ToolResult:
    """The list of tasks, and what was missed; ``idle``: there is no task, which is not worth a word beside messages.

    All of it is text from outside: what others sent, and what of theirs (a failing program's words, an alert's) stands
    in messages of our own.
    """
    if not missed:
        return tasks.model_copy(update={"spoken": NOTHING}) if idle and listening else tasks
    messages = [
        {"from": one.source, "at": one.at, "priority": one.priority, "text": one.text} for one in missed[:LISTED]
    ]
    spoken = said_missed(missed) if idle else f"{tasks.spoken} {said_missed(missed)}"
    data = {**tasks.data, "messages": messages, "missed": len(missed)}
    return ToolResult(spoken=spoken, data=data, tainted=True)

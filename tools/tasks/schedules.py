"""What is to be done later, as rows: the words, the time in its canonical form, and the call that was agreed to.

The next moment is computed with ``tools.when.next_time`` in the zone of the machine's clock, and kept; a row is taken
by one statement that names the moment it was kept for, so that nothing is done twice.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.contract import Caller, PlannedCall
from tools.store import Store
from tools.when import is_recurring, next_time
from tools.when.canonical_time import Meaning, meaning_of

Clock = Callable[[], float]
"""Unix seconds."""

_LOCAL = Path("/etc/localtime")

LONG_AGO_S = 40 * 86400.0
"""Further back nobody asks which moment was the last: longer than the longest recurrence."""

SET_BACK_S = 3600.0
"""A clock that is so far behind the last time that something was done was wrong then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One row. ``what``: in words; ``when``: canonical; ``agreed``: the call as it was planned when it was scheduled,
    None for what is only to be said; ``next_at``: None while it is being done; ``role``, ``only``: the rights of who
    scheduled it."""

    id: str
    what: str
    when: str
    agreed: PlannedCall | None
    next_at: float | None
    last_at: float | None
    who: str
    door: str
    room: str | None
    conversation: str | None
    created: float
    built_in: bool
    role: str = "owner"
    only: tuple[str, ...] = ()

    @property
    def recurring(self) -> bool:
        """Whether it comes again."""
        return is_recurring(self.when)


_NEVER = Meaning("")

_COLUMNS = "id, what, due, call, next_at, last_at, who, door, room, conversation, created, built_in, role, only_these"
_SELECT = f"SELECT {_COLUMNS} FROM schedules WHERE enabled = 1"  # noqa: S608 - constants


def local_zone() -> tzinfo:
    """The zone of the machine's clock, with its changes to summer time: TZ, else /etc/localtime, else UTC."""
    named = os.environ.get("TZ", "").removeprefix(":")
    try:
        if named and not named.startswith("/"):
            return ZoneInfo(named)
        with Path(named or _LOCAL).open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return UTC


def moment_after(when: str, at: float, zone: tzinfo) -> float:
    """The first moment (Unix seconds) after ``at`` that a canonical time means. Raises ValueError where none is."""
    return next_time(when, datetime.fromtimestamp(at, zone)).timestamp()


def moments_until(when: str, first: float, now: float, zone: tzinfo) -> tuple[float, float]:
    """Of what recurs and has been due since ``first``: the last moment that has come by ``now``, and the next one (Unix
    seconds). What comes every so many minutes keeps its own beat, however late it is looked at."""
    meaning = meaning_of(when)
    if meaning is not None and meaning.seconds:
        last = first + (now - first) // meaning.seconds * meaning.seconds
        return last, last + meaning.seconds
    last, following = first, moment_after(when, first, zone)
    if following < now - LONG_AGO_S:  # a clock that was years off: no walk through all of them
        last, following = now - LONG_AGO_S, moment_after(when, now - LONG_AGO_S, zone)
    while following <= now:
        last, following = following, moment_after(when, following, zone)
    return last, following


class Schedules:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only, where nothing is said."""

    def __init__(self, store: Store, clock: Clock = time.time, zone: Callable[[], tzinfo] = local_zone) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self.changed: Callable[[], None] = lambda: None
        """Called when something was added: who waits for the next moment has to look again."""

    def now(self) -> float:
        """Unix seconds, by the clock that all of it goes by."""
        return self._clock()

    def add(self, what: str, when: str, agreed: PlannedCall | None, caller: Caller) -> Scheduled:
        """Keep it. Raises ValueError when that time has passed."""
        schedule_id = secrets.token_hex(6)
        self._insert(schedule_id, what, when, agreed, caller, built_in=False)
        self.changed()
        return next(one for one in self.all() if one.id == schedule_id)

    def keep_built_in(self, name: str, what: str, when: str, first_in_s: float) -> None:
        """One of our own tasks: kept once, with the moment it had before a restart; a changed time is taken over."""
        known = next((one for one in self.all() if one.id == name), None)
        if known is not None and known.when == when and known.next_at is not None:
            return
        self._store.write("DELETE FROM schedules WHERE id = ?", [(name,)])
        caller = Caller(name="jarvis")
        self._insert(name, what, when, None, caller, built_in=True, next_at=self._clock() + first_in_s)

    def all(self) -> list[Scheduled]:
        """The next one first."""
        return [_scheduled(row) for row in self._store.read(f"{_SELECT} ORDER BY next_at IS NULL, next_at, rowid")]

    def of_people(self) -> list[Scheduled]:
        """All but our own tasks, the next one first."""
        return [one for one in self.all() if not one.built_in]

    def due(self) -> list[Scheduled]:
        """What is to be done now, the oldest first."""
        rows = self._store.read(f"{_SELECT} AND next_at <= ? ORDER BY next_at, rowid", (self._clock(),))
        return [_scheduled(row) for row in rows]

    def next_at(self) -> float | None:
        """The next moment at which something is to be done."""
        rows = self._store.read("SELECT MIN(next_at) FROM schedules WHERE enabled = 1")
        return float(rows[0][0]) if rows[0][0] is not None else None

    def last_moment(self, one: Scheduled) -> float:
        """Of what is due: when it should have been done, for the last time if that was several times."""
        now = self._clock()
        first = one.next_at if one.next_at is not None else now
        return moments_until(one.when, first, now, self._zone())[0] if one.recurring else first

    def take(self, one: Scheduled) -> bool:
        """Take what is due: True for one caller only. What recurs gets its next moment; what comes once has none now,
        and is ``finished`` when it was done."""
        now = self._clock()
        first = one.next_at if one.next_at is not None else now
        following = moments_until(one.when, first, now, self._zone())[1] if one.recurring else None
        changed = self._store.write(
            "UPDATE schedules SET next_at = ?, last_at = ? WHERE id = ? AND next_at = ? AND enabled = 1",
            [(following, now, one.id, one.next_at)],
        )
        return changed == 1

    def clock_was_set(self, by_s: float) -> None:
        """The clock was set forward (or back, below 0): what waits for time to pass waits as long as it would have."""
        rows = [one for one in self.all() if one.next_at is not None and (meaning_of(one.when) or _NEVER).seconds]
        self._store.write(
            "UPDATE schedules SET next_at = next_at + ? WHERE id = ? AND next_at = ?",
            [(by_s, one.id, one.next_at) for one in rows],
        )

    def reckon_anew(self) -> None:
        """Where something was last done at a time that is still to come, by far, the clock was wrong then: what recurs
        gets the next moment after now, so that it does not wait for years."""
        now = self._clock()
        rows = [
            one
            for one in self.all()
            if one.recurring and one.next_at is not None and (one.last_at or 0.0) > now + SET_BACK_S
        ]
        self._store.write(
            "UPDATE schedules SET next_at = ?, last_at = NULL WHERE id = ? AND next_at = ?",
            [(moment_after(one.when, now, self._zone()), one.id, one.next_at) for one in rows],
        )

    def finished(self, one: Scheduled) -> None:
        """It was done; what comes once is forgotten."""
        if not one.recurring:
            self.remove(one.id)

    def broken_off(self) -> list[Scheduled]:
        """What was taken and never finished: the process that did it was killed."""
        rows = self._store.read(f"{_SELECT} AND next_at IS NULL")
        return [_scheduled(row) for row in rows]

    def remove(self, schedule_id: str) -> bool:
        """Take it back. False when it is gone already."""
        return self._store.write("DELETE FROM schedules WHERE id = ?", [(schedule_id,)]) == 1

    def _insert(
        self,
        schedule_id: str,
        what: str,
        when: str,
        agreed: PlannedCall | None,
        caller: Caller,
        *,
        built_in: bool,
        next_at: float | None = None,
    ) -> None:
        now = self._clock()
        first = next_at if next_at is not None else moment_after(when, now, self._zone())
        self._store.write(
            "INSERT INTO schedules (id, what, due, call, digest, trigger, next_at, who, door, room, conversation, "
            "created, built_in, role, only_these) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    schedule_id, what, when,
                    agreed.model_dump_json() if agreed else "", agreed.digest if agreed else "",
                    "recurring" if is_recurring(when) else "once", first, caller.name, caller.door.value, caller.room,
                    caller.conversation, now, int(built_in), caller.role, json.dumps(caller.only),
                )
            ],
        )  # fmt: skip


def _scheduled(row: tuple[Any, ...]) -> Scheduled:
    schedule_id, what, when, call, next_at, last_at, who, door, room, conversation, created, built_in, role, only = row
    return Scheduled(
        id=schedule_id, what=what, when=when, agreed=PlannedCall.model_validate_json(call) if call else None,
        next_at=next_at, last_at=last_at, who=who, door=door, room=room, conversation=conversation, created=created,
        built_in=bool(built_in), role=role, only=tuple(json.loads(only)),
    )  # fmt: skip

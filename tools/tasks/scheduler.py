"""Keeps the time: what was scheduled, our own tasks, jobs that were lost, and messages that wait for ntfy.

One for each state folder, in the process that owns it. Late is said: what harms nobody when it comes late (backups,
restore tests, reminders) comes late; any other order that was missed by more than MISSED_S is not done any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.contract import RINGS_TAG, Caller, CallOutcome, Door, PlannedCall
from tools.jobs.locks import take
from tools.jobs.recovery import recover
from tools.keeping.retention import RetentionReport, sweep
from tools.notify.messages import HIGH, NORMAL, Messages
from tools.notify.services import can_push, deliver, push_services
from tools.settings import ToolSettings
from tools.store import Store, StoreError
from tools.tasks.sayings import ALARM, TIMER, said_broken_off, said_due, said_missed, said_not_done, sort_of
from tools.tasks.schedules import Scheduled, Schedules

log = logging.getLogger(__name__)

BEAT_S = 10.0
"""The longest sleep: a clock that was set, and what another process wrote, is seen after that."""

SHORTEST_S = 0.05

STEP_S = 2.0
"""A clock that goes apart by more between two looks was set; NTP slews it by no more than 5 ms in BEAT_S."""

MISSED_S = 300.0
"""An order that is late by more is not carried out any more, but for those of LATE_IS_FINE."""

LATE_IS_FINE = frozenset({"run_backup", "test_restore"})

FORGET_EVERY_S = 86400.0
FORGET_FIRST_S = 3600.0
"""After the start: by then a clock that was wrong at boot is set."""

Call = Callable[[PlannedCall, Caller], Awaitable[CallOutcome]]
"""Carries out what was agreed to, for whoever scheduled it, as far as they still may."""


def passed() -> float:
    """Seconds that have passed, also while the machine slept, however its clock was set (Linux: CLOCK_BOOTTIME; on
    macOS CLOCK_MONOTONIC counts sleep)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One of our own tasks: when, canonical; how long after the first start; what it does."""

    what: str
    when: str
    first_in_s: float
    do: Callable[[], Awaitable[None]]


class Scheduler:
    """``run`` until it is cancelled."""

    name = "scheduler"

    def __init__(
        self,
        settings: ToolSettings,
        state_dir: Path,
        store: Store,
        schedules: Schedules,
        call: Call,
        built_in: Mapping[str, BuiltIn],
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = passed,
    ) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._store = store
        self._schedules = schedules
        self._messages = Messages(store, clock)
        self._call = call
        self._built_in = built_in
        self._clock = clock
        self._ticks = ticks
        self._offset: float | None = None
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._forget_at = ticks() + FORGET_FIRST_S
        self.swept: Callable[[RetentionReport], None] = lambda _: None
        """Told what was dropped, once a day."""

    async def run(self) -> None:
        """Keep the time. Another scheduler of the same state folder is waited for, and taken over from."""
        lock = await asyncio.to_thread(os.open, self._state_dir / "scheduler.lock", os.O_RDWR | os.O_CREAT, 0o600)
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._schedules.changed = wake
        try:
            while not take(lock):  # noqa: ASYNC110 - the kernel tells nobody when a lock is free
                await asyncio.sleep(BEAT_S)
            while not await self.begin():  # noqa: ASYNC110 - a database that is full or locked tells nobody either
                await asyncio.sleep(BEAT_S)
            while True:
                wait = await self.beat()
                try:
                    async with asyncio.timeout(wait):
                        await woken.wait()
                except TimeoutError:
                    pass
                woken.clear()
        finally:
            self._schedules.changed = lambda: None
            await self.close()
            os.close(lock)

    async def close(self) -> None:
        """End what is being done."""
        tasks = list(self._doing.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def begin(self) -> bool:
        """Once: our own tasks stand in the table, and what a crash broke off is said."""
        try:
            await asyncio.to_thread(self._set_up)
        except StoreError as error:
            log.warning("nothing is scheduled: %s", error)
            return False
        return True

    def _set_up(self) -> None:
        self._schedules.reckon_anew()
        for one in self._schedules.all():
            if one.built_in and one.id not in self._built_in:  # no longer configured: it would be said as a reminder
                self._schedules.remove(one.id)
        for name, task in self._built_in.items():
            self._schedules.keep_built_in(name, task.what, task.when, task.first_in_s)
        for one in self._schedules.broken_off():
            if one.agreed is None:
                self._tell(one, said_due(one, self._clock() - (one.last_at or self._clock())), NORMAL)
            else:
                self._tell(one, said_broken_off(one), HIGH)  # unless its end was told already
            self._schedules.finished(one)

    async def idle(self) -> None:
        """Until all that was begun is done."""
        while self._doing:
            await asyncio.wait(list(self._doing.values()))

    async def beat(self) -> float:
        """Begin everything that is due; how long to sleep (seconds)."""
        try:
            await self._look_at_the_clock()
            await asyncio.to_thread(recover, self._state_dir, self._store, self._settings, self._clock)
            self._start("push", self._push)
            for one in await asyncio.to_thread(self._schedules.due):
                if one.id not in self._doing and await asyncio.to_thread(self._schedules.take, one):
                    self._start(one.id, partial(self._do, one))
            await self._forget()
            following = await asyncio.to_thread(self._schedules.next_at)
        except StoreError as error:
            log.warning("the schedule cannot be read: %s", error)
            return BEAT_S
        if following is None:
            return BEAT_S
        return min(max(following - self._clock(), SHORTEST_S), BEAT_S)

    async def _look_at_the_clock(self) -> None:
        """A timer is about time that passes: where the clock was set meanwhile, by hand or by NTP, it goes along."""
        offset = self._clock() - self._ticks()
        by_s, self._offset = offset - (self._offset if self._offset is not None else offset), offset
        if abs(by_s) > STEP_S:
            log.warning("the clock was set by %+.0f s", by_s)
            self._forget_at = self._ticks() + FORGET_EVERY_S  # what is old by a wrong clock is not old
            await asyncio.to_thread(self._schedules.clock_was_set, by_s)
            await asyncio.to_thread(self._schedules.reckon_anew)

    def _start(self, name: str, do: Callable[[], Awaitable[None]]) -> None:
        """In a task of its own, so that a slow one makes no timer late; one at a time of each."""
        if name in self._doing:
            return
        task = asyncio.ensure_future(self._guarded(name, do))
        self._doing[name] = task
        task.add_done_callback(lambda _: self._doing.pop(name, None))

    async def _guarded(self, name: str, do: Callable[[], Awaitable[None]]) -> None:
        try:
            await do()
        except Exception:  # the edge: one task that breaks must not stop the clock for all
            log.exception("the task %s failed", name)

    async def _push(self) -> None:
        if services := push_services(self._settings):
            await deliver(services, self._messages)

    async def _forget(self) -> None:
        if self._ticks() >= self._forget_at:
            self._forget_at = self._ticks() + FORGET_EVERY_S
            self.swept(await asyncio.to_thread(sweep, self._store, self._settings, self._state_dir, self._clock()))

    async def _do(self, one: Scheduled) -> None:
        built_in = self._built_in.get(one.id) if one.built_in else None
        moment = await asyncio.to_thread(self._schedules.last_moment, one)
        late_s = self._clock() - moment

        async def tell(text: str, priority: int) -> None:
            await asyncio.to_thread(self._tell, one, text, priority, moment)

        if built_in is not None:
            await built_in.do()
        elif one.agreed is None:
            await tell(said_due(one, late_s), NORMAL)
        elif late_s > MISSED_S and one.agreed.tool not in LATE_IS_FINE:
            await tell(said_missed(one), HIGH)
        else:
            await self._carry_out(one, one.agreed, tell)
        await asyncio.to_thread(self._schedules.finished, one)

    async def _carry_out(
        self, one: Scheduled, agreed: PlannedCall, tell: Callable[[str, int], Awaitable[None]]
    ) -> None:
        """Told of at the door where it was scheduled, but for a job that was started: that is told when it is over."""
        outcome = await self._call(agreed, _asked_by(one))
        if outcome.ok and outcome.result is not None and outcome.result.data.get("started") is True:
            return
        spoken = outcome.spoken if outcome.ok else said_not_done(one, outcome.spoken)
        await tell(spoken, NORMAL if outcome.ok else HIGH)

    def _tell(self, one: Scheduled, text: str, priority: int, moment: float | None = None) -> None:
        """Once for each moment at which it should come, however often it is tried."""
        key = f"schedule:{one.id}:{moment:.0f}" if one.recurring and moment else f"schedule:{one.id}"
        push = can_push(self._settings)
        tags = (RINGS_TAG,) if one.agreed is None and sort_of(one.what) in (TIMER, ALARM) else ()
        self._messages.add(text, _asked_by(one), priority=priority, push=push, key=key, tags=tags)


def _asked_by(one: Scheduled) -> Caller:
    """With the rights that they had then, at the door where they said it."""
    return Caller(
        name=one.who,
        role=one.role,
        door=Door(one.door),
        room=one.room,
        conversation=one.conversation,
        only=one.only,
    )

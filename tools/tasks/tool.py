"""``schedule``, ``list_tasks``, ``cancel_task``: timers, reminders and calls that come later or again and again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from tools.calling import current_caller, said_by, said_in
from tools.contract import Candidates, Door, JsonObject, Level, PlannedCall, ToolResult
from tools.jobs.ledger import Job, JobLedger
from tools.jobs.sayings import name_of
from tools.names import is_name, plain
from tools.notify.missed import Missed, with_missed
from tools.tasks.sayings import (
    ALARM,
    ALARM_WORDS,
    REMINDER,
    REMINDER_WORDS,
    TIMER,
    TIMER_WORDS,
    meant,
    name_of_scheduled,
    said_set,
    said_tasks,
)
from tools.tasks.schedules import Scheduled, Schedules
from tools.tool import Arguments, InvalidArgumentsError, UnavailableError
from tools.when import parse_when
from tools.wording import listing, sentence

ReadOrder = Callable[[str], PlannedCall | Candidates | None]
"""What an order in words ("restore test of photos") comes to: planned, to be asked back, or not understood."""

Clock = Callable[[], datetime]
"""Local time."""

AT_NIGHT = frozenset({"run_backup", "test_restore"})
"""What is meant to run at night: "every sunday at three" is 03:00."""

_HERE = re.compile(r"\b(?:in )?(?:here|this room)\b", re.IGNORECASE)

_SMALL = frozenset({"the", "my", "our", "a", "an", "that", "this", "one", "please"})


class ScheduleArguments(Arguments):
    """Input of ``schedule``."""

    what: str = Field(min_length=1, max_length=300, description='"timer", reminder or order')
    when: str = Field(description='"in 5 minutes", "every sunday at 03:00"')


class ListTasksArguments(Arguments):
    """Input of ``list_tasks``: nothing."""


class CancelTaskArguments(Arguments):
    """Input of ``cancel_task``."""

    task: str = Field(min_length=1, max_length=300)


class Schedule:
    """Timers, reminders, recurring calls; an order is planned when it is scheduled, and needs its yes then."""

    name: ClassVar[str] = "schedule"
    description: ClassVar[str] = "Timers, reminders, and orders for later or again and again."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = ScheduleArguments
    deadline_s = 10.0

    def __init__(self, read_order: ReadOrder, clock: Clock, schedules: Schedules) -> None:
        self._read_order = read_order
        self._clock = clock
        self._schedules = schedules

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """The time in its canonical form, and the level of what is to be done. Raises InvalidArgumentsError."""
        wanted = ScheduleArguments.model_validate(arguments.model_dump())
        what = " ".join(wanted.what.split())
        words = set(plain(what))
        own = bool(words & (TIMER_WORDS | REMINDER_WORDS | ALARM_WORDS))
        order = self._order_in(what)
        at_night = isinstance(order, PlannedCall) and order.tool in AT_NIGHT
        when = parse_when(wanted.when, self._clock(), recurring_night=at_night)
        if when is None:
            raise InvalidArgumentsError(
                f"schedule: when: {wanted.when[:60]!r} is no time; say it like 'in 5 minutes' or 'tomorrow at 07:30'."
            )
        planned = {"what": what, "when": when}
        if isinstance(order, Candidates):
            return order
        if order is not None and said_in().room is not None:
            planned["what"] = what = self._with_its_room(what, order)
        if order is None:  # an order that nobody understands is kept as a reminder of it, which harms nothing
            readback = f"set {what} {when}" if own else f"remind you {when}: {what}"
            return PlannedCall(tool=self.name, arguments=planned, level=Level.OPERATE, readback=readback)
        return PlannedCall(
            tool=self.name,
            arguments=planned,
            level=Level.OPERATE if order.level is Level.READ else order.level,
            protected=order.protected,
            readback=f"{order.readback or what} {when}",
            schedules=order,
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Keep it, with the order as it is planned now. Raises StoreError, and UnavailableError where the time has
        passed or the order means something else by now."""
        what, when = str(call.arguments["what"]), str(call.arguments["when"])
        order = self._order_in(what)
        if isinstance(order, Candidates) or (order is not None and _is_another(order, call)):
            raise UnavailableError("That means something else now, so I scheduled nothing.")
        try:
            kept = await asyncio.to_thread(self._schedules.add, what, when, order, current_caller())
        except ValueError as error:
            raise UnavailableError("That time has passed, so I scheduled nothing.") from error
        readback = "" if order is None else (order.readback or what)
        return ToolResult(spoken=said_set(what, when, readback), data=_scheduled_as_json(kept))

    def _with_its_room(self, what: str, order: PlannedCall) -> str:
        """The order in words that mean the same wherever they are read again. Raises InvalidArgumentsError."""
        place = str(order.arguments.get("area", ""))
        named = f"in the {place}"
        for words in (what, _HERE.sub(named, what), f"{what} {named}"):
            with said_by(None):
                again = self._order_in(words)
            if isinstance(again, PlannedCall) and again.digest == order.digest:
                return words
        raise InvalidArgumentsError("schedule: what: say it with its room, for example 'turn off the kitchen light'.")

    def _order_in(self, what: str) -> PlannedCall | Candidates | None:
        """The order that these words are; None for a timer, a reminder, or words that are none."""
        own = bool(set(plain(what)) & (TIMER_WORDS | REMINDER_WORDS | ALARM_WORDS))
        return None if own else self._read_order(what)


def _is_another(order: PlannedCall, agreed: PlannedCall) -> bool:
    """Whether an order is not what was agreed to, or takes more."""
    if agreed.schedules is None or order.digest != agreed.schedules.digest:
        return True
    if order.protected and not agreed.protected:
        return True
    return order.level is not Level.READ and list(Level).index(order.level) > list(Level).index(agreed.level)


def _is_foreign(one: Scheduled) -> bool:
    """Whether a model or a program outside may have worded it. What somebody said in the house is theirs."""
    return one.door in _WORDED_OUTSIDE and not is_name(one.what)


_WORDED_OUTSIDE = frozenset({Door.MCP.value, Door.HTTP.value})


def _scheduled_as_json(one: Scheduled) -> JsonObject:
    return {
        "id": one.id, "what": one.what, "when": one.when, "next_at": one.next_at, "recurring": one.recurring,
        "call": one.agreed.model_dump(mode="json", include={"tool", "arguments"}) if one.agreed else None,
    }  # fmt: skip


class ListTasks:
    """What is set, scheduled or running."""

    name: ClassVar[str] = "list_tasks"
    description: ClassVar[str] = "Timers, reminders, schedules and running jobs."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = ListTasksArguments
    deadline_s = 5.0

    def __init__(self, ledger: JobLedger, schedules: Schedules, missed: Missed | None = None) -> None:
        """``missed``: what the caller has not heard yet is told, too ("what did I miss?")."""
        self._ledger = ledger
        self._schedules = schedules
        self._missed = missed

    def plan(self, arguments: Arguments) -> PlannedCall:
        """Nothing to resolve."""
        return PlannedCall(tool=self.name, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises StoreError."""
        jobs = await asyncio.to_thread(self._ledger.active)
        scheduled = await asyncio.to_thread(self._schedules.of_people)
        tasks = said_tasks(jobs, scheduled, self._schedules.now())
        data: JsonObject = {
            "jobs": [_job_as_json(job) for job in jobs],
            "scheduled": [_scheduled_as_json(one) for one in scheduled],
        }
        listed = ToolResult(spoken=tasks, data=data, tainted=any(_is_foreign(one) for one in scheduled))
        if self._missed is None:
            return listed
        missed = await asyncio.to_thread(self._missed.take, current_caller())
        return with_missed(listed, missed, idle=not (jobs or scheduled), listening=self._missed.listening)


class CancelTask:
    """Take back a timer, a reminder, a schedule or a running job."""

    name: ClassVar[str] = "cancel_task"
    description: ClassVar[str] = "Cancel a timer, reminder, schedule or running job."
    level: ClassVar[Level] = Level.OPERATE
    arguments: ClassVar[type[Arguments]] = CancelTaskArguments
    deadline_s = 5.0

    def __init__(self, ledger: JobLedger, schedules: Schedules) -> None:
        self._ledger = ledger
        self._schedules = schedules

    def plan(self, arguments: Arguments) -> PlannedCall:
        """The task by its words: "timer", "pasta timer", "restore test of photos"."""
        wanted = CancelTaskArguments.model_validate(arguments.model_dump())
        words = wanted.task.casefold().split()
        while len(words) > 1 and words[0] in _SMALL:
            words = words[1:]
        for known, name in ((TIMER_WORDS, TIMER), (REMINDER_WORDS, REMINDER), (ALARM_WORDS, ALARM)):
            if words and known.issuperset(words):
                return self._planned(name)
        return self._planned(" ".join(words) or wanted.task)

    def _planned(self, task: str) -> PlannedCall:
        return PlannedCall(tool=self.name, arguments={"task": task}, level=self.level, readback=f"cancel the {task}")

    async def execute(self, call: PlannedCall) -> ToolResult:
        """What runs is asked to end, what is kept is removed. Raises StoreError, and UnavailableError where nothing,
        or more than one thing, goes by these words."""
        said = str(call.arguments["task"])
        jobs = await asyncio.to_thread(self._ledger.active)
        scheduled = await asyncio.to_thread(self._schedules.of_people)
        found = meant(said, jobs, scheduled)
        if not found:
            nothing = "Nothing is running or scheduled" if not (jobs or scheduled) else f"There is no {said}"
            raise UnavailableError(f"{nothing}, so I cancelled nothing.")
        if len(found) > 1:
            names = [name_of(one) if isinstance(one, Job) else name_of_scheduled(one) for one in found]
            raise UnavailableError(f"Which one? There are {listing(names[:4])}.")
        return await asyncio.to_thread(self._cancel, found[0])

    def _cancel(self, one: Job | Scheduled) -> ToolResult:
        if isinstance(one, Job):
            if not self._ledger.ask_cancel(one.id):
                raise UnavailableError(sentence(f"{name_of(one)} is over already"))
            return ToolResult(spoken=sentence(f"I'm cancelling {name_of(one)}"), data=_job_as_json(one))
        if not self._schedules.remove(one.id):
            raise UnavailableError("That one is gone already.")
        return ToolResult(spoken=sentence(f"I cancelled this: {name_of_scheduled(one)}"), data=_scheduled_as_json(one))


def _job_as_json(job: Job) -> JsonObject:
    return {
        "job_id": job.id, "tool": job.tool, "subject": job.subject, "state": job.state.value, "progress": job.progress,
        "doing": job.doing, "asked_at": job.asked_at, "cancel": job.cancel,
    }  # fmt: skip

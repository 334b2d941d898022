"""``schedule``, ``list_tasks``, ``cancel_task``: timers, reminders and calls that come later or again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import plain
from tools.tool import Arguments, InvalidArgumentsError, UnavailableError
from tools.when import parse_when

ReadOrder = Callable[[str], PlannedCall | Candidates | None]
"""What an order in words ("restore test of photos") comes to: planned, to be asked back, or not understood."""

Clock = Callable[[], datetime]
"""Local time."""

AT_NIGHT = frozenset({"run_backup", "test_restore"})
"""What is meant to run at night: "every sunday at three" is 03:00."""

TIMER = "timer"
REMINDER = "reminder"
ALARM = "alarm"
_TIMER_WORDS = frozenset({"timer", "timers", "countdown"})
_REMINDER_WORDS = frozenset({"remind", "reminder", "reminders"})
_ALARM_WORDS = frozenset({"alarm", "alarms", "wake"})
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

    def __init__(self, read_order: ReadOrder, clock: Clock) -> None:
        self._read_order = read_order
        self._clock = clock

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """The time in its canonical form, and the level of what is to be done. Raises InvalidArgumentsError."""
        wanted = ScheduleArguments.model_validate(arguments.model_dump())
        what = " ".join(wanted.what.split())
        words = set(plain(what))
        own = bool(words & (_TIMER_WORDS | _REMINDER_WORDS | _ALARM_WORDS))
        order = None if own else self._read_order(what)
        at_night = isinstance(order, PlannedCall) and order.tool in AT_NIGHT
        when = parse_when(wanted.when, self._clock(), recurring_night=at_night)
        if when is None:
            raise InvalidArgumentsError(
                f"schedule: when: {wanted.when[:60]!r} is no time; say it like 'in 5 minutes' or 'tomorrow at 07:30'."
            )
        planned = {"what": what, "when": when}
        if isinstance(order, Candidates):
            return order
        if order is None:  # an order that nobody understands is kept as a reminder of it, which harms nothing
            readback = f"set {what} {when}" if own else f"remind you {when}: {what}"
            return PlannedCall(tool=self.name, arguments=planned, level=Level.OPERATE, readback=readback)
        return PlannedCall(
            tool=self.name,
            arguments=planned,
            level=Level.OPERATE if order.level is Level.READ else order.level,
            protected=order.protected,
            readback=f"{order.readback or what} {when}",
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: nothing keeps the time."""
        raise UnavailableError("I can't keep timers or schedules yet.")


class ListTasks:
    """What is set, scheduled or running."""

    name: ClassVar[str] = "list_tasks"
    description: ClassVar[str] = "Timers, reminders, schedules and running jobs."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = ListTasksArguments
    deadline_s = 5.0

    def plan(self, arguments: Arguments) -> PlannedCall:
        """Nothing to resolve."""
        return PlannedCall(tool=self.name, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: nothing keeps tasks."""
        raise UnavailableError("I can't keep timers or schedules yet, so there are none.")


class CancelTask:
    """Take back a timer, a reminder, a schedule or a running job."""

    name: ClassVar[str] = "cancel_task"
    description: ClassVar[str] = "Cancel a timer, reminder, schedule or running job."
    level: ClassVar[Level] = Level.OPERATE
    arguments: ClassVar[type[Arguments]] = CancelTaskArguments
    deadline_s = 5.0

    def plan(self, arguments: Arguments) -> PlannedCall:
        """The task by its words: "timer", "pasta timer", "restore test of photos"."""
        wanted = CancelTaskArguments.model_validate(arguments.model_dump())
        words = wanted.task.casefold().split()
        while len(words) > 1 and words[0] in _SMALL:
            words = words[1:]
        for known, name in ((_TIMER_WORDS, TIMER), (_REMINDER_WORDS, REMINDER), (_ALARM_WORDS, ALARM)):
            if words and known.issuperset(words):
                return self._planned(name)
        return self._planned(" ".join(words) or wanted.task)

    def _planned(self, task: str) -> PlannedCall:
        return PlannedCall(tool=self.name, arguments={"task": task}, level=self.level, readback=f"cancel the {task}")

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: nothing keeps tasks."""
        raise UnavailableError("I can't keep timers or schedules yet, so there is nothing to cancel.")

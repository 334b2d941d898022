"""A year of a thousand tasks on a virtual clock: ``python -m tests.tools.tasks.year``.

Europe/Berlin with its two changes, restarts with hours of darkness between them, processes that are killed while they
do something, clocks that NTP sets a little, and clocks that are months off for a while. For each task the moments at
which it has to come are worked out independently of ``tools.when`` (days counted one by one, summer time by going
there and back), and what was done, said, or said to be missed is held against them. Exit code 1 where one task came
once too often or too seldom.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import random
import sys
import tempfile
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.progress import Progress

from tools.contract import Caller, CallOutcome, Level, PlannedCall, ToolResult
from tools.settings import ToolSettings
from tools.store import Store
from tools.tasks.scheduler import MISSED_S, Scheduler
from tools.tasks.schedules import SET_BACK_S, Schedules

ZONE = ZoneInfo("Europe/Berlin")
CALLER = Caller(name="anna", room="kitchen")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LATE_IS_FINE, LATE_IS_NOT = "run_backup", "vm_power"


def seconds_of(day: date, clock: str) -> float:
    """Unix time of a time on the wall: the first of two, an hour later where there is none."""
    hour, minute = map(int, clock.split(":"))
    wall = datetime(day.year, day.month, day.day, hour, minute)
    before = wall.replace(tzinfo=ZONE).astimezone(UTC)
    return before.timestamp()


@dataclass
class Task:
    """``moments``: Unix times at which it has to come, all of them up to long after the year."""

    number: int
    when: str
    tool: str
    moments: list[float]
    every_s: int = 0
    next_at: float | None = None
    last_at: float | None = None
    expected: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    told: set[float] = field(default_factory=set)
    id: str = ""

    @property
    def recurring(self) -> bool:
        return self.every_s > 0 or len(self.moments) > 1

    def after(self, at: float) -> float | None:
        if self.every_s:
            return at + self.every_s
        following = bisect.bisect_right(self.moments, at)
        return self.moments[following] if following < len(self.moments) else None

    def come(self, now: float) -> None:
        """What has to have happened when somebody looks at ``now``."""
        if self.next_at is None or self.next_at > now:
            return
        if self.every_s:
            last = self.next_at + (now - self.next_at) // self.every_s * self.every_s
            self.next_at = last + self.every_s
        elif self.recurring:
            last = self.moments[bisect.bisect_right(self.moments, now) - 1]
            self.next_at = self.after(now)
        else:
            last, self.next_at = self.next_at, None
        missed = now - last > MISSED_S and self.tool == LATE_IS_NOT
        if not missed:
            self.expected["done"] += 1
        elif last not in self.told:  # a clock that is off twice may come to the same moment twice: it is told once
            self.expected["missed"] += 1
        self.told.add(last)
        self.last_at = now

    def clock_set(self, by_s: float, now: float) -> None:
        if self.next_at is None:
            return
        if self.every_s or self.when.startswith("in "):
            self.next_at += by_s
        self.restarted(now)

    def restarted(self, now: float) -> None:
        if self.recurring and self.next_at is not None and (self.last_at or 0.0) > now + SET_BACK_S:
            self.next_at, self.last_at = self.after(now), None


def tasks(count: int, chance: random.Random, begin_day: date, days: int) -> Iterator[Task]:
    """A house's: a third comes once, the rest weekly, monthly, daily, and some every few hours."""
    begin, first = seconds_of(begin_day, "00:00"), begin_day
    horizon = [first + timedelta(days=ahead) for ahead in range(-1, 5 * days + 800)]
    for number in range(count):
        clock = f"{chance.randrange(24):02}:{chance.choice((0, 0, 15, 30, 59)):02}"
        if number % 17 == 0:
            clock = "02:30"  # which one night has not, and another has twice
        tool = chance.choice((LATE_IS_FINE, LATE_IS_NOT))
        sort = number % 20
        if sort < 4:
            hours = chance.randrange(1, 24 * days)
            yield Task(number, f"in {hours} hours", tool, [begin + 3600 * hours])
        elif sort < 7:
            day = first + timedelta(days=chance.randrange(1, days))
            yield Task(number, f"on {day.isoformat()} at {clock}", tool, [seconds_of(day, clock)])
        elif sort < 12:
            name = chance.choice(DAYS)
            wanted = [day for day in horizon if DAYS[day.weekday()] == name]
            yield Task(number, f"every {name} at {clock}", tool, [seconds_of(day, clock) for day in wanted])
        elif sort < 16:
            wanted_day = chance.randrange(1, 32)
            wanted = [day for day in horizon if day.day == min(wanted_day, monthrange(day.year, day.month)[1])]
            when = f"monthly on day {wanted_day} at {clock}"
            yield Task(number, when, tool, [seconds_of(day, clock) for day in wanted])
        elif sort < 19:
            name, among = chance.choice((("day", range(7)), ("weekday", range(5)), ("weekend", range(5, 7))))
            wanted = [day for day in horizon if day.weekday() in among]
            yield Task(number, f"every {name} at {clock}", tool, [seconds_of(day, clock) for day in wanted])
        else:
            hours = chance.randrange(4, 13)
            yield Task(number, f"every {hours} hours", tool, [], every_s=3600 * hours)


class Year:
    """The house over that time."""

    def __init__(self, folder: Path, count: int, days: int, seed: int, begin: date = date(2026, 1, 1)) -> None:
        self.folder = folder
        self.chance = random.Random(seed)  # noqa: S311 - a simulation
        self.tasks = list(tasks(count, self.chance, begin, days))
        self.wall = seconds_of(begin, "00:00")
        self.ticks = 0.0
        self.end_ticks = days * 86400.0
        self.events: Counter[str] = Counter()
        self.by_digest: dict[str, Task] = {}
        self.killing = False

    async def call(self, agreed: PlannedCall, caller: Caller) -> CallOutcome:
        """What is carried out, and by whom it was asked for."""
        task = self.by_digest[agreed.digest]
        task.seen["done"] += 1
        if caller.room != CALLER.room:
            task.seen["in the wrong room"] += 1
        if self.killing:
            await asyncio.Event().wait()  # until the process is killed
        return CallOutcome(ok=True, spoken="Done.", tool=agreed.tool, result=ToolResult(spoken="Done."))

    async def run(self, progress: Progress | None = None) -> None:
        """To the end of the year, through one life of the process after another."""
        bar = progress.add_task("a year", total=self.end_ticks) if progress else None
        first = True
        while self.ticks < self.end_ticks:
            with Store(self.folder / "jarvis.db") as store:
                schedules = Schedules(store, lambda: self.wall, lambda: ZONE)
                if first:
                    self._schedule(schedules)
                    first = False
                await self._live(store, schedules)
                self._count_missed(store)
            self._dark()
            if progress and bar is not None:
                progress.update(bar, completed=min(self.ticks, self.end_ticks))

    def _schedule(self, schedules: Schedules) -> None:
        for task in self.tasks:
            readback = f"do {task.number}"
            order = PlannedCall(tool=task.tool, arguments={"n": task.number}, level=Level.OPERATE, readback=readback)
            kept = schedules.add(readback, task.when, order, CALLER)
            task.id, task.next_at = kept.id, task.after(self.wall) if task.recurring else task.moments[0]
            self.by_digest[order.digest] = task

    async def _live(self, store: Store, schedules: Schedules) -> None:
        """From a start to a power cut, a few days or weeks later."""
        scheduler = Scheduler(
            ToolSettings(), self.folder, store, schedules, self.call, {}, lambda: self.wall, lambda: self.ticks
        )
        await scheduler.begin()
        for task in self.tasks:
            task.restarted(self.wall)
        until = min(self.ticks + self.chance.expovariate(1 / (9 * 86400.0)), self.end_ticks)
        set_at = self.ticks + self.chance.expovariate(1 / (5 * 86400.0))
        back_s = 0.0
        while True:
            await self._beat(scheduler)
            following = schedules.next_at()
            wait = min(following - self.wall if following is not None else 86400.0, until - self.ticks)
            if set_at <= min(self.ticks + wait, until):
                self._pass(max(set_at - self.ticks, 0.0))
                self._count_missed(store)  # before it is a month old, and forgotten
                back_s = self._set_clock(back_s)
                set_at = self.ticks + (self.chance.uniform(600, 7200) if back_s else 5 * 86400.0)
            elif self.ticks + wait >= until:
                self._pass(until - self.ticks)
                break
            else:
                self._pass(max(wait, 0.0) + self.chance.uniform(0.0, 0.2))
        if back_s:
            self._set_clock(back_s)
        await self._beat(scheduler)
        await self._end(scheduler, schedules)

    async def _beat(self, scheduler: Scheduler) -> None:
        for task in self.tasks:
            task.come(self.wall)
        await scheduler.beat()
        if not self.killing:
            await scheduler.idle()

    async def _end(self, scheduler: Scheduler, schedules: Schedules) -> None:
        """Now and then it is killed while it does something."""
        following = schedules.next_at()
        if following is not None and self.chance.random() < 0.5:
            self.events["killed at work"] += 1
            self._pass(max(following - self.wall, 0.0) + 0.1)
            self.killing = True
            before = sum(task.seen["done"] for task in self.tasks)
            due = [task for task in self.tasks if task.next_at is not None and task.next_at <= self.wall]
            await self._beat(scheduler)
            async with asyncio.timeout(30):
                while sum(task.seen["done"] for task in self.tasks) < before + len(due):  # noqa: ASYNC110 - threads
                    await asyncio.sleep(0.001)
            self.killing = False
        await scheduler.close()

    def _dark(self) -> None:
        self.events["restarts"] += 1
        self._pass(self.chance.choice((5.0, 60.0, 600.0, 4 * 3600.0, 36 * 3600.0)))

    def _pass(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds

    def _set_clock(self, back_s: float) -> float:
        """Set it, and say by how much it has to be set back later."""
        if back_s:
            by_s, later = -back_s, 0.0
            self.events["clock mended"] += 1
        elif self.chance.random() < 0.15:
            by_s = later = self.chance.uniform(20, 400) * 86400.0
            self.events["clock months off"] += 1
        else:
            by_s, later = self.chance.choice((-1, 1)) * self.chance.uniform(5.0, 0.8 * SET_BACK_S), 0.0
            self.events["clock set"] += 1
        self.wall += by_s
        for task in self.tasks:
            task.clock_set(by_s, self.wall)
        return later

    def _count_missed(self, store: Store) -> None:
        """What was told to be missed, and is told once."""
        told = store.read("SELECT text, id FROM messages WHERE text LIKE '%so I did not%'")
        for text, _ in told:
            self.tasks[int(str(text).partition(" do ")[2].split(".")[0].split()[0])].seen["missed"] += 1
        store.write("DELETE FROM messages", [()])
        for task in self.tasks:
            task.told.clear()

    def wrong(self) -> list[str]:
        """One line for each task that did not come as often as it should."""
        return [
            f"{task.when}: {dict(task.seen)} and not {dict(task.expected)}"
            for task in self.tasks
            if +task.seen != +task.expected
        ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.tasks.year", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jarvis-year-") as folder, Progress() as progress:
        year = Year(Path(folder), options.tasks, options.days, options.seed)
        asyncio.run(year.run(progress))
    total = Counter[str]()
    for task in year.tasks:
        total += task.seen
    sys.stdout.write(
        f"{options.tasks} tasks, {options.days} days: {total['done']} done, {total['missed']} missed in the dark and "
        f"said to be; {', '.join(f'{count} {name}' for name, count in sorted(year.events.items()))}\n"
    )
    wrong = year.wrong()
    sys.stdout.write("".join(f"  {line}\n" for line in wrong[:20]))
    sys.stdout.write(f"{len(wrong)} tasks came too often or too seldom\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

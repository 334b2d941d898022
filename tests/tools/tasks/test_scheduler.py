"""The clock that runs: what is done at its time, late, refused, interrupted, and told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tools.contract import Caller, CallOutcome, Door, Level, PlannedCall, ToolResult
from tools.jobs.ledger import JobLedger, JobState
from tools.notify.messages import Messages
from tools.settings import ToolSettings
from tools.store import Store
from tools.tasks.scheduler import BuiltIn, Scheduler
from tools.tasks.schedules import Schedules

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY = datetime(2026, 5, 13, 10, tzinfo=BERLIN)
CALLER = Caller(name="anna", role="member", door=Door.REPL, conversation="c7")
POWER = PlannedCall(
    tool="vm_power", arguments={"vm": "endeavour"}, level=Level.DESTRUCTIVE, readback="shut down endeavour"
)
BACKUP = PlannedCall(tool="run_backup", arguments={"job": "photos"}, level=Level.OPERATE, readback="back up photos now")


class House:
    """A state folder with a clock that is set by hand, and a record of what was carried out."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.now = WEDNESDAY.timestamp()
        self.set_by_s = 0.0
        self.schedules = Schedules(store, lambda: self.now, lambda: BERLIN)
        self.messages = Messages(store, lambda: self.now)
        self.calls: list[tuple[PlannedCall, Caller]] = []
        self.answer = ToolResult(spoken="Endeavour is shut down.")
        self.refusal = ""
        self.built_in: dict[str, BuiltIn] = {}

    async def call(self, agreed: PlannedCall, caller: Caller) -> CallOutcome:
        self.calls.append((agreed, caller))
        if self.refusal:
            return CallOutcome(ok=False, spoken=self.refusal, tool=agreed.tool, error="confirmation_void")
        return CallOutcome(ok=True, spoken=self.answer.spoken, tool=agreed.tool, result=self.answer)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        scheduler = Scheduler(
            ToolSettings(),
            self.folder,
            self.store,
            self.schedules,
            self.call,
            self.built_in,
            lambda: self.now,
            lambda: self.now - self.set_by_s,
        )
        task = asyncio.create_task(scheduler.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, *texts: str) -> None:
        """Until these, and no others, are to be said."""
        async with asyncio.timeout(10):
            while [message.text for message in self.messages.unannounced()] != list(texts):  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Until everything that was due is done."""
        async with asyncio.timeout(10):
            while self.schedules.due() or self.schedules.broken_off():  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)

    async def called(self) -> None:
        """Until something was carried out."""
        async with asyncio.timeout(10):
            while not self.calls:  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)

    def later(self, **how: float) -> None:
        self.now += timedelta(**how).total_seconds()
        self.schedules.changed()

    def set_clock(self, **by: float) -> None:
        """No time passes."""
        self.set_by_s += timedelta(**by).total_seconds()
        self.later(**by)

    async def looked(self, next_at: float | None) -> None:
        """Until the next moment is this one."""
        async with asyncio.timeout(10):
            while self.schedules.next_at() != next_at:  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store(tmp_path / "jarvis.db") as store:
        yield House(tmp_path, store)


async def test_a_timer_is_said_where_it_was_set_when_its_time_has_come(house: House) -> None:
    async with house.running():
        house.schedules.add("pasta timer", "in 5 minutes", None, CALLER)
        house.later(minutes=5)
        await house.until("The pasta timer is done.")
        await house.settled()

    (message,) = house.messages.unannounced("c7")
    assert (message.door, message.who) == ("repl", "anna")
    assert house.schedules.all() == []


async def test_an_order_is_carried_out_as_it_was_agreed_to_and_its_result_is_said(house: House) -> None:
    async with house.running():
        house.schedules.add("shut down endeavour", "at 22:00", POWER, CALLER)
        house.later(hours=12)
        await house.until("Endeavour is shut down.")

    ((agreed, caller),) = house.calls
    assert agreed == POWER
    assert (caller.name, caller.role, caller.door, caller.conversation) == ("anna", "member", Door.REPL, "c7")


async def test_a_job_that_was_started_is_told_when_it_is_over_and_not_when_it_begins(house: House) -> None:
    house.answer = ToolResult(spoken="Backing up photos.", data={"started": True})
    async with house.running():
        house.schedules.add("back up photos", "every day at 03:00", BACKUP, CALLER)
        house.later(hours=17)
        await house.called()

    assert [agreed for agreed, _ in house.calls] == [BACKUP]
    assert house.messages.unannounced() == []
    assert len(house.schedules.all()) == 1


async def test_what_is_refused_at_its_time_is_said_with_the_reason(house: House) -> None:
    house.refusal = "That means something else now."
    async with house.running():
        house.schedules.add("shut down endeavour", "at 22:00", POWER, CALLER)
        house.later(hours=12)
        await house.until("It was time to shut down endeavour. That means something else now.")

    assert [message.priority for message in house.messages.unannounced()] == [5]


async def test_an_order_that_was_missed_is_not_done_late_and_a_backup_is(house: House) -> None:
    house.answer = ToolResult(spoken="Backing up photos.", data={"started": True})
    house.schedules.add("shut down endeavour", "every day at 22:00", POWER, CALLER)
    house.schedules.add("back up photos", "every day at 03:00", BACKUP, CALLER)
    house.later(hours=35)
    async with house.running():
        await house.until(
            "I was not running every day at 22:00, so I did not shut down endeavour. "
            "The next time is every day at 22:00."
        )
        await house.called()

    assert [agreed.tool for agreed, _ in house.calls] == ["run_backup"]


async def test_a_reminder_that_was_missed_is_said_late_with_its_age(house: House) -> None:
    house.schedules.add("call mum", "at 18:00", None, CALLER)
    house.later(hours=10)
    async with house.running():
        await house.until("A reminder: call mum. That was two hours ago; I was not running then.")


async def test_what_was_interrupted_by_a_crash_is_said_and_not_done_again(house: House) -> None:
    house.schedules.add("shut down endeavour", "at 22:00", POWER, CALLER)
    house.later(hours=12)
    (due,) = house.schedules.due()
    house.schedules.take(due)  # and the process was killed
    async with house.running():
        await house.until(
            "I was interrupted when it was time to shut down endeavour; please check whether it was done."
        )
        await house.settled()

    assert house.calls == []
    assert house.schedules.all() == []


async def test_a_timer_that_was_interrupted_by_a_crash_is_said_and_said_once(house: House) -> None:
    house.schedules.add("pasta timer", "in 5 minutes", None, CALLER)
    for _ in range(2):
        house.later(minutes=5)
        for due in house.schedules.due():
            house.schedules.take(due)  # and the process was killed
        async with house.running():
            await house.until("The pasta timer is done.")


async def test_our_own_tasks_run_again_and_again_and_one_that_breaks_stops_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    async def look() -> None:
        done.append("look")

    async def broken() -> None:
        done.append("broken")
        raise RuntimeError("no")

    house.built_in = {
        "looks": BuiltIn("look", "every 10 minutes", 60.0, look),
        "broken": BuiltIn("break", "every 10 minutes", 60.0, broken),
    }
    async with house.running():
        for wanted in (2, 4):
            async with asyncio.timeout(10):
                while house.schedules.next_at() is None or len(done) < wanted:
                    if len(done) < wanted:
                        house.later(minutes=10)
                    await asyncio.sleep(0.05)
    assert {"look", "broken"} == set(done)
    assert "the task broken failed" in caplog.text


async def test_a_job_that_is_lost_while_we_run_is_noticed_and_said(house: House) -> None:
    ledger = JobLedger(house.store, lambda: house.now)
    async with house.running():
        job, _ = ledger.add("run_backup", "photos", {}, CALLER, "4194304 1 a-boot-before")
        house.later()
        await house.until("The photos backup broke off. It was not finished, so please start it again.")
    now = ledger.get(job.id)
    assert now is not None
    assert now.state is JobState.LOST


async def test_of_two_schedulers_of_one_folder_one_keeps_the_time(house: House, tmp_path: Path) -> None:
    with Store(tmp_path / "jarvis.db") as other_store:
        other = House(tmp_path, other_store)
        async with house.running():
            house.schedules.add("shut down endeavour", "at 22:00", POWER, CALLER)
            async with other.running():
                house.later(hours=12)
                other.later(hours=12)
                await house.until("Endeavour is shut down.")

    assert len(house.calls) + len(other.calls) == 1


async def test_a_timer_runs_on_when_the_clock_is_set_and_an_alarm_goes_by_the_new_time(house: House) -> None:
    house.schedules.add("pasta timer", "in 11 minutes", None, CALLER)
    house.schedules.add("egg timer", "in 1 minute", None, CALLER)
    house.schedules.add("alarm", "at 12:00", None, CALLER)
    async with house.running():
        house.later(minutes=1)
        await house.until("The egg timer is done.")
        await house.looked(house.now + 600)
        house.set_clock(hours=1)
        await house.looked(house.now + 600)
        house.later(minutes=10)
        await house.until("The egg timer is done.", "The pasta timer is done.")
        assert house.schedules.next_at() == WEDNESDAY.replace(hour=12).timestamp()


async def test_a_clock_that_was_years_off_for_a_while_keeps_nothing_waiting_for_years(house: House) -> None:
    house.schedules.add("photos backup", "every day at 18:00", BACKUP, CALLER)
    async with house.running():
        house.set_clock(days=3650)
        await house.called()
        house.set_clock(days=-3650)
        await house.looked(WEDNESDAY.replace(hour=18).timestamp())


async def test_what_is_old_by_a_wrong_clock_is_not_forgotten(house: House) -> None:
    key = house.messages.add("The photos backup is done.", CALLER)
    house.schedules.add("photos backup", "every day at 18:00", BACKUP, CALLER)
    house.schedules.add("egg timer", "in 50 minutes", None, CALLER)
    async with house.running():
        house.later(minutes=50)
        await house.until("The photos backup is done.", "The egg timer is done.")
        house.set_clock(days=3650)
        house.later(hours=2)
        await house.called()
        await house.settled()
    assert house.messages.get(key) is not None


async def test_a_clock_that_is_set_back_a_little_does_nothing_twice(house: House) -> None:
    house.schedules.add("photos backup", "every day at 10:30", BACKUP, CALLER)
    async with house.running():
        house.later(minutes=31)
        await house.called()
        house.set_clock(minutes=-10)
        house.later(minutes=15)
        await house.settled()
        assert len(house.calls) == 1
        assert house.schedules.next_at() == WEDNESDAY.replace(day=14, hour=10, minute=30).timestamp()


async def test_of_several_times_that_were_missed_the_last_one_says_how_late_it_is(house: House) -> None:
    house.schedules.add("shut it down", "every day at 18:00", POWER, CALLER)
    house.later(days=1, hours=8, minutes=2)
    async with house.running():
        await house.called()
    assert [call.tool for call, _ in house.calls] == ["vm_power"]


async def test_what_comes_every_so_many_minutes_keeps_its_beat_however_late_it_is_looked_at(house: House) -> None:
    house.schedules.add("stretch", "every 20 minutes", None, CALLER)
    begun = house.now
    async with house.running():
        house.later(minutes=47)
        await house.looked(begun + 60 * 60)


async def test_a_task_of_our_own_that_is_no_longer_configured_is_forgotten_and_not_said(house: House) -> None:
    async def tell() -> None: ...

    house.built_in = {"digest": BuiltIn("tell the digest of the day", "every day at 07:30", 60.0, tell)}
    async with house.running():
        async with asyncio.timeout(10):
            while not house.schedules.all():  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)
    house.built_in = {}
    house.later(days=1)
    async with house.running():
        async with asyncio.timeout(10):
            while house.schedules.all():  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.01)
    assert house.messages.unannounced() == []

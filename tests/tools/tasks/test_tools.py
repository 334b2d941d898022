"""``schedule``, ``list_tasks`` and ``cancel_task``: what they keep, say and take back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tools.calling import called_by
from tools.contract import Caller, Candidates, Door, JsonObject, Level, PlannedCall, ToolResult
from tools.jobs.ledger import JobLedger
from tools.store import Store
from tools.tasks.schedules import Schedules
from tools.tasks.tool import CancelTask, ListTasks, Schedule
from tools.tool import Tool, UnavailableError

CALLER = Caller(name="anna", role="member", door=Door.REPL, conversation="c7")
BACKUP = PlannedCall(tool="run_backup", arguments={"job": "photos"}, level=Level.OPERATE, readback="back up photos now")
POWER = BACKUP.model_copy(update={"tool": "vm_power", "level": Level.DESTRUCTIVE, "readback": "shut down endeavour"})


class Tasks:
    """The three tools over one database."""

    def __init__(self, store: Store) -> None:
        self.ledger = JobLedger(store)
        now = datetime(2026, 5, 13, 10).astimezone()
        self.schedules = Schedules(store, now.timestamp)
        self.order: PlannedCall | Candidates | None = None
        self.schedule = Schedule(lambda _: self.order, lambda: now, self.schedules)
        self.list = ListTasks(self.ledger, self.schedules)
        self.cancel = CancelTask(self.ledger, self.schedules)

    async def do(self, tool: Tool, **arguments: str) -> ToolResult:
        planned = tool.plan(tool.arguments.model_validate(arguments))
        assert isinstance(planned, PlannedCall)
        with called_by(CALLER):
            return await tool.execute(planned)

    async def said(self, tool: Tool, **arguments: str) -> str:
        return (await self.do(tool, **arguments)).spoken

    def running(self, subject: str, tool: str = "run_backup", progress: float = -1.0) -> str:
        job, _ = self.ledger.add(tool, subject, {"job": subject}, CALLER, "worker")
        self.ledger.claim(job.id, "worker")
        self.ledger.progress(job.id, "worker", progress, "")
        return job.id


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[Tasks]:
    with Store(tmp_path / "jarvis.db") as store:
        yield Tasks(store)


async def test_an_order_is_kept_with_its_plan_and_who_wanted_it(tasks: Tasks) -> None:
    tasks.order = BACKUP
    spoken = await tasks.said(tasks.schedule, what="back up photos", when="every sunday at three")

    assert spoken == "I'll back up photos every Sunday at 03:00."
    (one,) = tasks.schedules.all()
    assert (one.agreed, one.when, one.who, one.conversation) == (BACKUP, "every sunday at 03:00", "anna", "c7")


@pytest.mark.parametrize(
    "what, when, spoken",
    [
        ("pasta timer", "in 5 minutes", "Pasta timer is set: in 5 minutes."),
        ("call mum", "tomorrow at 18:00", "I'll remind you tomorrow at 18:00: call mum."),
        ("alarm", "tomorrow at 07:00", "The alarm is set tomorrow at 07:00."),
    ],
)
async def test_timers_and_reminders_are_kept(tasks: Tasks, what: str, when: str, spoken: str) -> None:
    assert await tasks.said(tasks.schedule, what=what, when=when) == spoken
    assert [one.agreed for one in tasks.schedules.all()] == [None]


async def test_an_order_that_takes_more_by_now_than_was_agreed_to_is_not_kept(tasks: Tasks) -> None:
    tasks.order = BACKUP
    planned = tasks.schedule.plan(tasks.schedule.arguments.model_validate({"what": "photos", "when": "at 18:00"}))
    assert isinstance(planned, PlannedCall)
    for other in (POWER, BACKUP.model_copy(update={"protected": True})):
        tasks.order = other
        with pytest.raises(UnavailableError, match="something else now"):
            await tasks.schedule.execute(planned)
    assert tasks.schedules.all() == []


async def test_running_jobs_are_said_with_their_progress_and_then_what_is_scheduled(tasks: Tasks) -> None:
    assert await tasks.said(tasks.list) == "Nothing is running, and nothing is scheduled."
    tasks.running("photos", progress=0.405)
    tasks.running("music", "test_restore")
    tasks.order = BACKUP
    await tasks.do(tasks.schedule, what="back up photos", when="every sunday at three")
    tasks.order = None
    await tasks.do(tasks.schedule, what="pasta timer", when="in 2 hours")
    found = await tasks.do(tasks.list)

    assert found.spoken == (
        "The photos backup is 40 percent done. The restore test of music is running. "
        "The pasta timer has two hours left and back up photos every Sunday at 03:00."
    )
    jobs: list[JsonObject] = found.data["jobs"]
    assert [(job["subject"], job["progress"]) for job in jobs] == [("photos", 0.405), ("music", -1.0)]
    assert [one["what"] for one in found.data["scheduled"]] == ["pasta timer", "back up photos"]


@pytest.mark.parametrize("words", ["photos backup", "the backup of photos", "photos", "backup"])
async def test_a_running_job_is_cancelled_by_its_words(tasks: Tasks, words: str) -> None:
    photos, music = tasks.running("photos"), tasks.running("music", "test_restore")

    assert await tasks.said(tasks.cancel, task=words) == "I'm cancelling the photos backup."
    assert tasks.ledger.cancel_asked(photos)
    assert not tasks.ledger.cancel_asked(music)
    assert "The photos backup is being cancelled." in await tasks.said(tasks.list)


@pytest.mark.parametrize("words", ["restore test of music", "test", "music"])
async def test_so_is_a_restore_test(tasks: Tasks, words: str) -> None:
    tasks.running("photos")
    music = tasks.running("music", "test_restore")
    await tasks.do(tasks.cancel, task=words)

    assert tasks.ledger.cancel_asked(music)


async def test_a_timer_is_taken_back(tasks: Tasks) -> None:
    await tasks.do(tasks.schedule, what="pasta timer", when="in 5 minutes")
    await tasks.do(tasks.schedule, what="call mum", when="tomorrow at 18:00")

    assert await tasks.said(tasks.cancel, task="the timer") == "I cancelled this: the pasta timer."
    assert [one.what for one in tasks.schedules.all()] == ["call mum"]


@pytest.mark.parametrize(
    "words, why",
    [
        ("photos", "Which one? There are the photos backup and the restore test of photos"),
        ("washing", "There is no washing, so I cancelled nothing"),
        ("the", "so I cancelled nothing"),
    ],
)
async def test_what_is_not_clear_cancels_nothing(tasks: Tasks, words: str, why: str) -> None:
    jobs = [tasks.running("photos"), tasks.running("photos", "test_restore")]
    with pytest.raises(UnavailableError, match=why.replace("?", r"\?")):
        await tasks.do(tasks.cancel, task=words)

    assert not any(map(tasks.ledger.cancel_asked, jobs))

"""The house that keeps time: orders that were agreed to, planned again, and what the last crash left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.jobs.workers import notes
from tools.contract import Caller, Door, Level, PlannedCall, Speech
from tools.jobs.ledger import JobLedger, JobState
from tools.jobs.process import identity
from tools.policy import CHANGED
from tools.server import ToolHouse
from tools.settings import BackupSettings, ToolSettings, VmSettings
from tools.store import Store

CALLER = Caller(name="owner", door=Door.REPL, speech=Speech.ORDER, conversation="c1")


def house_with(folder: Path, *, protected: bool = False) -> ToolHouse:
    settings = ToolSettings(
        backups={"notes": notes(folder), "usb disk": BackupSettings(kind="report")},
        vms={"endeavour": VmSettings(aliases=("the dev machine",), protected=protected)},
    )
    return ToolHouse(settings, folder / "state")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ToolHouse]:
    with house_with(tmp_path) as opened:
        yield opened


async def test_a_backup_that_was_scheduled_runs_at_its_time_and_is_told_where_it_was_asked_for(
    house: ToolHouse,
) -> None:
    house.read_order = lambda _: ("run_backup", {"job": "notes"})
    async with house.keeping_time():
        outcome = await house.path.call("schedule", {"what": "back up notes", "when": "in 1 second"}, CALLER)
        assert outcome.spoken == "I'll back up notes in 1 second."
        async with asyncio.timeout(60):
            while not house.messages.unannounced("c1"):  # noqa: ASYNC110 - a worker does it
                await asyncio.sleep(0.05)

    (message,) = house.messages.unannounced("c1")
    assert message.text.startswith("The notes backup is done")
    assert [(line["tool"], line["decision"], line["door"]) for line in house.audit_lines(1)] == [
        ("run_backup", "scheduled", "schedule")
    ]


async def test_an_order_that_was_agreed_to_is_carried_out_without_being_asked_again(house: ToolHouse) -> None:
    agreed = house.path.plan("vm_power", {"vm": "the dev machine", "action": "shutdown"})
    assert isinstance(agreed, PlannedCall)
    assert agreed.level is Level.DESTRUCTIVE
    outcome = await house.path.call_scheduled(agreed, Caller(door=Door.SCHEDULE))

    assert outcome.error == "unavailable"  # it went through to the tool, which has nothing behind it


async def test_an_order_that_means_something_else_by_now_is_refused(tmp_path: Path) -> None:
    with house_with(tmp_path) as house:
        agreed = house.path.plan("vm_power", {"vm": "endeavour", "action": "shutdown"})
        assert isinstance(agreed, PlannedCall)
        for other in (
            agreed.model_copy(update={"level": Level.OPERATE}),
            agreed.model_copy(update={"arguments": {**agreed.arguments, "vm": "the dev machine"}}),
        ):
            outcome = await house.path.call_scheduled(other, Caller(door=Door.SCHEDULE))
            assert (outcome.error, outcome.spoken) == ("confirmation_void", CHANGED)
    with house_with(tmp_path, protected=True) as house:
        outcome = await house.path.call_scheduled(agreed, Caller(door=Door.SCHEDULE))
        assert outcome.error == "confirmation_void"
        gone = agreed.model_copy(update={"arguments": {"vm": "voyager", "action": "shutdown"}})
        assert (await house.path.call_scheduled(gone, Caller(door=Door.SCHEDULE))).error == "unknown_name"


async def test_the_same_backup_is_not_started_twice(house: ToolHouse, tmp_path: Path) -> None:
    with Store(tmp_path / "state" / "jarvis.db") as store:
        ledger = JobLedger(store)
        me = identity() or ""
        job, _ = ledger.add("run_backup", "notes", {"job": "notes"}, CALLER, me)
        ledger.claim(job.id, me)
        ledger.progress(job.id, me, 0.4, "copying")
        outcome = await house.path.call("run_backup", {"job": "notes"}, CALLER)
        assert outcome.spoken == "The notes backup is running already; it is 40 percent done."
        assert outcome.result is not None
        assert outcome.result.data["started"] is False
        ledger.end(job.id, me, JobState.DONE, spoken="The notes backup is done.")


def test_what_the_last_crash_left_is_found_at_the_next_start(tmp_path: Path) -> None:
    with Store(tmp_path / "state" / "jarvis.db") as store:
        JobLedger(store).add("run_backup", "notes", {"job": "notes"}, CALLER, "4194304 1 a-boot-before")
    scratch = tmp_path / "state" / "scratch" / "restore-4194304-1-abc"
    scratch.mkdir(parents=True)
    with house_with(tmp_path) as house:
        texts = [message.text for message in house.messages.unannounced("c1")]

    assert texts == ["The notes backup broke off. It was not finished, so please start it again."]
    assert not scratch.exists()
    with house_with(tmp_path) as again:
        assert len(again.messages.unannounced("c1")) == 1


async def test_a_backup_that_is_made_elsewhere_is_not_started(house: ToolHouse) -> None:
    outcome = await house.path.call("run_backup", {"job": "usb disk"}, CALLER)

    assert outcome.error == "unavailable"
    assert outcome.spoken == "I can't run the usb disk backup: it is made elsewhere, and only checks in here."

"""What cannot be written down is not done; what was begun and never came to its line gets one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes_tools import BreakTool, SwitchTool, ThingTool
from tools.audit import AuditReader
from tools.contract import Caller, CallOutcome, Door, Speech
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.records import settle_acts
from tools.store import Store

ANNA = Caller(name="anna", role="owner", door=Door.CLI, turn_id="t1", speech=Speech.ORDER)


class House:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "jarvis.db"
        self.store = Store(self.file)
        self.look, self.switch = ThingTool(), SwitchTool()
        self.path = CallPath((self.look, self.switch, BreakTool()), self.store, Outbox(folder / "outbox"))

    async def call(self, tool: str) -> CallOutcome:
        return await self.path.call(tool, {"thing": "lamp"}, ANNA)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


async def test_an_act_is_noted_before_it_is_done_and_its_line_takes_the_place(house: House) -> None:
    outcome = await house.call("switch")
    assert outcome.ok
    assert house.store.read("SELECT * FROM acts_begun") == []
    assert [(line["tool"], line["decision"], line["outcome"]) for line in house.store.audit_lines()] == [
        ("switch", "allowed", "ok")
    ]


async def test_what_cannot_be_written_down_is_not_done_and_looking_goes_on(house: House) -> None:
    with closing(sqlite3.connect(house.file, isolation_level=None)) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
    house.store.read(f"PRAGMA max_page_count={pages}")  # SQLite's own full disk
    act = await house.call("switch")
    while act.ok:
        act = await house.call("switch")
    done = len(house.switch.executed)
    assert (act.error, act.spoken) == ("failed", "I can't write down what I do right now, so I changed nothing.")
    assert "the disk is full" in (act.detail or "")
    look = await house.call("look")
    assert look.ok
    assert len(house.switch.executed) == done


async def test_an_act_whose_process_was_killed_in_the_middle_stands_in_the_audit(house: House) -> None:
    with closing(sqlite3.connect(house.file, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO acts_begun (at, worker, entry) VALUES (1.0, '1 no such process', ?)",
            ('{"who": "anna", "role": "owner", "door": "cli", "room": null, "turn_id": "t1", "tool": "vm_power", '
             '"arguments": "{}", "level": "operate", "decision": "begun", "outcome": "unknown"}',),
        )  # fmt: skip
    assert settle_acts(house.store) == 1
    assert settle_acts(house.store) == 0
    (line,) = house.store.audit_lines()
    assert (line["who"], line["tool"], line["decision"], line["outcome"]) == ("anna", "vm_power", "begun", "unknown")
    assert AuditReader(house.file).verified().faults == ()


async def test_an_act_that_is_under_way_in_a_process_that_lives_is_left_alone(house: House) -> None:
    from tools.jobs.process import identity

    entry = {"who": "anna", "role": "owner", "door": "cli", "tool": "x", "arguments": "{}", "decision": "begun",
             "outcome": "unknown"}  # fmt: skip
    house.store.begin_act(identity(os.getpid()) or "", entry)
    assert settle_acts(house.store) == 0

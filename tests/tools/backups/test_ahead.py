"""After the start each job is looked at once, one after another, and whoever asks then does not wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.backups.fake_kind import LOOKS, WORLD
from tools.backups.ahead import LookAhead
from tools.backups.kinds import ADAPTERS
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.backups.records import BackupRecords
from tools.backups.tool import CheckBackups
from tools.contract import PlannedCall
from tools.names import NameIndex
from tools.server import ToolHouse
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store

SETTINGS = ToolSettings(
    backups={
        name: BackupSettings.model_validate({"kind": "command", "repository": f"/{name}"})
        for name in ("photos", "documents", "mail")
    }
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setitem(ADAPTERS, "command", "tests.tools.backups.fake_kind:FakeKind")
    WORLD.clear()
    LOOKS.clear()
    WORLD["/photos"] = Found(copies=(Copy(id="new", at=time.time() - 3600, duration_s=1.0),))
    WORLD["/documents"] = BackupError(Fault.UNREACHABLE, "its machine can't be reached")
    WORLD["/mail"] = Found()
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


async def test_every_job_is_looked_at_once_and_a_failure_keeps_no_other_waiting(store: Store) -> None:
    records = BackupRecords(store)
    await LookAhead(SETTINGS.backups, records, after_s=0).run()
    assert LOOKS == ["/photos", "/documents", "/mail"]
    await LookAhead(SETTINGS.backups, records, after_s=0).run()  # started anew at once
    assert LOOKS == ["/photos", "/documents", "/mail"]


async def test_one_after_another(store: Store) -> None:
    at_once, most = 0, 0

    async def slowly() -> Found:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _ in range(3):
            await asyncio.sleep(0)
        at_once -= 1
        return Found()

    WORLD.update(dict.fromkeys(WORLD, slowly))
    await LookAhead(SETTINGS.backups, BackupRecords(store), after_s=0).run()
    assert most == 1


async def test_who_asks_then_does_not_wait_for_a_look(store: Store) -> None:
    await LookAhead(SETTINGS.backups, BackupRecords(store), after_s=0).run()
    LOOKS.clear()
    tool = CheckBackups(SETTINGS, NameIndex.from_settings(SETTINGS), store)
    said = await tool.execute(PlannedCall(tool="check_backups", arguments={"job": "photos"}, level=tool.level))
    assert "photos" in said.spoken
    assert LOOKS == []


async def test_a_database_that_cannot_be_used_is_logged_and_nothing_breaks(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    records = BackupRecords(store)
    store.close()
    await LookAhead(SETTINGS.backups, records, after_s=0).run()
    assert "not looked at ahead" in caplog.text


@pytest.mark.parametrize("jobs", [True, False])
async def test_the_house_that_keeps_time_does_it_where_there_are_jobs(tmp_path: Path, jobs: bool) -> None:
    settings = SETTINGS if jobs else ToolSettings()
    with ToolHouse(settings, tmp_path / "state") as house:
        async with house.keeping_time():
            running = {task.get_name() for task in asyncio.all_tasks()}
    assert (LookAhead.name in running) == jobs

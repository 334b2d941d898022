"""Jobs that only check in: by a file written here, by curl's own hand, and a disk that has to be unplugged again."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.backups.asking import fault_of, silent
from tests.real.backups.ground_report import TheGround
from tests.real.backups.spoiling import until_done
from tools.backups.kinds import check_in, make
from tools.backups.kinds.check_in import CheckIn
from tools.backups.kinds.report import Report
from tools.backups.port import Fault

pytestmark = pytest.mark.real_server


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[TheGround]:
    made = TheGround(tmp_path / "ground")
    made.folder.mkdir()
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()


def adapter(ground: TheGround) -> Report:
    made = make(ground.settings)
    assert isinstance(made, Report)
    return made


async def test_a_shell_script_checks_in_with_one_line(ground: TheGround) -> None:
    line = f'printf \'{{"ok": true, "size": 123, "files": 4, "duration_s": 5}}\' > {shlex.quote(str(ground.report))}'
    await until_done(["sh", "-c", line], {})
    found = await adapter(ground).look()
    copy = found.copies[-1]
    assert (copy.size, copy.files, copy.duration_s, copy.complete, copy.here) == (123, 4, 5.0, True, False)
    assert abs(copy.at - ground.report.stat().st_mtime) < 0.001


async def test_what_failed_elsewhere_is_a_failure_here(ground: TheGround) -> None:
    check_in.write(ground.report, CheckIn(at=time.time(), ok=False, message="the volume\nis full"))
    error = await fault_of(adapter(ground).look())
    assert (error.fault, error.reason) == (Fault.SAID_FAILED, "it reported a failure: the volume is full")
    assert error.fault.broken


async def test_a_job_that_never_checked_in_has_no_backup(ground: TheGround) -> None:
    ground.report.unlink()
    assert (await adapter(ground).look()).copies == ()


async def test_a_folder_of_reports_that_is_gone_is_told(ground: TheGround) -> None:
    await ground.seeds["no_repository"]()
    assert (await fault_of(adapter(ground).look())).fault is Fault.NO_REPOSITORY


NO_REPORTS = ['{"ok": tr', '{"at": 1}', '{"ok": "yes"}', '{"ok": true, "size": -1}', "", "done", "[1]"]


@pytest.mark.parametrize("text", NO_REPORTS)
async def test_a_report_that_says_nothing_is_no_word(ground: TheGround, text: str) -> None:
    ground.report.write_text(text)
    error = await fault_of(adapter(ground).look())
    assert error.fault is Fault.NONSENSE
    assert not error.fault.broken


async def test_the_answer_of_time_machine_is_understood(ground: TheGround) -> None:
    ground.report.write_text("/Volumes/.timemachine/1D/2026-11-20-031502.backup/2026-11-20-031502.backup\n")
    at = (await adapter(ground).look()).copies[-1].at
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) == "2026-11-20 03:15:02"


async def test_a_disk_that_stays_plugged_in_is_worth_a_word(ground: TheGround) -> None:
    disk = ground.folder / "usb"
    ground.change(mount=disk)
    check_in.write(ground.report, CheckIn(at=time.time() - 9 * 3600))
    assert (await adapter(ground).look()).warnings == ()
    ground.spoiling.small_disk(disk, 1)
    found = await adapter(ground).look()
    assert found.warnings == ("its disk is still plugged in, 9 hours after the backup",)
    assert found.total == 1 << 20
    check_in.write(ground.report, CheckIn(at=time.time() - 3600))
    assert (await adapter(ground).look()).warnings == ()
    check_in.write(ground.report, CheckIn(at=time.time() - 100 * 3600))
    assert (await adapter(ground).look()).warnings == ("its disk is still plugged in, 4 days after the backup",)


async def test_whoever_reads_finds_the_old_report_or_the_new_one(ground: TheGround) -> None:
    message = "x" * 5_000

    def write() -> None:
        for number in range(100):
            check_in.write(ground.report, CheckIn(at=float(number + 1), message=message))

    writing = asyncio.create_task(asyncio.to_thread(write))
    while not writing.done():
        assert json.loads(await asyncio.to_thread(ground.report.read_text))["ok"] is True
    await writing
    assert list(ground.report.parent.iterdir()) == [ground.report]


async def test_it_is_neither_started_nor_checked_from_here(ground: TheGround) -> None:
    kind = adapter(ground)
    assert (await fault_of(kind.back_up(silent))).fault is Fault.NOT_CONFIGURED
    assert (await kind.verify("data", silent)).level == "none"
    assert (await kind.prune(silent)).removed == 0

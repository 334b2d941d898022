"""The canary: a backup that is broken on purpose tells whether the restore tester finds anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tools.restore_tests.fake_kind import House
from tools.backups.kinds import ADAPTERS
from tools.backups.port import Progress
from tools.backups.records import BackupRecords
from tools.restore_tests import canary as canaries
from tools.restore_tests.canary import canary, due_canaries
from tools.restore_tests.testing import TestReport, test_restore
from tools.restore_tests.trust import BROKEN, FAMILIES, canary_job, distrusted, family
from tools.settings import BackupSettings, ToolSettings

COPIES = "tests.tools.restore_tests.fake_copies:FakeCopies"


@pytest.fixture(autouse=True)
def copies(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("sqlite", "rsync-snapshots"):
        monkeypatch.setitem(ADAPTERS, kind, COPIES)


def silent(share: float, doing: str) -> None:
    """Nobody looks on."""


def saying(answer: Callable[[TestReport], TestReport]) -> Any:
    """The real one, which says something else."""

    async def other(
        job: str,
        settings: BackupSettings,
        records: BackupRecords,
        scratch_parent: Path,
        *,
        seed: int,
        max_bytes: int,
        progress: Progress,
    ) -> TestReport:
        return answer(
            await test_restore(
                job, settings, records, scratch_parent, seed=seed, max_bytes=max_bytes, progress=progress
            )
        )

    return other


@pytest.mark.parametrize("of", ["sqlite", "rsync-snapshots"])
async def test_a_tester_that_finds_the_flipped_byte_is_believed(house: House, of: str) -> None:
    report = await canary(of, house.records, house.state, progress=silent)
    assert (report.broken, report.made, report.spoken) == (False, True, "The restore tester finds what is broken.")
    assert "came back different" in report.record["reported"]
    assert distrusted(house.records) == ""
    assert house.left_behind() == []


async def test_a_tester_that_passes_everything_is_distrusted(house: House) -> None:
    blind = saying(lambda made: TestReport(True, True, made.spoken, made.record))
    report = await canary("sqlite", house.records, house.state, progress=silent, tester=blind)
    assert report.broken
    assert report.spoken == (
        "The restore tester is broken. A backup with a flipped byte passes it. "
        "No restore test can be believed until that is mended."
    )
    assert distrusted(house.records) == BROKEN


async def test_a_tester_that_fails_everything_is_distrusted(house: House) -> None:
    anxious = saying(lambda made: TestReport(False, True, made.spoken, made.record | {"first_error": "alas"}))
    report = await canary("sqlite", house.records, house.state, progress=silent, tester=anxious)
    assert (report.broken, report.record["first_error"]) == (True, "it fails a backup that is good: alas")
    assert distrusted(house.records) == BROKEN


async def test_a_tester_that_cannot_test_the_broken_backup_has_not_found_it_broken(house: House) -> None:
    shy = saying(lambda made: made if made.ok else TestReport(False, False, made.spoken, made.record))
    assert (await canary("sqlite", house.records, house.state, progress=silent, tester=shy)).broken


async def test_a_mended_tester_is_believed_again(house: House) -> None:
    blind = saying(lambda made: TestReport(True, True, made.spoken, made.record))
    await canary("sqlite", house.records, house.state, progress=silent, tester=blind)
    await canary("sqlite", house.records, house.state, progress=silent)
    assert distrusted(house.records) == ""


async def test_where_a_program_is_missing_nothing_is_said_about_the_tester(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(house.folder))
    report = await canary("restic", house.records, house.state, progress=silent)
    assert (report.broken, report.made) == (False, False)
    assert report.spoken == "I could not test the restore tester: restic is not installed."
    assert distrusted(house.records) == ""
    assert house.records.last_restore_test(canary_job("restic")) is None


async def test_a_canary_is_due_once_a_week_at_once_where_it_was_found_broken_and_when_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ["postgres-dump", "sqlite", "report"]
    assert due_canaries(house.records, kinds) == ["sqlite"]
    await canary("sqlite", house.records, house.state, progress=silent)
    assert due_canaries(house.records, kinds) == []
    assert due_canaries(house.records, kinds, again=True) == ["sqlite"]
    later = time.time() + canaries.EVERY_S + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert due_canaries(house.records, kinds) == ["sqlite"]
    monkeypatch.undo()
    monkeypatch.setitem(ADAPTERS, "sqlite", COPIES)
    blind = saying(lambda made: TestReport(True, True, made.spoken, made.record))
    await canary("sqlite", house.records, house.state, progress=silent, tester=blind)
    assert due_canaries(house.records, kinds) == ["sqlite"]


async def test_an_exercise_of_the_calendar_tests_the_tester_first(house: House) -> None:
    for exercise, count in ("", 0), ("file", 1), ("file", 1):
        await test_restore(
            "photos",
            house.settings(),
            house.records,
            house.state,
            seed=1,
            max_bytes=10**8,
            progress=silent,
            exercise=exercise,
        )
        assert len(house.records.restore_tests(canary_job("rsync-snapshots"))) == count


def test_every_kind_that_can_be_restored_has_its_canary() -> None:
    assert {kind: family(kind) for kind in ADAPTERS if family(kind) not in FAMILIES} == {"report": None}


def test_no_job_can_be_called_like_a_canary() -> None:
    for one in FAMILIES:
        with pytest.raises(ValueError, match="padded"):
            ToolSettings.model_validate({"backups": {canary_job(one): {"kind": "restic"}}})

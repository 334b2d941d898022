"""Restore tests with the real programs: each kind passes, and fails or is not made for the right reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest

from tests.real.backups.ground import GROUNDS, Ground, Seed
from tests.real.backups.spoiling import Spoiling, fill
from tools.backups.kinds import make
from tools.backups.port import Fault
from tools.backups.records import BackupRecords
from tools.restore_tests import testing
from tools.restore_tests.canary import canary
from tools.restore_tests.scratch import clean_left_overs
from tools.restore_tests.trust import FAMILIES, distrusted
from tools.settings import BackupSettings
from tools.store import Store

pytestmark = pytest.mark.real_server

MAX_BYTES = 2_000_000_000
ONLY_CHECKS_IN = {"report"}
"""Kinds of which nothing can be restored from here."""

RESTORED = [name for name in GROUNDS if name not in ONLY_CHECKS_IN]
APPLICATIONS = {"sqlite", "postgres", "mariadb", "home_assistant", "gitea"}
ENCRYPTED = ["restic", "borg", "kopia"]

BROKEN = {Fault.DAMAGED.value, Fault.TRUNCATED.value}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[BackupRecords]:
    with Store(tmp_path / "state" / "jarvis.db") as store:
        yield BackupRecords(store)


@asynccontextmanager
async def prepared(name: str, folder: Path) -> AsyncIterator[Ground]:
    """The ground of that name with its one good backup."""
    module = import_module(f"tests.real.backups.ground_{name}")
    await asyncio.to_thread(folder.mkdir)
    ground = cast(Callable[[Path], Ground], module.TheGround)(folder)
    try:
        await ground.prepare()
        yield ground
    finally:
        await ground.close()


def seeding(ground: Ground, *wanted: Seed) -> Callable[[], Awaitable[None]]:
    """The first of these that the kind can have."""
    found = next((seed for seed in wanted if seed not in ground.cannot), None)
    assert found is not None, f"{ground.kind} has to have one of {wanted}"
    return ground.seeds[found]


async def outcome_of(settings: BackupSettings, records: BackupRecords, tmp_path: Path) -> testing.TestReport:
    state = tmp_path / "state"
    report = await testing.test_restore(
        "it", settings, records, state, seed=1, max_bytes=MAX_BYTES, progress=lambda _share, _doing: None
    )
    assert list(state.glob("scratch/*")) == []
    assert records.last_attempt("it") == report.record
    return report


@pytest.mark.parametrize("name", RESTORED)
async def test_a_good_backup_passes_and_the_same_one_damaged_fails(
    name: str, tmp_path: Path, records: BackupRecords
) -> None:
    async with prepared(name, tmp_path / "ground") as ground:
        good = await outcome_of(ground.settings, records, tmp_path)
        assert (good.ok, good.ran, good.record["first_error"]) == (True, True, None)
        assert good.record["level"] == ("app" if name in APPLICATIONS else "restored")
        assert good.record["sample_n"] > 0
        assert good.record["coverage_pct"] > 0

        await seeding(ground, "damaged", "truncated")()
        bad = await outcome_of(ground.settings, records, tmp_path)
        assert (bad.ok, bad.ran) == (False, True), bad.record
        assert bad.record["fault"] in BROKEN or bad.record["mismatches"] > 0, bad.record
        assert "can't be restored" in bad.spoken


@pytest.mark.parametrize("name", RESTORED)
async def test_a_disk_that_is_not_plugged_in_is_no_failure_of_the_backup(
    name: str, tmp_path: Path, records: BackupRecords
) -> None:
    async with prepared(name, tmp_path / "ground") as ground:
        await seeding(ground, "not_mounted")()
        report = await outcome_of(ground.settings, records, tmp_path)
        assert (report.ok, report.ran, report.record["fault"]) == (False, False, "not_mounted")
        assert records.last_restore_test("it") is None


@pytest.mark.parametrize("name", ENCRYPTED)
async def test_a_backup_whose_password_is_lost_cannot_be_restored(
    name: str, tmp_path: Path, records: BackupRecords
) -> None:
    async with prepared(name, tmp_path / "ground") as ground:
        await seeding(ground, "wrong_password")()
        report = await outcome_of(ground.settings, records, tmp_path)
        assert (report.ok, report.ran, report.record["fault"]) == (False, True, "wrong_password")


async def test_a_locked_repository_is_no_failure_of_the_backup(tmp_path: Path, records: BackupRecords) -> None:
    async with prepared("restic", tmp_path / "ground") as ground:
        await seeding(ground, "locked")()
        report = await outcome_of(ground.settings, records, tmp_path)
        assert (report.ok, report.ran, report.record["fault"]) == (False, False, "locked")


@pytest.mark.parametrize("name", ["restic", "rsync"])
async def test_sources_that_did_not_change_are_compared_with_what_came_back(
    name: str, tmp_path: Path, records: BackupRecords
) -> None:
    async with prepared(name, tmp_path / "ground") as ground:
        await make(ground.settings).back_up(lambda _share, _doing: None)  # the first may be of the same second
        report = await outcome_of(ground.settings, records, tmp_path)
        assert report.ok
        assert report.record["compared"] == report.record["sample_n"] > 0


@pytest.mark.parametrize("name", ["restic", "borg", "rsync", "sqlite"])
async def test_a_scratch_disk_that_fills_up_meanwhile_is_no_failure_of_the_backup(
    name: str, tmp_path: Path, records: BackupRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room was there when it was looked at; then somebody else took it."""

    async def plenty(_: Path) -> tuple[int, int]:
        return 10**12, 10**12

    async with prepared(name, tmp_path / "ground") as ground:
        spoiling = Spoiling(tmp_path)
        try:
            await asyncio.to_thread(spoiling.small_disk, tmp_path / "full", 2)
            await asyncio.to_thread(fill, tmp_path / "full")
            monkeypatch.setattr(testing, "room", plenty)
            report = await testing.test_restore(
                "it",
                ground.settings,
                records,
                tmp_path / "full",
                seed=1,
                max_bytes=MAX_BYTES,
                progress=lambda _share, _doing: None,
            )
            assert (report.ok, report.ran) == (False, False), report.record
            assert report.record["fault"] == "disk_full", report.record
            assert list((tmp_path / "full" / "scratch").iterdir()) == []
        finally:
            await spoiling.close()


async def test_a_backup_whose_program_is_missing_is_not_tested(
    tmp_path: Path, records: BackupRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with prepared("restic", tmp_path / "ground") as ground:
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            report = await outcome_of(ground.settings, records, tmp_path)
        assert (report.ran, report.record["fault"]) == (False, "not_installed")


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_canary_of_each_family_is_found_broken(family: str, tmp_path: Path, records: BackupRecords) -> None:
    report = await canary(family, records, tmp_path / "state", progress=lambda _share, _doing: None)
    assert (report.broken, report.made, report.record["first_error"]) == (False, True, None)
    assert report.record["reported"]
    assert distrusted(records) == ""
    assert clean_left_overs(tmp_path / "state") == 0
    assert list((tmp_path / "state" / "scratch").iterdir()) == []

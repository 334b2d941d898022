"""A restore test, from the newest copy to the ledger: what passes, what fails, and what could not be tested at all."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from tests.tools.restore_tests.fake_kind import House
from tools.backups.port import BackupError, Fault, Proof
from tools.restore_tests import testing


async def test_all_of_a_small_copy_is_restored_compared_and_entered(house: House) -> None:
    house.write(a=b"milk", b=b"eggs")
    copy = house.world.back_up()
    began = time.time()
    report = await house.test(seed=7)
    assert (report.ok, report.ran) == (True, True)
    assert report.spoken == "The photos backup can be restored: two files came back, the same as the original."
    shown = ("copy", "seed", "level", "sample_n", "sample_bytes", "whole", "compared", "compared_pct", "coverage_pct")
    assert [report.record[name] for name in shown] == [copy.id, 7, "restored", 2, 8, True, 2, 100.0, 100.0]
    assert (report.record["mismatches"], report.record["first_error"], report.record["fault"]) == (0, None, None)
    assert house.records.last_restore_test("photos") == report.record
    assert began <= report.record["at"] <= time.time()
    assert set(house.records.restored_at("photos")) == {str(house.world.source / name) for name in "ab"}
    assert house.left_behind() == []


async def test_the_newest_complete_copy_is_taken_and_the_look_is_kept(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up(later_s=-3600.0)
    wanted = house.world.back_up()
    house.world.back_up(later_s=90.0, complete=False)
    assert (await house.test()).record["copy"] == wanted.id
    look = house.records.look("photos")
    assert look is not None
    assert look.count == 3


async def test_a_look_of_the_last_minutes_is_believed(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    await house.test()
    await house.test()
    assert house.world.looks == 1
    house.records.add_run("photos", "", "command", at=1.0, ended=time.time(), ok=True, record={})
    newer = house.world.back_up()
    assert (await house.test()).record["copy"] == newer.id


async def test_a_copy_that_is_gone_since_the_last_look_is_no_failure(house: House) -> None:
    house.write(a=b"milk")
    gone = house.world.back_up()
    await house.test()
    newer = house.world.back_up()
    house.world.copies.remove(gone)
    del house.world.content[gone.id]
    report = await house.test()
    assert (report.ok, report.record["copy"]) == (True, newer.id)


async def test_a_disk_unplugged_since_the_last_look_is_no_failure(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    await house.test()
    house.world.faults["entries"] = BackupError(Fault.NO_REPOSITORY, "there is nothing")
    house.world.faults["look"] = BackupError(Fault.NOT_MOUNTED, "it is not plugged in")
    report = await house.test()
    assert (report.ran, report.record["fault"], report.record["level"]) == (False, "not_mounted", "none")


async def test_a_file_that_came_back_different_fails_the_test_and_is_taken_again(house: House) -> None:
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up()
    house.world.came["b"] = b"eggz"
    report = await house.test()
    assert (report.ok, report.ran, report.record["mismatches"]) == (False, True, 1)
    assert report.record["first_error"] == f"{house.world.source / 'b'} came back different"
    assert report.spoken == f"The photos backup can't be restored: {house.world.source / 'b'} came back different."
    assert set(house.records.restored_at("photos")) == {str(house.world.source / "a")}
    assert report.record["coverage_pct"] == 50.0


async def test_several_wrong_files_are_counted_and_some_are_named(house: House) -> None:
    house.write(**{f"f{number}": b"12" for number in range(8)})
    house.world.back_up()
    house.world.came |= dict.fromkeys(("f1", "f2", "f3", "f4", "f5", "f6"), b"13")
    report = await house.test()
    assert (report.record["mismatches"], len(report.record["mismatched"])) == (6, testing.EXAMPLES)
    assert report.spoken.endswith("f1 came back different. And so with five others.")


@pytest.mark.parametrize("content", [b"mil", b""])
async def test_a_file_cut_off_fails_the_test_also_where_it_cannot_be_compared(house: House, content: bytes) -> None:
    house.write(a=b"milk")
    house.world.back_up(here=False)
    house.world.came["a"] = content
    report = await house.test()
    assert not report.ok
    assert report.record["first_error"] == f"{house.world.source / 'a'} came back with {len(content)} of 4 bytes"
    assert report.record["level"] == "none"


async def test_a_file_that_did_not_come_back_fails_the_test(house: House) -> None:
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up()
    house.world.came["a"] = lambda path: None
    report = await house.test()
    assert (report.ok, report.record["sample_n"]) == (False, 1)
    assert report.record["first_error"].endswith("a did not come back")


async def test_what_changed_since_the_copy_is_restored_and_not_compared(house: House) -> None:
    house.write(a=b"milk", b=b"eggs", c=b"oats")
    house.world.back_up(later_s=-3600.0)  # all of it was written after that
    report = await house.test()
    assert (report.ok, report.record["sample_n"], report.record["compared"]) == (True, 3, 0)
    assert report.spoken.endswith("three files came back. The originals could not be compared.")


async def test_a_deleted_source_and_one_that_became_a_link_are_not_compared(house: House) -> None:
    house.write(a=b"milk", b=b"eggs", c=b"oats")
    house.world.back_up()
    (house.world.source / "a").unlink()
    (house.world.source / "b").unlink()
    (house.world.source / "b").symlink_to(house.world.source / "c")
    report = await house.test()
    assert (report.ok, report.record["compared"]) == (True, 1)
    assert "1 of them are the same" not in report.spoken
    assert "one of them is the same as the original" in report.spoken


async def test_the_files_of_another_machine_are_not_compared_with_ours(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up(here=False)
    house.write(a=b"ours")
    report = await house.test()
    assert (report.ok, report.record["compared"], report.record["compared_pct"]) == (True, 0, 0.0)


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        *(("restore", fault) for fault in Fault),
        *((method, fault) for method in ("look", "entries") for fault in (Fault.LOCKED, Fault.DAMAGED)),
    ],
)
async def test_a_fault_fails_the_test_only_where_it_refutes_the_backup(house: House, method: str, fault: Fault) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    house.world.faults[method] = BackupError(fault, "it is so")
    report = await house.test()
    assert (report.ok, report.ran) == (False, fault.refutes)
    assert (report.record["first_error"], report.record["fault"]) == ("it is so", fault.value)
    assert report.spoken == (
        "The photos backup can't be restored: it is so."
        if fault.refutes
        else "I could not test the photos backup: it is so."
    )
    assert (house.records.last_restore_test("photos") is not None) == fault.refutes
    assert (house.records.last_attempt("photos") or {})["fault"] == fault.value
    assert house.left_behind() == []


async def test_a_failed_look_is_kept_too(house: House) -> None:
    house.world.faults["look"] = BackupError(Fault.LOCKED, "it is locked")
    await house.test()
    look = house.records.look("photos")
    assert look is not None
    assert look.fault is Fault.LOCKED


async def test_a_job_without_a_backup_fails_the_test(house: House) -> None:
    report = await house.test()
    assert (report.ok, report.ran, report.record["first_error"]) == (False, True, "there is no backup")


async def test_a_job_with_broken_off_backups_only_fails_the_test(house: House) -> None:
    house.world.back_up(complete=False)
    assert (await house.test()).record["first_error"] == "there is no complete backup to restore"


async def test_a_backup_of_nothing_fails_the_test(house: House) -> None:
    house.world.back_up()
    report = await house.test()
    assert (report.ok, report.ran, report.record["first_error"]) == (False, True, "the backup holds no file")


async def test_a_job_that_cannot_restore_is_not_tested(house: House) -> None:
    house.use("FakeKind")
    report = await house.test()
    assert (report.ran, report.spoken) == (
        False,
        "I could not test the photos backup: nothing of its kind can be restored from here.",
    )


async def test_a_source_that_holds_the_scratch_folder_is_refused_with_the_mend(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    inside = house.world.source / "state"
    inside.mkdir()
    report = await testing.test_restore(
        "photos", house.settings(), house.records, inside, seed=1, max_bytes=10**8, progress=lambda _s, _d: None
    )
    assert (report.ok, report.ran) == (False, False)
    assert "overlap" in report.record["first_error"]
    assert "restore_scratch" in report.record["first_error"]
    assert house.world.restored == []


async def test_the_scratch_folder_may_lie_in_a_part_of_the_source_that_no_backup_takes(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    inside = house.world.source / "state"
    inside.mkdir()
    report = await testing.test_restore(
        "photos",
        house.settings(exclude=[str(inside)]),
        house.records,
        inside,
        seed=1,
        max_bytes=10**8,
        progress=lambda _s, _d: None,
    )
    assert report.ok


async def test_what_does_not_fit_is_not_tested(house: House) -> None:
    house.write(a=b"x" * 50_000)
    house.world.back_up()
    report = await house.test(max_bytes=20_000)
    assert (report.ran, house.world.restored) == (False, [])
    assert "does not fit" in report.record["first_error"]


async def test_what_fits_of_a_copy_that_is_larger_than_the_limit_is_tested(house: House) -> None:
    house.write(a=b"x" * 50_000, b=b"y" * 1_000)
    house.world.back_up()
    report = await house.test(max_bytes=20_000)
    assert (report.ok, report.record["whole"], report.record["too_large"]) == (True, False, 1)
    assert house.world.restored == [[str(house.world.source / "b")]]


async def test_all_of_a_copy_larger_than_the_scratch_folder_is_restored_in_parts(house: House) -> None:
    house.write(**{f"f{number}": bytes([number]) * 8_000 for number in range(7)})
    house.world.back_up()
    house.world.came["f5"] = b"other" * 1_600
    report = await house.test(max_bytes=25_000, whole=True)
    assert [len(part) for part in house.world.restored] == [2, 2, 2, 1]
    assert (report.record["sample_n"], report.record["compared"], report.record["whole"]) == (7, 7, True)
    assert report.record["mismatched"] == [f"{house.world.source / 'f5'} came back different"]
    assert house.world.most_at_once <= 25_000
    shares = [share for share, _ in house.progress]
    assert shares == sorted(shares)


async def test_a_scratch_folder_far_too_small_for_all_of_it_is_not_filled_a_thousand_times(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write(a=b"milk", b=b"eggs", c=b"oats")
    house.world.back_up()
    monkeypatch.setattr(testing, "MAX_BATCHES", 2)
    report = await house.test(max_bytes=5_000, whole=True)
    assert (report.ran, house.world.restored) == (False, [])
    assert "too little" in report.record["first_error"]


async def test_a_scratch_folder_without_room_says_nothing_about_the_backup(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write(a=b"milk")
    house.world.back_up()

    async def full(_: Path) -> tuple[int, int]:
        return 1_000_000, 100_000_000

    monkeypatch.setattr(testing, "room", full)
    report = await house.test()
    assert (report.ran, "does not fit" in report.record["first_error"]) == (False, True)


async def test_a_scratch_folder_that_fills_up_meanwhile_says_nothing_about_the_backup(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    house.world.faults["restore"] = OSError(errno.ENOSPC, "No space left on device")
    report = await house.test()
    assert (report.ok, report.ran) == (False, False)
    assert report.record["first_error"] == "the scratch folder cannot be used: No space left on device"
    assert house.left_behind() == []


async def test_a_cancelled_test_cleans_up_and_enters_nothing(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    house.world.held = asyncio.Event()
    test = asyncio.create_task(house.test())
    await house.world.reached.wait()
    assert len(house.left_behind()) == 1
    test.cancel()
    with pytest.raises(asyncio.CancelledError):
        await test
    assert house.left_behind() == []
    assert house.records.last_attempt("photos") is None


async def test_a_restored_link_is_not_followed(house: House) -> None:
    outside = house.folder / "outside"
    outside.write_bytes(b"milk")
    house.write(a=b"milk")
    house.world.back_up()
    house.world.came["a"] = lambda path: path.symlink_to(outside)
    report = await house.test()
    assert report.record["first_error"].endswith("a came back as something that is no file")
    assert outside.read_bytes() == b"milk"


async def test_a_restored_folder_that_is_a_link_is_not_followed(house: House) -> None:
    (house.world.source / "d").mkdir()
    (house.world.source / "d" / "a").write_bytes(b"milk")
    house.world.back_up()

    def link(path: Path) -> None:
        path.parent.rmdir()
        path.parent.symlink_to(house.world.source / "d")

    house.world.came["a"] = link
    report = await house.test()
    assert report.record["first_error"].endswith("a came back behind a link")
    assert (house.world.source / "d" / "a").read_bytes() == b"milk"


async def test_a_restored_pipe_does_not_hold_the_test_up(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()
    house.world.came["a"] = lambda path: os.mkfifo(path)
    assert not (await house.test()).ok
    assert house.left_behind() == []


async def test_a_restored_file_that_nobody_may_read_is_compared_all_the_same(house: House) -> None:
    house.write(a=b"milk")
    house.world.back_up()

    def locked(path: Path) -> None:
        path.write_bytes(b"milk")
        path.chmod(0)

    house.world.came["a"] = locked
    assert (await house.test()).ok


async def test_progress_goes_up_to_the_end(house: House) -> None:
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up()
    await house.test()
    shares = [share for share, _ in house.progress]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert [doing for _, doing in house.progress][-2:] == ["comparing", "cleaning up"]


async def test_what_the_application_found_good_is_entered(house: House) -> None:
    house.world.back_up()
    house.world.proof = Proof(checked=12, of=12, said="all 12 tables", evidence={"rows": 900})
    report = await house.test()
    assert report.ok
    assert report.spoken == "The photos backup was restored and checked: All 12 tables."
    shown = ("level", "sample_n", "coverage_pct", "whole", "evidence")
    assert [report.record[name] for name in shown] == ["app", 12, 100.0, True, {"rows": 900}]


async def test_what_the_application_found_wrong_fails_the_test(house: House) -> None:
    house.world.back_up()
    house.world.proof = Proof(checked=11, of=12, mismatches=("table birds has 3 rows of 9",))
    report = await house.test()
    assert (report.ok, report.ran, report.record["coverage_pct"]) == (False, True, 91.7)
    assert report.spoken == "The photos backup can't be restored: table birds has 3 rows of 9."


async def test_an_application_that_checked_nothing_proves_nothing(house: House) -> None:
    house.world.back_up()
    house.world.proof = Proof()
    report = await house.test()
    assert (report.ok, report.record["first_error"]) == (False, "nothing of it could be checked")


async def test_an_application_that_needs_more_than_there_is_is_not_tested(house: House) -> None:
    house.world.back_up()
    house.world.proof = Proof(checked=1, of=1)
    house.world.takes = 3_000_000_000
    report = await house.test()
    assert (report.ran, house.world.scratches) == (False, [])
    assert report.record["first_error"] == "it takes 3.0 GB, and the scratch folder has 0.1 GB for it"


async def test_a_missing_program_is_no_failure_of_the_backup(house: House) -> None:
    house.world.back_up()
    house.world.faults["prove"] = BackupError(Fault.NOT_INSTALLED, "psql is not installed")
    report = await house.test()
    assert (report.ran, report.spoken) == (False, "I could not test the photos backup: psql is not installed.")


async def test_a_small_copy_is_restored_while_its_files_are_still_being_listed(house: House) -> None:
    house.use("FakeFilesAhead")
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up(size=8, files=2)
    house.world.listing = asyncio.Event()  # the list comes when all is restored: waiting for it first would never end
    report = await house.test()
    assert (report.ok, report.record["sample_n"], report.record["compared"]) == (True, 2, 2)
    assert len(house.world.restored) == 1
    assert house.left_behind() == []


async def test_what_was_restored_ahead_is_compared_all_the_same(house: House) -> None:
    house.use("FakeFilesAhead")
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up(size=8, files=2)
    house.world.came["a"] = b"mulk"
    report = await house.test()
    assert (report.ok, report.ran, report.record["mismatches"]) == (False, True, 1)


async def test_what_changed_since_a_copy_that_was_restored_ahead_is_restored_once_more(house: House) -> None:
    house.use("FakeFilesAhead")
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up(size=8, files=2, later_s=-3600.0)  # both files are younger
    report = await house.test()
    assert (report.ok, report.record["sample_n"], report.record["compared"]) == (True, 2, 0)
    assert [len(paths) for paths in house.world.restored] == [2, 2]


@pytest.mark.parametrize("fields", [{}, {"size": 8, "files": 2, "here": False}, {"size": 90_000_000_000, "files": 2}])
async def test_nothing_is_restored_ahead_that_would_not_be_compared_or_may_not_fit(
    house: House, fields: dict[str, object]
) -> None:
    house.use("FakeFilesAhead")
    house.write(a=b"milk", b=b"eggs")
    house.world.back_up(**fields)  # type: ignore[arg-type]
    house.world.came["a"] = b"milk"
    assert (await house.test()).ok
    assert all(scratch.name == "restored" for scratch in house.world.scratches)


async def test_a_list_that_is_longer_than_it_was_told_calls_off_what_was_begun(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.use("FakeFilesAhead")
    monkeypatch.setattr("tools.restore_tests.sampling.WHOLE_FILES", 1)
    monkeypatch.setattr("tools.restore_tests.sampling.MIN_FILES", 1)
    house.write(a=b"milk", b=b"eggs", c=b"bread")
    house.world.back_up(size=13, files=1)
    house.world.held = asyncio.Event()
    house.world.held.set()
    report = await house.test()
    assert (report.ok, report.record["whole"], report.record["sample_n"]) == (True, False, 1)
    assert house.left_behind() == []


async def test_a_restore_that_fails_ahead_is_a_failure_of_the_backup(house: House) -> None:
    house.use("FakeFilesAhead")
    house.write(a=b"milk")
    house.world.back_up(size=4, files=1)
    house.world.faults["restore"] = BackupError(Fault.DAMAGED, "the repository is damaged")
    report = await house.test()
    assert (report.ok, report.ran, report.record["fault"]) == (False, True, "damaged")
    assert house.left_behind() == []

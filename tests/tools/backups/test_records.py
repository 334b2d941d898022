"""What is remembered of backups comes back as it was, and what was entered last is the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups import records as module
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.backups.records import COPIES_OF_A_LOOK, BackupRecords, PassedTest
from tools.store import Store

NOW = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


@pytest.fixture
def records(store: Store) -> BackupRecords:
    return BackupRecords(store)


def run(records: BackupRecords, at: float, *, ok: bool = True, **record: object) -> None:
    records.add_run("photos", "", "restic", at=at, ended=at + 60, ok=ok, record=record)


COPIES = st.builds(
    Copy,
    id=st.text(min_size=1, max_size=8),
    at=st.floats(0, 4e9),
    duration_s=st.none() | st.floats(0, 1e6),
    size=st.none() | st.integers(0, 2**60),
    files_new=st.none() | st.integers(0, 10**9),
    unread=st.integers(0, 9),
    complete=st.booleans(),
    here=st.booleans(),
    paths=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)


@given(copies=st.lists(COPIES, max_size=8, unique_by=lambda copy: copy.id))
def test_a_look_and_its_copies_come_back_as_they_were(
    copies: list[Copy], tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = Found(copies=tuple(sorted(copies, key=lambda copy: copy.at)), free=3, total=9, warnings=("it is slow",))
    with Store(tmp_path_factory.mktemp("state") / "jarvis.db") as store:
        records = BackupRecords(store)
        records.keep_look("photos", "usb", NOW, found, None)
        look = records.look("photos", "usb")
        assert look is not None
        assert (look.at, look.found_at, look.fault, look.count) == (NOW, NOW, None, len(copies))
        assert look.found == found
        assert records.look("photos") is None
        seen = records.history("photos", "usb")
    assert sorted(seen, key=lambda copy: copy.id) == sorted(copies, key=lambda copy: copy.id)
    assert [copy.at for copy in seen] == sorted(copy.at for copy in copies)


def test_a_look_that_failed_says_why_and_keeps_what_was_found_before(records: BackupRecords) -> None:
    copy = Copy(id="a", at=NOW - DAY)
    records.keep_look("photos", "", NOW - 60, Found(copies=(copy,), free=5), None)
    for at in (NOW - 30, NOW):  # twice: the second has to go back over the first
        records.keep_look("photos", "", at, None, BackupError(Fault.NOT_MOUNTED, "nothing is mounted at /mnt"))
    look = records.look("photos")
    assert look is not None
    assert (look.at, look.fault, look.reason) == (NOW, Fault.NOT_MOUNTED, "nothing is mounted at /mnt")
    assert (look.found_at, look.found, look.count) == (NOW - 60, Found(copies=(copy,), free=5), 1)


def test_a_copy_that_is_gone_is_history_and_no_longer_there(records: BackupRecords) -> None:
    one, two = Copy(id="a", at=NOW - 2 * DAY), Copy(id="b", at=NOW - DAY)
    records.keep_look("photos", "", NOW - 60, Found(copies=(one, two)), None)
    records.keep_look("photos", "", NOW, Found(copies=(one,)), None)
    look = records.look("photos")
    assert look is not None
    assert look.found == Found(copies=(one,))
    assert records.history("photos") == [one, two]


def test_a_look_keeps_the_newest_copies_and_always_the_newest_whole_one(records: BackupRecords) -> None:
    whole = Copy(id="whole", at=NOW - 100 * DAY)
    broken = [Copy(id=str(n), at=NOW - DAY + n, complete=False) for n in range(2 * COPIES_OF_A_LOOK)]
    records.keep_look("photos", "", NOW, Found(copies=(whole, *broken)), None)
    look = records.look("photos")
    assert look is not None
    assert look.found is not None
    assert look.found.copies == (whole, *broken[-COPIES_OF_A_LOOK:])
    assert look.count == 1 + len(broken)


def test_history_is_bounded_and_the_newest_is_kept(records: BackupRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_COPIES", 70)
    copies = tuple(Copy(id=str(n), at=NOW + n) for n in range(100))
    records.keep_look("photos", "", NOW, Found(copies=copies), None)
    assert records.history("photos") == list(copies[-70:])
    assert records.history("photos", limit=3) == list(copies[-3:])
    assert [copy.id for copy in records.backwards("photos")] == [str(n) for n in range(99, 29, -1)]


def test_what_a_run_told_of_its_copy_stays_known_when_a_look_tells_less(records: BackupRecords) -> None:
    run(records, NOW, copy={"id": "a", "at": NOW, "unread": 2, "files_new": 5, "complete": False})
    assert records.history("photos") == [Copy(id="a", at=NOW, unread=2, files_new=5, complete=False)]
    records.keep_look("photos", "", NOW + 60, Found(copies=(Copy(id="a", at=NOW, size=9),)), None)
    assert records.history("photos") == [Copy(id="a", at=NOW, size=9, unread=2, files_new=5, complete=True)]


def test_a_look_is_fresh_since_it_was_made_and_not_when_something_ran_after_it(records: BackupRecords) -> None:
    assert records.fresh_since("photos") is None
    records.keep_look("photos", "", NOW, Found(), None)
    assert records.fresh_since("photos") == (NOW, True)
    run(records, NOW - DAY)
    assert records.fresh_since("photos") == (NOW, True)
    run(records, NOW)
    assert records.fresh_since("photos") is None
    records.keep_look("photos", "", NOW + 100, None, BackupError(Fault.LOCKED, "it is locked"))
    assert records.fresh_since("photos") == (NOW + 100, False)


def test_damage_is_found_again_and_the_checks_after_it(records: BackupRecords) -> None:
    run(records, NOW, verify={"level": "data", "share": 0.5, "ok": False, "fault": "timed_out"})
    assert records.last_damage("photos") is None
    run(records, NOW, verify={"level": "data", "share": 0.5, "ok": False, "fault": "damaged"})
    run(records, NOW, verify={"level": "data", "ok": False, "fault": "locked"})
    run(records, NOW, verify={"level": "metadata", "ok": True})
    run(records, NOW, verify={"level": "data", "share": 0.25, "ok": True})
    damaged = records.last_damage("photos")
    assert damaged is not None
    assert damaged.record["verify"]["fault"] == "damaged"
    assert records.checks_after(damaged, "photos") == [("metadata", 0.0), ("data", 0.25)]


def test_of_the_tests_that_passed_the_first_and_the_last_of_each_sort_are_told(records: BackupRecords) -> None:
    for day in range(9):
        records.add_restore_test("photos", "restic", NOW + day * DAY, ok=True, ran=True, record={"level": "restored"})
    whole = {"level": "app", "whole": True, "offsite": True}
    records.add_restore_test("photos", "restic", NOW, ok=True, ran=True, record=whole)
    records.add_restore_test("photos", "restic", NOW + 99 * DAY, ok=False, ran=True, record=whole)
    assert sorted(records.passed_restore_tests(), key=lambda one: (one.app, one.at)) == [
        PassedTest(job="photos", at=NOW),
        PassedTest(job="photos", at=NOW + 8 * DAY),
        PassedTest(job="photos", at=NOW, app=True, whole=True, offsite=True),
    ]


def test_the_last_run_is_the_one_that_was_entered_last_whatever_the_clock_said(records: BackupRecords) -> None:
    assert records.last_run("photos") is None
    run(records, NOW + 4000 * DAY)
    run(records, NOW, ok=False, fault="locked", reason="it is locked")
    last = records.last_run("photos")
    assert last is not None
    assert (last.at, last.ended, last.ok, last.kind) == (NOW, NOW + 60, False, "restic")
    assert last.record == {"fault": "locked", "reason": "it is locked"}
    assert records.last_run("photos", "usb") is None
    assert [one.at for one in records.runs("photos")] == [NOW, NOW + 4000 * DAY]


def test_the_last_check_is_that_of_the_newest_run_that_checked(records: BackupRecords) -> None:
    run(records, NOW - 3 * DAY, verify={"level": "data"})
    run(records, NOW - 2 * DAY, verify={"level": "metadata"})
    run(records, NOW - DAY)
    run(records, NOW + DAY, verify={"level": "data"})
    found = records.last_run_with("verify", "photos", before=NOW)
    assert found is not None
    assert (found.at, found.record["verify"]) == (NOW - 2 * DAY, {"level": "metadata"})
    assert records.last_run_with("prune", "photos", before=NOW) is None


def test_a_restore_test_that_could_not_run_is_an_attempt_and_no_test(records: BackupRecords) -> None:
    records.add_restore_test("photos", "restic", NOW - DAY, ok=True, ran=True, record={"sample_n": 3})
    records.add_restore_test("photos", "restic", NOW, ok=True, ran=False, record={"first_error": "no room"})
    assert records.last_restore_test("photos") == {"sample_n": 3, "at": NOW - DAY, "ok": True, "ran": True}
    assert records.last_attempt("photos") == {"first_error": "no room", "at": NOW, "ok": False, "ran": False}
    assert len(records.restore_tests("photos")) == 2
    assert records.last_attempt("gitea") is None


def test_a_restore_test_from_the_future_does_not_hide_a_later_one_that_failed(records: BackupRecords) -> None:
    records.add_restore_test("photos", "restic", NOW + 4000 * DAY, ok=True, ran=True, record={})
    records.add_restore_test("photos", "restic", NOW, ok=False, ran=True, record={"ok": True, "at": 0})
    assert records.last_restore_test("photos") == {"ok": False, "at": NOW, "ran": True}


def test_restored_files_are_known_by_when_they_last_were(records: BackupRecords) -> None:
    records.add_restored("photos", NOW - DAY, [("/a", True), ("/b", True)])
    records.add_restored("photos", NOW, [("/b", False)])
    records.add_restored("photos", NOW, [])
    assert records.restored_at("photos") == {"/a": NOW - DAY, "/b": NOW}
    assert records.restored_at("gitea") == {}


@pytest.mark.parametrize("text", ["", "[1]", "{", "null", "9" * 5000])
def test_a_damaged_record_is_one_that_is_missing(records: BackupRecords, store: Store, text: str) -> None:
    copies = (Copy(id="a", at=NOW),)
    records.keep_look("photos", "", NOW, Found(copies=copies), None)
    run(records, NOW)
    records.add_restore_test("photos", "restic", NOW, ok=False, ran=True, record={})
    for table in ("backup_looks", "backup_copies", "backup_runs", "restore_tests"):
        store.write(f"UPDATE {table} SET record = ?", [(text,)])  # noqa: S608 - constants
    look = records.look("photos")
    assert look is not None
    assert (look.found, look.fault) == (None, None)
    assert records.history("photos") == list(copies)
    assert (records.last_restore_test("photos") or {})["ok"] is False
    assert records.last_run("photos") is not None
    assert records.last_run_with("verify", "photos", before=NOW + 1) is None
    assert records.last_damage("photos") is None
    assert records.checks_after(records.runs("photos")[0], "photos") == []
    assert records.fresh_since("photos") is None
    assert [one["ok"] for one in records.last_restore_tests("photos")] == [False]
    assert records.passed_restore_tests() == []
    records.keep_look("photos", "", NOW, Found(copies=copies), None)
    assert records.history("photos") == list(copies)

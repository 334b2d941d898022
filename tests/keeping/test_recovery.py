"""A damaged ``jarvis.db``: what is there afterwards, what is said, and what must not happen twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tools.audit import AuditReader
from tools.contract import Caller, Door, Level, PlannedCall
from tools.keeping import recovery
from tools.keeping.copies import make_copy
from tools.keeping.recovery import recover, recoveries
from tools.notify.messages import Messages
from tools.store import Store, StoreError
from tools.tasks.schedules import Schedules

NOW = 1_800_000_000.0
ENTRY = {
    "who": "anna", "role": "owner", "door": "cli", "tool": "check_backups", "arguments": "{}", "decision": "allowed",
    "outcome": "ok",
}  # fmt: skip
ANNA = Caller(name="anna", door=Door.CLI)
STOP = PlannedCall(tool="vm_power", arguments={"vm": "windows", "action": "shutdown"}, level=Level.DESTRUCTIVE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jarvis.db"


def opened(path: Path, clock: Callable[[], float] = lambda: NOW) -> Store:
    return Store(path, on_damage=partial(recover, clock=clock))


def lived(path: Path, before: int = 40, after: int = 25) -> None:
    """Lines of audit before and after a copy."""
    with Store(path) as store:
        store.read("PRAGMA synchronous=OFF")  # nobody pulls the plug in a test
        for number in range(before):
            store.audit({**ENTRY, "arguments": f'{{"n": {number}}}'})
        make_copy(path, NOW - 3600)
        for number in range(after):
            store.audit({**ENTRY, "arguments": f'{{"n": {before + number}}}'})
            store.add_restore_test("photos", "restic", NOW - number, ok=True, record={})


def pages_of(path: Path, name: str) -> list[int]:
    """Where a table or index lies in the file, counted from 1."""
    with closing(sqlite3.connect(path)) as db:
        try:
            return [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = ?", (name,))]
        except sqlite3.OperationalError:
            return [row[0] for row in db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))]


def overwrite(path: Path, pages: list[int]) -> None:
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)
        if 1 not in pages:  # the change counter, so that nobody goes on with what they have in memory
            file.seek(24)
            counter = int.from_bytes(file.read(4), "big") + 1
            file.seek(24)
            file.write(counter.to_bytes(4, "big"))


def faults(path: Path) -> list[str]:
    return [fault.text for fault in AuditReader(path).verified().faults]


def said(store: Store) -> list[str]:
    return [message.text for message in Messages(store, lambda: NOW).unannounced()]


def test_damage_in_one_place_loses_nothing_that_can_still_be_read(path: Path) -> None:
    lived(path)
    overwrite(path, pages_of(path, "messages"))
    with opened(path) as store:
        lines = store.audit_lines()
        assert [line["id"] for line in lines] == list(range(66, 0, -1))
        assert (lines[0]["tool"], lines[0]["decision"], lines[0]["arguments"][-13:]) == (
            "database",
            "recovered",
            '"missing": 0}',
        )
        assert store.last_restore_test("photos") is not None
        assert len(store.read("SELECT 1 FROM restore_tests")) == 25
        (text,) = said(store)
        assert text.startswith("My own database was damaged. I went back to the copy of ")
        assert text.endswith("No line of the audit is missing.")
    assert faults(path) == []


def test_damage_everywhere_goes_back_to_the_copy_and_says_that_lines_may_be_missing(path: Path) -> None:
    lived(path)
    overwrite(path, list(range(1, path.stat().st_size // 4096 + 1)))
    spoiled = path.read_bytes()
    with opened(path) as store:
        assert [line["id"] for line in store.audit_lines()] == list(range(41, 0, -1))
        assert said(store)[0].endswith("Lines of the audit may be missing.")
    (found,) = recoveries(path.parent)
    assert Path(found.set_aside).read_bytes() == spoiled
    assert (found.audit_kept, found.audit_missing) == (0, None)
    assert faults(path) == []


def test_the_lines_that_are_lost_are_counted_where_their_number_is_still_known(path: Path) -> None:
    lived(path, before=40, after=400)
    overwrite(path, pages_of(path, "audit")[-4:])
    with opened(path):
        pass
    (found,) = recoveries(path.parent)
    assert found.audit_missing
    assert found.audit_kept + found.audit_missing == 400
    assert "lines of the audit may be missing" in found.spoken().lower()
    assert faults(path) == []


def test_without_any_copy_it_begins_anew_with_what_can_be_read(path: Path) -> None:
    with Store(path) as store:
        for _ in range(20):
            store.audit(ENTRY)
    overwrite(path, pages_of(path, "messages"))
    with opened(path) as store:
        assert len(store.audit_lines()) == 21
        assert "There was no copy of it" in said(store)[0]
    assert faults(path) == []


def test_a_copy_that_is_damaged_itself_is_passed_over(path: Path) -> None:
    lived(path)
    newest = make_copy(path, NOW - 60)
    overwrite(newest.path, [3, 4, 5, 6])
    overwrite(path, list(range(1, path.stat().st_size // 4096 + 1)))
    opened(path).close()
    (found,) = recoveries(path.parent)
    assert found.copy is not None
    assert "-000001-" in found.copy


def test_a_copy_of_an_older_version_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(path)
    with closing(sqlite3.connect(next((path.parent / "copies").iterdir()))) as db:
        db.execute("DROP TABLE acts_begun")
        db.execute("PRAGMA user_version=6")
    overwrite(path, pages_of(path, "messages"))
    with opened(path) as store:
        assert len(store.audit_lines()) == 66
    assert len(list((path.parent / "copies").iterdir())) == 1


def test_no_yes_is_whole_again_that_was_burnt_after_the_copy(path: Path) -> None:
    question = {
        "nonce_sha256": "n", "digest": "d", "who": "anna", "conversation": "c", "door": "cli", "turn_id": None,
        "created": NOW - 10, "expires": NOW + 300, "created_ticks": 0.0, "expires_ticks": 1e9,
    }  # fmt: skip
    yes = {"nonce_sha256": "n", "digest": "d", "who": "anna", "conversation": "c", "now": NOW, "ticks": 5.0}
    with Store(path) as store:
        store.open_confirmation(question)
        make_copy(path, NOW)
        assert store.burn_confirmation(yes)
    overwrite(path, pages_of(path, "messages"))
    with opened(path) as store:
        assert not store.burn_confirmation(yes)


def test_what_was_scheduled_and_due_since_the_copy_is_not_done_again(path: Path) -> None:
    with Store(path) as store:
        schedules = Schedules(store, lambda: NOW - 7200)
        once = schedules.add("shut down windows", "in 30 minutes", STOP, ANNA)
        daily = schedules.add("shut down windows", "every day at 03:00", STOP, ANNA)
        make_copy(path, NOW - 3600)
    overwrite(path, [page for name in ("schedules", "messages") for page in pages_of(path, name)])
    with opened(path) as store:
        schedules = Schedules(store, lambda: NOW)
        assert schedules.due() == []
        there = {one.id: one for one in schedules.all()}
        assert there[once.id].next_at is None
        assert (there[daily.id].next_at or 0) > NOW
        assert [one.id for one in schedules.broken_off()] == [once.id]


def test_a_running_house_goes_on_without_a_restart(path: Path) -> None:
    lived(path)
    with opened(path) as store:
        overwrite(path, pages_of(path, "jobs") + pages_of(path, "observations"))
        assert not store.read("SELECT * FROM jobs")
        store.audit(ENTRY)
        assert len(store.audit_lines()) == 67
    assert len(recoveries(path.parent)) == 1
    assert faults(path) == []


def test_whoever_does_not_own_the_folder_mends_nothing(path: Path) -> None:
    lived(path)
    overwrite(path, pages_of(path, "messages"))
    spoiled = path.read_bytes()
    with pytest.raises(StoreError, match="is damaged"):
        Store(path)
    assert path.read_bytes() == spoiled


def test_a_sound_file_is_left_alone(path: Path) -> None:
    lived(path)
    before = path.read_bytes()
    assert recover(path) is None
    assert path.read_bytes() == before
    assert recoveries(path.parent) == []


def test_broken_off_by_a_full_disk_the_damaged_file_is_still_there_and_it_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(path)
    overwrite(path, pages_of(path, "messages"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "_set_aside", full)
        with pytest.raises(StoreError, match="the disk is full"):
            opened(path)
    assert path.exists()
    with opened(path) as store:
        assert len(store.audit_lines()) == 66
    assert faults(path) == []

"""The tools' database: what it keeps, who may read it, and what it says when it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tools.store import AUDIT_TEXT_LIMIT, OBSERVATION_RETENTION_S, Store, StoreError

NOW = 1_800_000_000.0
ENTRY = {
    "who": "anna",
    "role": "owner",
    "door": "cli",
    "tool": "check_backups",
    "arguments": "{}",
    "decision": "allowed",
    "outcome": "ok",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jarvis.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_read_the_folder_and_the_file(store: Store, path: Path) -> None:
    store.audit(ENTRY)
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)


def test_what_was_kept_is_there_after_opening_again(path: Path) -> None:
    with Store(path) as store:
        store.add_restore_test("photos", "restic", NOW, ok=True, record={"sample_n": 3})
    with Store(path) as store:
        assert store.last_restore_test("photos") == {"sample_n": 3, "at": NOW, "ok": True}
        assert store.last_restore_test("gitea") is None


def test_the_last_restore_test_is_the_newest_and_the_later_entry_of_two_at_once(store: Store) -> None:
    store.add_restore_test("photos", "restic", NOW, ok=True, record={})
    store.add_restore_test("photos", "restic", NOW - 10, ok=False, record={})
    assert (store.last_restore_test("photos") or {})["ok"] is True
    store.add_restore_test("photos", "restic", NOW, ok=False, record={})
    assert (store.last_restore_test("photos") or {})["ok"] is False


def test_a_record_cannot_claim_another_outcome_than_the_ledger(store: Store) -> None:
    store.add_restore_test("photos", "restic", NOW, ok=False, record={"ok": True, "at": 0})
    assert store.last_restore_test("photos") == {"ok": False, "at": NOW}


def test_observations_come_back_per_service_oldest_first_within_the_window(store: Store) -> None:
    store.observe(NOW - 100, [("gitea", True, ""), ("immich", False, "refused")])
    store.observe(NOW - 50, [("gitea", False, "refused"), ("gitea", True, "")])
    assert store.observations(NOW - 60, ["gitea"]) == {"gitea": [(NOW - 50, False), (NOW - 50, True)]}
    assert store.observations(NOW - 100, ["gitea", "immich"])["immich"] == [(NOW - 100, False)]


def test_old_observations_are_dropped(store: Store) -> None:
    store.observe(NOW - OBSERVATION_RETENTION_S - 1, [("gitea", False, "refused")])
    store.observe(NOW, [("immich", True, "")])
    assert store.observations(0, ["gitea", "immich"]) == {"gitea": [], "immich": [(NOW, True)]}


def test_an_outage_began_with_the_first_failure_after_the_last_success(store: Store) -> None:
    assert store.down_since("gitea") is None
    for at, up in ((1, False), (2, True), (3, False), (4, False)):
        store.observe(NOW + at, [("gitea", up, "")])
    store.observe(NOW + 5, [("immich", False, "")])
    assert store.down_since("gitea") == NOW + 3
    store.observe(NOW + 6, [("gitea", True, "")])
    assert store.down_since("gitea") is None


def test_audit_lines_come_newest_first_and_are_numbered_without_gaps(store: Store) -> None:
    for who in ("anna", "ben", "carla"):
        store.audit({**ENTRY, "who": who})
    lines = store.audit_lines(2)
    assert [line["who"] for line in lines] == ["carla", "ben"]
    assert [line["id"] for line in store.audit_lines()] == [3, 2, 1]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit", "UPDATE audit SET who = 'nobody'", "DELETE FROM audit WHERE 1"]
)
def test_the_audit_cannot_be_changed_even_by_hand(store: Store, path: Path, statement: str) -> None:
    store.audit(ENTRY)
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        db.execute(statement)
    assert [line["who"] for line in store.audit_lines()] == ["anna"]


def test_an_audit_line_holds_any_text_and_cuts_what_is_too_long(store: Store) -> None:
    store.audit({**ENTRY, "tool": "\ud800 check", "arguments": "x" * 1_000_000})
    (line,) = store.audit_lines()
    assert line["tool"] == "? check"
    assert len(line["arguments"]) == AUDIT_TEXT_LIMIT


def test_an_audit_line_without_its_outcome_is_refused_and_the_next_one_works(store: Store) -> None:
    with pytest.raises(StoreError):
        store.audit({**ENTRY, "outcome": None})
    store.audit(ENTRY)
    assert len(store.audit_lines()) == 1


def test_a_corrupt_file_is_named_with_the_mend(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match=r"jarvis\.db cannot be used.*moved away"):
        Store(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_database_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match=r"newer version of Jarvis \(schema 99\)"):
        Store(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with Store(path) as store:
        store.audit(ENTRY)
        assert len(store.audit_lines()) == 1


def test_a_folder_that_is_a_file_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "state" / "jarvis.db")


def test_closing_twice_is_fine_and_using_it_afterwards_is_an_error_in_words(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    for use in (store.audit_lines, lambda: store.audit(ENTRY), lambda: store.observations(0, ["gitea"])):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_two_processes_can_write_at_the_same_time(store: Store, path: Path) -> None:
    with Store(path) as other:
        threads = [threading.Thread(target=lambda s=s: [s.audit(ENTRY) for _ in range(10)]) for s in (store, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.audit_lines()) == 20


def test_a_new_file_can_be_opened_by_several_at_once(path: Path) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(Store(path))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in opened:
        store.close()
    assert len(opened) == 6


def test_every_write_reaches_the_disk_before_it_returns(path: Path) -> None:
    with Store(path) as store:
        store.audit(ENTRY)
        assert not path.with_name("jarvis.db-wal").exists()
        assert not path.with_name("jarvis.db-journal").exists()

"""The audit: a chain that nobody changes unnoticed, and that loses lines only where a line says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tools.audit import AuditError, AuditReader, Wanted
from tools.database import statements
from tools.records import DAY_S, forget_old_calls
from tools.schema import MIGRATIONS
from tools.store import Store, StoreError

BEFORE_THE_CHAIN = 5
"""Migrations of a database that has an audit without hashes."""


def line(number: int, who: str = "anna", **more: str) -> dict[str, str]:
    return {
        "who": who, "role": "owner", "door": "cli", "tool": "check_backups", "arguments": f'{{"n": {number}}}',
        "decision": "allowed", "outcome": "ok", **more,
    }  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jarvis.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        opened._db.execute("PRAGMA synchronous=OFF")
        yield opened


def tamper(path: Path, *statements: str) -> None:
    """As somebody with the file and an editor."""
    with closing(sqlite3.connect(path)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def faults(path: Path) -> list[str]:
    return [fault.text for fault in AuditReader(path).verified().faults]


def test_what_was_written_is_as_it_was_written(store: Store, path: Path) -> None:
    for number in range(20):
        store.audit(line(number, room="küche", turn_id="\ud800"))
    verified = AuditReader(path).verified()
    assert (verified.lines, verified.faults) == (20, ())
    assert verified.head == store.audit_lines(1)[0]["chain"]


def test_an_empty_audit_is_well(store: Store, path: Path) -> None:
    assert AuditReader(path).verified().faults == ()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET who = 'ben' WHERE id = 3", "#3 is not as it was written."),
        ("UPDATE audit SET at = at - 1 WHERE id = 1", "#1 is not as it was written."),
        ("DELETE FROM audit WHERE id = 4", "Missing before #5: #4."),
        ("DELETE FROM audit WHERE id IN (2, 3)", "Missing before #4: #2 to #3."),
        ("DELETE FROM audit WHERE id = 1", "Missing before #2: #1."),
        ("DELETE FROM audit WHERE id >= 5", "The end is not as it was left: the newest is #4, and #6 was written."),
        ("DELETE FROM audit", "The end is not as it was left: the newest is #0, and #6 was written."),
        ("DELETE FROM audit_head", "What says how it ended is gone."),
        ("UPDATE audit SET chain = 'x' WHERE id = 2", "#2 is not as it was written."),
        (
            "INSERT INTO audit SELECT 7, at, who, role, door, room, turn_id, tool, arguments, level, decision, outcome,"
            " result_sha256, chain FROM audit WHERE id = 6",
            "#7 is not as it was written.",
        ),
    ],
)
def test_whoever_changes_the_file_is_noticed(store: Store, path: Path, statement: str, told: str) -> None:
    for number in range(6):
        store.audit(line(number))
    tamper(path, statement)
    assert told in faults(path)


def test_the_database_itself_refuses(store: Store, path: Path) -> None:
    store.audit(line(1))
    store.audit(line(2))
    values = "at, who, role, door, room, turn_id, tool, arguments, level, decision, outcome, result_sha256, chain"
    for statement in (
        "UPDATE audit SET who = 'ben'",
        "DELETE FROM audit WHERE id = 1",
        "DELETE FROM audit",
        f"INSERT OR REPLACE INTO audit SELECT 1, {values} FROM audit WHERE id = 2",  # noqa: S608 - constants
    ):
        with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.DatabaseError, match="append-only"):
            db.execute(statement)
    assert faults(path) == []


def test_old_lines_go_with_a_line_that_says_so(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        monkeypatch.setattr("tools.store.time.time", lambda number=number: number * DAY_S)
        store.audit(line(number))
    head = store.audit_lines(1)[0]["chain"]
    assert forget_old_calls(store, 0, 100 * DAY_S) == 0
    assert forget_old_calls(store, 3, 6 * DAY_S) == 3
    assert forget_old_calls(store, 3, 6 * DAY_S) == 0
    lines = store.audit_after(0, 100)
    assert [one["id"] for one in lines] == [4, 5, 6, 7]
    assert (lines[-1]["who"], lines[-1]["tool"], lines[-1]["decision"]) == ("jarvis", "audit", "retention")
    assert '"dropped": 3, "up_to": 3' in lines[-1]["arguments"]
    assert lines[-2]["chain"] == head
    assert faults(path) == []
    monkeypatch.setattr("tools.store.time.time", lambda: 50 * DAY_S)
    store.audit(line(8))
    assert forget_old_calls(store, 3, 51 * DAY_S) == 4
    assert [one["id"] for one in store.audit_after(0, 100)] == [8, 9]
    assert faults(path) == []
    tamper(path, "DELETE FROM audit WHERE id = 8")
    assert faults(path) == ["Missing before #9: #8."]


def test_lines_from_before_the_chain_are_covered_by_the_first_that_has_one(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for script in MIGRATIONS[:BEFORE_THE_CHAIN]:
            for statement in statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={BEFORE_THE_CHAIN}")
        for number in range(3):
            db.execute(
                "INSERT INTO audit (at, who, role, door, tool, arguments, decision, outcome) "
                "VALUES (?, 'anna', 'owner', 'cli', 'notify', '{}', 'allowed', 'ok')",
                (float(number),),
            )
        db.execute(
            "INSERT INTO schedules (id, what, due, call, digest, trigger, who, door, created) VALUES "
            "('a', 'x', 'at 07:00', '{\"protected\":true}', '', 'once', 'anna', 'cli', 0), "
            "('b', 'x', 'at 07:00', '', '', 'once', 'anna', 'cli', 0)"
        )
    with Store(path) as store:
        assert AuditReader(path).verified().lines == 3
        store.audit(line(4))
        assert faults(path) == []
        assert store.read("SELECT id, role, only_these FROM schedules ORDER BY id") == [
            ("a", "owner", "[]"),
            ("b", "member", "[]"),
        ]
    tamper(path, "UPDATE audit SET who = 'ben' WHERE id = 2")
    assert faults(path) == ["#4, or a line before it that has no hash, is not as it was written."]


def test_lines_are_found_by_who_where_what_and_when(store: Store, path: Path) -> None:
    store.audit(line(1))
    store.audit(line(2, who="Ben", door="mcp", tool="vm_power", decision="refused", outcome="refused"))
    store.audit(line(3, who="ben", decision="confirmed", outcome="timeout"))
    reader = AuditReader(path)

    def found(**wanted: str) -> list[int]:
        return [one["id"] for one in reader.newest(Wanted(**wanted), 10)]  # type: ignore[arg-type]

    assert found() == [1, 2, 3]
    assert found(who="ben") == [2, 3]
    assert found(door="mcp", tool="vm_power") == [2]
    assert found(decision="refused") == [2]
    assert found(decision="timeout") == [3]
    assert [one["id"] for one in reader.newest(Wanted(since=store.audit_lines(1)[0]["at"]), 10)] == [3]
    assert [one["id"] for one in reader.after(1, Wanted(), 1)] == [2]
    assert [one["id"] for one in reader.newest(Wanted(), 2)] == [2, 3]
    assert [one["id"] for one in store.audit_after(0, 2)] == [2, 3]
    assert [one["id"] for one in store.audit_after(1, 1)] == [2]


def test_reading_writes_nothing_and_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        AuditReader(path).newest(Wanted(), 1)
    assert not path.exists()


def test_two_processes_write_one_chain(store: Store, path: Path) -> None:
    with Store(path) as other:
        for number in range(5):
            store.audit(line(number))
            other.audit(line(number, who="ben"))
    assert [one["id"] for one in store.audit_after(0, 100)] == list(range(1, 11))
    assert faults(path) == []


def test_a_closed_database_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.audit(line(1))
    with pytest.raises(StoreError):
        store.forget_audit(0.0, line(1))

"""What is old goes, what is still needed stays, and two years of a house need no more room than one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.keeping.two_years import live
from tools.backups.records import BackupRecords
from tools.contract import Caller
from tools.keeping.copies import copies_of, make_copy
from tools.keeping.keeper import Keeper
from tools.keeping.retention import sweep
from tools.notify.messages import Messages
from tools.outbox import Outbox
from tools.settings import ToolSettings
from tools.settings_retention import RetentionSettings
from tools.store import Store

NOW = 1_800_000_000.0
DAY_S = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


def settings(**keep: object) -> ToolSettings:
    return ToolSettings.model_validate({"retention": keep})


def keeper(tmp_path: Path, store: Store, clock: list[float], **keep: object) -> Keeper:
    kept = RetentionSettings.model_validate(keep)
    return Keeper(store, tmp_path, kept, lambda: clock[0], lambda at: datetime.fromtimestamp(at, UTC))


@pytest.mark.long
def test_two_years_need_no_more_room_than_one(tmp_path: Path) -> None:
    growth = live(tmp_path)
    assert growth.later <= 1.05
    assert growth.faults == ()
    assert {"audit", "artifacts", "messages", "jobs", "backup runs", "restore tests", "observations"} <= set(
        growth.dropped
    )
    assert growth.dropped["audit"] > 0


def test_the_first_and_the_last_restore_test_of_each_sort_always_stay(tmp_path: Path, store: Store) -> None:
    for number in range(6):
        at = NOW - (500 - number) * DAY_S
        store.add_restore_test("photos", "restic", at, ok=True, record={"level": "app", "n": number})
        store.add_restore_test("photos", "restic", at, ok=True, record={"whole": 1, "n": number})
        store.add_restore_test("photos", "restic", at, ok=False, record={"n": number})
    before = BackupRecords(store).passed_restore_tests()
    report = sweep(store, settings(restore_test_days=100), tmp_path, NOW)
    assert report.dropped["restore tests"] == 12
    assert BackupRecords(store).passed_restore_tests() == before
    assert (BackupRecords(store).last_restore_test("photos") or {})["n"] == 5


def test_of_old_runs_the_one_with_damage_stays(tmp_path: Path, store: Store) -> None:
    records = BackupRecords(store)
    for number in range(80):
        bad = number == 3
        record = {"verify": {"ok": not bad, "level": "data"}} if number < 5 else {}
        records.add_run("a", "", "restic", at=NOW + number, ended=NOW + number, ok=not bad, record=record)
    damage = records.last_damage("a")
    checked = records.last_run_with("verify", "a", before=NOW + 100)
    assert sweep(store, settings(backup_runs=50), tmp_path, NOW).dropped["backup runs"] == 28
    assert damage is not None
    assert records.last_damage("a") == damage
    assert records.last_run_with("verify", "a", before=NOW + 100) == checked


def test_what_somebody_waits_for_stays_however_old(tmp_path: Path, store: Store) -> None:
    messages = Messages(store, lambda: NOW - 400 * DAY_S)
    messages.add("old and pushed", Caller(), key="a")
    messages.add("old and still to be pushed", Caller(), key="b", push=True)
    columns = "(id, tool, subject, arguments, state, asked_at, ended, who, door, announced)"
    store.write(
        f"INSERT INTO jobs {columns} VALUES (?, 'run_backup', 'x', '{{}}', ?, 1, ?, 'a', 'cli', ?)",  # noqa: S608
        [("running", "running", None, 0), ("untold", "done", 1.0, 0), ("told", "done", 1.0, 1)],
    )
    sweep(store, settings(), tmp_path, NOW)
    assert store.read("SELECT key FROM messages") == [("b",)]
    assert store.read("SELECT id FROM jobs ORDER BY id") == [("running",), ("untold",)]


def test_artifacts_go_by_age_and_latest_stays(tmp_path: Path, store: Store) -> None:
    outbox = Outbox(tmp_path / "outbox", kept=3)
    for days in (100, 50, 40, 30, 20):
        outbox.leave("check_backups", {"days": days}, datetime.fromtimestamp(NOW - days * DAY_S, UTC))
    left = [json.loads(path.read_text())["days"] for path in sorted((tmp_path / "outbox").glob("*/2*.json"))]
    assert left == [40, 30, 20]
    assert sweep(store, settings(artifact_days=35), tmp_path, NOW).dropped["artifacts"] == 1
    sweep(store, settings(artifact_days=1), tmp_path, NOW)
    assert [path.name for path in (tmp_path / "outbox" / "check_backups").iterdir()] == ["latest.json"]


def test_a_log_that_has_grown_keeps_its_newer_half_in_the_same_file(tmp_path: Path, store: Store) -> None:
    log = tmp_path / "jobs" / "worker.log"
    log.parent.mkdir()
    log.write_text("".join(f"line {n}\n" for n in range(3000)))
    same = log.stat().st_ino
    report = sweep(store, settings(job_log_mb=0.01), tmp_path, NOW)
    lines = log.read_text().splitlines()
    assert report.dropped["logs"] == 1
    assert log.stat().st_ino == same
    assert log.stat().st_size <= 5000
    assert lines[-1] == "line 2999"
    assert all(line.startswith("line ") for line in lines)


def test_a_report_says_what_fills_the_folder(tmp_path: Path, store: Store) -> None:
    Outbox(tmp_path / "outbox").leave("x", {"a": "b" * 1000})
    report = sweep(store, settings(), tmp_path, NOW)
    assert report.at == NOW
    assert report.bytes["jarvis.db"] == (tmp_path / "jarvis.db").stat().st_size
    assert report.bytes["outbox"] > 2000
    assert report.total_bytes == sum(report.bytes.values())


# ── copies ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_a_night_and_no_more_than_are_kept(tmp_path: Path, store: Store) -> None:
    clock = [NOW]
    own = keeper(tmp_path, store, clock, daily_copies=3)
    made = 0
    for _ in range(24 * 6):  # every ten minutes for a day
        made += own.look() is not None
        clock[0] += 600
    assert made == 2  # the first at once, then one at three at night
    for _ in range(9):
        clock[0] += DAY_S
        assert own.look() is not None
    there = copies_of(tmp_path / "jarvis.db")
    assert [copy.number for copy in there] == [9, 10, 11]


def test_a_clock_that_was_wrong_neither_stops_the_copies_nor_hides_the_newest(tmp_path: Path, store: Store) -> None:
    clock = [NOW + 900 * DAY_S]
    own = keeper(tmp_path, store, clock)
    assert own.look() is not None
    clock[0] = NOW
    copy = own.look()
    assert copy is not None
    assert own.look() is None
    assert copies_of(tmp_path / "jarvis.db")[-1].number == copy.number == 2


def test_a_copy_is_whole_while_others_write(tmp_path: Path, store: Store) -> None:
    store.observe(NOW, [(f"service {n}", True, "x" * 100) for n in range(500)])
    with Store(tmp_path / "jarvis.db") as other:
        other.observe(NOW, [("one more", True, "")])
        copy = make_copy(tmp_path / "jarvis.db", NOW)
        other.observe(NOW, [("and another", True, "")])
    with Store(copy.path) as kept:
        assert kept.read("SELECT COUNT(*) FROM observations") == [(501,)]


def test_a_copy_that_cannot_be_made_is_tried_again(tmp_path: Path, store: Store) -> None:
    own = keeper(tmp_path, store, [NOW])
    (tmp_path / "copies").write_text("in the way")
    assert own.look() is None
    (tmp_path / "copies").unlink()
    assert own.look() is not None

"""Our own tasks: looks at the destinations, and the restore calendar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.tools.jobs.workers import Jobs, jobs_over, notes
from tools.backups.records import BackupRecords
from tools.settings import CalendarSettings, ToolSettings
from tools.settings_house import DigestSettings
from tools.tasks.built_in import CALENDAR, DIGEST, LOOKS, built_in_tasks, next_exercise
from tools.tasks.schedules import local_zone
from tools.when import next_time, parse_when

NOW = 1_800_000_000.0
DAY_S = 86400.0


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with jobs_over(tmp_path, notes=notes(tmp_path)) as opened:
        yield opened


async def test_every_destination_is_looked_at(jobs: Jobs) -> None:
    records = BackupRecords(jobs.store)
    await built_in_tasks(jobs.settings, jobs.store, jobs.starter)[LOOKS].do()

    look = records.look("notes", "")
    assert look is not None
    assert look.count == 0


def test_without_backups_there_is_nothing_to_do(jobs: Jobs) -> None:
    assert built_in_tasks(ToolSettings(), jobs.store, jobs.starter) == {}


def test_exercises_start_by_themselves_only_where_the_calendar_is_configured(jobs: Jobs) -> None:
    configured = ToolSettings(backups=jobs.settings.backups, restore_calendar=CalendarSettings())

    assert set(built_in_tasks(jobs.settings, jobs.store, jobs.starter)) == {LOOKS}
    assert set(built_in_tasks(configured, jobs.store, jobs.starter)) == {LOOKS, CALENDAR}


def test_their_times_are_canonical(jobs: Jobs) -> None:
    configured = ToolSettings(backups=jobs.settings.backups, restore_calendar=CalendarSettings())
    for task in built_in_tasks(configured, jobs.store, jobs.starter).values():
        now = datetime(2026, 5, 13, 10, tzinfo=UTC)
        assert next_time(task.when, now) > now
        assert parse_when(task.when, now.replace(tzinfo=None)) == task.when


def test_the_exercise_that_is_due_first_is_next_and_none_when_all_was_done(jobs: Jobs) -> None:
    records = BackupRecords(jobs.store)
    first = next_exercise(jobs.settings, jobs.store, NOW)
    assert first is not None
    assert first.job == "notes"

    done = {"level": "app", "whole": True}
    records.add_restore_test("notes", "sqlite", NOW - DAY_S, ok=True, ran=True, record=done)
    assert next_exercise(jobs.settings, jobs.store, NOW) is None
    later = next_exercise(jobs.settings, jobs.store, NOW + 40 * DAY_S)
    assert later is not None
    assert later.exercise.value == "file"


def test_a_job_whose_exercise_fails_every_night_keeps_no_other_waiting(jobs: Jobs) -> None:
    notes_job = jobs.settings.backups["notes"]
    both = ToolSettings(backups={"notes": notes_job, "photos": notes_job}, restore_calendar=CalendarSettings())
    records, seen = BackupRecords(jobs.store), []
    for night in range(4):
        at = NOW + night * DAY_S
        first = next_exercise(both, jobs.store, at)
        assert first is not None
        seen.append(first.job)
        records.add_restore_test(first.job, "sqlite", at, ok=False, ran=night % 2 == 0, record={"level": "none"})

    assert sorted(seen[:2]) == sorted(seen[2:]) == ["notes", "photos"]


async def test_an_exercise_is_a_restore_test_that_is_recorded_as_one(jobs: Jobs) -> None:
    await jobs.over(jobs.start("notes"))
    configured = ToolSettings(backups=jobs.settings.backups, restore_calendar=CalendarSettings())
    await built_in_tasks(configured, jobs.store, jobs.starter)[CALENDAR].do()
    (job,) = [one for one in (*jobs.ledger.active(), *jobs.ledger.recent(1)) if one.tool == "test_restore"][:1]
    ended = await jobs.over(job)

    assert ended.spoken.startswith("The notes backup was restored and checked")
    last = BackupRecords(jobs.store).last_restore_test("notes")
    assert last is not None
    assert (last["exercise"], last["ok"]) == (job.arguments["exercise"], True)


async def test_the_digest_is_told_each_day_at_its_time_where_one_is_set(jobs: Jobs) -> None:
    told: list[None] = []

    async def tell() -> None:
        told.append(None)

    assert DIGEST not in built_in_tasks(ToolSettings(), jobs.store, jobs.starter, tell)
    settings = ToolSettings(digest=DigestSettings(at="07:30"))
    task = built_in_tasks(settings, jobs.store, jobs.starter, tell)[DIGEST]
    assert task.when == parse_when(task.when, datetime(2026, 5, 13, 10)) == "every day at 07:30"
    assert 0 < task.first_in_s <= 25 * 3600
    first = datetime.fromtimestamp(time.time() + task.first_in_s, local_zone())
    assert (first.hour, first.minute) == (7, 30)
    await task.do()
    assert told == [None]

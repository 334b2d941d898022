"""The calendar of restore exercises: due, overdue, and the year ahead, all from the restore tests that passed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.calendar import (
    APPLICATIONS,
    DAY_S,
    NOT_RESTORABLE,
    YEAR_S,
    Exercise,
    Restored,
    due,
    overdue,
    restored,
    year_ahead,
)
from tools.backups.kinds import ADAPTERS
from tools.settings import BackupSettings, CalendarSettings

NOW = 1_800_000_000.0
DEFAULTS = CalendarSettings()


def job(kind: str = "restic", **more: object) -> BackupSettings:
    return BackupSettings.model_validate({"kind": kind, "repository": "/nas/backup", **more})


USB = {"name": "usb disk", "repository": "/usb"}
CLOUD = {"name": "the cloud", "repository": "s3:x", "offsite": True}
JOBS = {
    "photos": job(also=[USB, CLOUD]),
    "gitea": job("gitea-dump"),
    "laptop": job("report"),
    "music": job(offsite=True),
}


def days_ago(days: float) -> float:
    return NOW - days * DAY_S


def test_what_was_never_restored_is_due_now_and_what_only_checks_in_is_not_due() -> None:
    found = due(JOBS, [], DEFAULTS, NOW)
    assert [(one.exercise.value, one.job, one.at) for one in found] == [
        ("file", "gitea", NOW),
        ("file", "music", NOW),
        ("file", "photos", NOW),
        ("application", "gitea", NOW),
        ("nas_gone", "music", NOW + 366 * DAY_S),
    ]
    assert all(one.last is None and not one.overdue for one in found)


def test_each_is_due_an_interval_after_it_was_last_done() -> None:
    done = [
        Restored(job="gitea", at=days_ago(90), app=True, whole=True),
        Restored(job="gitea", at=days_ago(10)),
        Restored(job="photos", at=days_ago(5)),
        Restored(job="photos", at=days_ago(300), whole=True, offsite=True),
    ]
    times = {(one.exercise, one.job): (one.at, one.last) for one in due(JOBS, done, DEFAULTS, NOW)}
    assert times[Exercise.FILE, "gitea"] == (days_ago(10 - 31), days_ago(10))
    assert times[Exercise.APPLICATION, "gitea"] == (days_ago(90 - 92), days_ago(90))
    assert times[Exercise.FILE, "photos"] == (days_ago(5 - 31), days_ago(5))
    assert times[Exercise.NAS_GONE, "music"] == (days_ago(300 - 366), days_ago(300))


@pytest.mark.parametrize(
    ("at", "words"),
    [(31.0, ()), (34.0, ()), (34.2, ("the restore of a random file",)), (400.0, ("the restore of a random file",))],
)
def test_a_file_is_overdue_a_tenth_of_its_interval_after_it_was_due(at: float, words: tuple[str, ...]) -> None:
    jobs = {"photos": job()}
    assert overdue("photos", jobs, [Restored(job="photos", at=days_ago(at))], DEFAULTS, NOW) == words


def test_an_application_of_which_only_files_came_back_is_overdue_and_never_done_is_not() -> None:
    done = [Restored(job="gitea", at=days_ago(1)), Restored(job="gitea", at=days_ago(150), app=True)]
    assert overdue("gitea", JOBS, done, DEFAULTS, NOW) == ("the restore of the application",)
    assert overdue("gitea", JOBS, [], DEFAULTS, NOW) == ()


def test_the_loss_of_the_nas_is_overdue_for_the_job_whose_turn_it_is() -> None:
    done = [Restored(job=name, at=days_ago(1)) for name in JOBS]
    done.append(Restored(job="music", at=days_ago(500), whole=True, offsite=True))
    words = ("the restore of all of it from outside the house",)
    assert {name: overdue(name, JOBS, done, DEFAULTS, NOW) for name in JOBS} == {
        "photos": words,
        "gitea": (),
        "laptop": (),
        "music": (),
    }
    (nas,) = (one for one in due(JOBS, done, DEFAULTS, NOW) if one.exercise is Exercise.NAS_GONE)
    assert nas.place == "the cloud"


def test_part_of_a_job_or_all_of_it_from_within_the_house_is_no_exercise_for_the_loss_of_the_nas() -> None:
    done = [
        Restored(job="photos", at=days_ago(410)),
        Restored(job="photos", at=days_ago(1), whole=True),
        Restored(job="photos", at=days_ago(1), offsite=True),
    ]
    jobs = {"photos": JOBS["photos"]}
    assert overdue("photos", jobs, done, DEFAULTS, NOW) == ("the restore of all of it from outside the house",)


def test_a_house_without_a_place_outside_cannot_practise_its_loss() -> None:
    jobs = {"photos": job(also=[USB])}
    found = due(jobs, [Restored(job="photos", at=days_ago(900))], DEFAULTS, NOW)
    assert {one.exercise for one in found} == {Exercise.FILE}


def test_an_exercise_that_is_switched_off_is_never_due() -> None:
    never = CalendarSettings(file_days=0, application_days=0, nas_gone_days=0)
    done = [Restored(job="photos", at=days_ago(900))]
    assert due(JOBS, done, never, NOW) == ()
    assert year_ahead(JOBS, done, never, NOW) == ()


def test_the_year_ahead_has_each_exercise_as_often_as_configured_and_the_jobs_take_turns() -> None:
    calendar = CalendarSettings(file_days=100, application_days=0, nas_gone_days=150)
    done = [Restored(job="photos", at=days_ago(40)), Restored(job="music", at=days_ago(300))]
    planned = [
        (round((one.at - NOW) / DAY_S), one.job, one.exercise.value, one.place, one.overdue)
        for one in year_ahead({"photos": JOBS["photos"], "music": JOBS["music"]}, done, calendar, NOW)
    ]
    assert planned == [
        (0, "music", "file", "", True),
        (0, "music", "nas_gone", "", True),
        (60, "photos", "file", "", False),
        (100, "music", "file", "", False),
        (150, "photos", "nas_gone", "the cloud", False),
        (160, "photos", "file", "", False),
        (200, "music", "file", "", False),
        (260, "photos", "file", "", False),
        (300, "music", "file", "", False),
        (300, "music", "nas_gone", "", False),
        (360, "photos", "file", "", False),
    ]


ENTRIES = st.lists(
    st.builds(
        Restored,
        job=st.sampled_from([*JOBS, "gone"]),
        at=st.floats(NOW - 3 * YEAR_S, NOW),
        app=st.booleans(),
        whole=st.booleans(),
        offsite=st.booleans(),
    ),
    max_size=8,
)
CALENDARS = st.builds(
    CalendarSettings,
    file_days=st.floats(0, 500),
    application_days=st.floats(0, 500),
    nas_gone_days=st.floats(0, 500),
)


@given(done=ENTRIES, calendar=CALENDARS)
def test_the_year_ahead_is_in_order_within_the_year_and_begins_with_what_is_due(
    done: list[Restored], calendar: CalendarSettings
) -> None:
    planned = year_ahead(JOBS, done, calendar, NOW)
    times = [one.at for one in planned]
    assert times == sorted(times)
    assert all(NOW <= at <= NOW + YEAR_S for at in times)
    first = {(one.exercise, one.job): one for one in reversed(planned)}
    for one in due(JOBS, done, calendar, NOW):
        if max(one.at, NOW) <= NOW + YEAR_S:
            assert first[one.exercise, one.job].at == max(one.at, NOW)


@given(done=ENTRIES, calendar=CALENDARS, at=st.floats(NOW - YEAR_S, NOW), name=st.sampled_from(sorted(JOBS)))
def test_one_more_exercise_never_makes_a_job_later(
    done: list[Restored], calendar: CalendarSettings, at: float, name: str
) -> None:
    more = Restored(job=name, at=at, app=True, whole=True, offsite=True)
    if calendar.nas_gone_days or not done:  # whose turn it is may change hands
        calendar = calendar.model_copy(update={"nas_gone_days": 0.0})
    before = {(one.exercise, one.job): one.at for one in due(JOBS, done, calendar, NOW) if one.last is not None}
    after = {(one.exercise, one.job): one.at for one in due(JOBS, [*done, more], calendar, NOW)}
    assert all(after[which] >= time for which, time in before.items())


def test_only_a_passed_test_counts() -> None:
    entry = {"at": NOW, "ok": True, "ran": True, "level": "app", "whole": True, "offsite": True}
    assert restored("photos", entry) == Restored(job="photos", at=NOW, app=True, whole=True, offsite=True)
    assert restored("photos", entry | {"ok": False}) is None
    assert restored("photos", entry | {"ran": False}) is None
    assert restored("photos", {"at": NOW, "ok": True}) == Restored(job="photos", at=NOW)


def test_the_kinds_that_the_calendar_knows_are_kinds() -> None:
    assert set(ADAPTERS) >= (APPLICATIONS | NOT_RESTORABLE)

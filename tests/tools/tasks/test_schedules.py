"""What is kept for later: the next moment, across changes of the clock and restarts, and done by one only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import Caller, Door, Level, PlannedCall
from tools.store import Store
from tools.tasks.schedules import Schedules, local_zone, moment_after

BERLIN = ZoneInfo("Europe/Berlin")
CALLER = Caller(name="anna", door=Door.SATELLITE, room="kitchen", conversation="c7")
ORDER = PlannedCall(tool="run_backup", arguments={"job": "photos"}, level=Level.OPERATE, readback="back up photos now")


class Clock:
    def __init__(self, at: datetime) -> None:
        self.now = at.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


def kept(store: Store, at: datetime) -> tuple[Schedules, Clock]:
    clock = Clock(at)
    return Schedules(store, clock, lambda: BERLIN), clock


def shown(moment: float | None) -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment, BERLIN).isoformat()


@pytest.mark.parametrize(
    "when, now, expected",
    [
        ("every day at 03:00", datetime(2026, 3, 28, 12, tzinfo=BERLIN), "2026-03-29T03:00:00+02:00"),
        ("every day at 02:30", datetime(2026, 3, 28, 12, tzinfo=BERLIN), "2026-03-29T03:30:00+02:00"),  # skipped
        ("every day at 02:30", datetime(2026, 10, 24, 12, tzinfo=BERLIN), "2026-10-25T02:30:00+02:00"),  # twice: first
        ("every day at 02:30", datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), "2026-10-26T02:30:00+01:00"),
        ("every 10 minutes", datetime(2026, 3, 29, 1, 55, tzinfo=BERLIN), "2026-03-29T03:05:00+02:00"),
        ("in 2 hours", datetime(2026, 3, 29, 1, tzinfo=BERLIN), "2026-03-29T04:00:00+02:00"),
        ("every sunday at 03:00", datetime(2026, 5, 13, 10, tzinfo=BERLIN), "2026-05-17T03:00:00+02:00"),
        ("monthly on day 31", datetime(2026, 2, 1, tzinfo=BERLIN), "2026-02-28T09:00:00+01:00"),
    ],
)
def test_the_next_moment_goes_by_the_clock_on_the_wall(store: Store, when: str, now: datetime, expected: str) -> None:
    schedules, _ = kept(store, now)

    assert shown(schedules.add("photos", when, ORDER, CALLER).next_at) == expected


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    when=st.sampled_from(["every day at 02:30", "every day at 02:00", "every weekend at 03:00", "every 45 minutes"]),
)
def test_what_recurs_goes_on_for_weeks_without_a_moment_twice_or_a_day_left_out(start: datetime, when: str) -> None:
    at, days = start.timestamp(), []
    for _ in range(15):
        following = moment_after(when, at, BERLIN)
        assert following > at
        days.append(datetime.fromtimestamp(following, BERLIN).date())
        at = following
    if when.startswith("every day"):
        assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


def test_all_that_was_agreed_to_is_kept_over_a_restart(tmp_path: Path) -> None:
    at = datetime(2026, 5, 13, 10, tzinfo=BERLIN)
    with Store(tmp_path / "jarvis.db") as store:
        added = kept(store, at)[0].add("back up photos", "every sunday at 03:00", ORDER, CALLER)
    with Store(tmp_path / "jarvis.db") as store:
        (found,) = kept(store, at + timedelta(days=9))[0].all()

    assert found == added
    assert found.agreed is not None
    assert found.agreed.digest == ORDER.digest
    assert (found.who, found.door, found.room, found.conversation) == ("anna", "satellite", "kitchen", "c7")


def test_a_time_that_has_passed_is_not_kept(store: Store) -> None:
    schedules, _ = kept(store, datetime(2026, 5, 13, 10, tzinfo=BERLIN))
    with pytest.raises(ValueError, match="has passed"):
        schedules.add("call mum", "on 2026-05-12 at 10:00", None, CALLER)

    assert schedules.all() == []


def test_what_is_due_is_taken_by_one_and_what_comes_once_is_then_forgotten(store: Store) -> None:
    schedules, clock = kept(store, datetime(2026, 5, 13, 10, tzinfo=BERLIN))
    schedules.add("pasta timer", "in 5 minutes", None, CALLER)
    assert schedules.due() == []
    clock.now += 301

    (due,) = schedules.due()
    assert schedules.take(due)
    assert not schedules.take(due)
    assert schedules.due() == []
    assert [one.id for one in schedules.broken_off()] == [due.id]
    schedules.finished(due)
    assert schedules.all() == []


def test_what_recurs_and_was_missed_many_times_comes_once(store: Store) -> None:
    schedules, clock = kept(store, datetime(2026, 5, 13, 10, tzinfo=BERLIN))
    schedules.add("back up photos", "every day at 03:00", ORDER, CALLER)
    clock.now += 5 * 86400.0

    (due,) = schedules.due()
    assert schedules.take(due)
    schedules.finished(due)
    assert schedules.due() == []
    assert shown(schedules.next_at()) == "2026-05-19T03:00:00+02:00"


def test_a_built_in_task_keeps_its_moment_over_a_restart_and_is_none_of_the_people_s(store: Store) -> None:
    schedules, clock = kept(store, datetime(2026, 5, 13, 10, tzinfo=BERLIN))
    schedules.keep_built_in("looks", "look", "every 10 minutes", 60.0)
    first = schedules.next_at()
    clock.now += 30.0
    schedules.keep_built_in("looks", "look", "every 10 minutes", 60.0)

    assert schedules.next_at() == first
    assert schedules.of_people() == []
    schedules.keep_built_in("looks", "look", "every 20 minutes", 60.0)
    assert [one.when for one in schedules.all()] == ["every 20 minutes"]


def test_who_waits_is_told_that_something_was_added(store: Store) -> None:
    schedules, _ = kept(store, datetime(2026, 5, 13, 10, tzinfo=BERLIN))
    told: list[int] = []
    schedules.changed = lambda: told.append(1)
    schedules.add("pasta timer", "in 5 minutes", None, CALLER)

    assert told == [1]


def test_the_zone_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert datetime(2026, 7, 1, tzinfo=local_zone()).utcoffset() == timedelta(hours=2)
    monkeypatch.setenv("TZ", "Nowhere/Nothing")
    assert local_zone() is UTC
    monkeypatch.setenv("TZ", f":{tmp_path / 'missing'}")
    assert local_zone() is UTC

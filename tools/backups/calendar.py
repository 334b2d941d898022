"""The calendar of restore exercises: what is due, what is overdue, and the year ahead. Pure; times are Unix seconds.

Three exercises, how often is configured (``[restore_calendar]``):

- a random file: each job gives back at least a sample, and it compares;
- an application: each database, Home Assistant or Gitea is restored and checked by its own program;
- the NAS is gone: all of one job is restored from a place that is not in the house. The jobs take turns.

All of it is computed from the restore tests that passed; nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

from tools.contract import JsonObject
from tools.settings import BackupSettings, CalendarSettings

DAY_S = 86_400.0
YEAR_S = 365 * DAY_S

GRACE = 0.1
"""Share of its interval by which an exercise may be late: a machine is off for a weekend now and then."""

APPLICATIONS = frozenset({"sqlite", "postgres-dump", "mariadb-dump", "home-assistant-tar", "gitea-dump"})
"""Kinds that the application itself proves."""

NOT_RESTORABLE = frozenset({"report"})
"""Kinds that only check in."""


class Exercise(StrEnum):
    """The commonest first."""

    FILE = "file"
    APPLICATION = "application"
    NAS_GONE = "nas_gone"


_WORDS = {
    Exercise.FILE: "the restore of a random file",
    Exercise.APPLICATION: "the restore of the application",
    Exercise.NAS_GONE: "the restore of all of it from outside the house",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restore test that passed. ``app``: the application checked it; ``whole``: all of the copy came back;
    ``offsite``: from a place that is not in the house."""

    job: str
    at: float
    app: bool = False
    whole: bool = False
    offsite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An exercise at its time. ``place``: name of the destination it is made from, empty for the main one; ``last``:
    when it was last done, None for never."""

    exercise: Exercise
    job: str
    at: float
    place: str = ""
    last: float | None = None
    overdue: bool = False

    @property
    def words(self) -> str:
        """What is to be done, for people: "the restore of a random file"."""
        return _WORDS[self.exercise]


def restored(job: str, entry: JsonObject) -> Restored | None:
    """An entry of the ledger, as ``BackupRecords`` gives it; None for a test that did not pass."""
    if not entry.get("ok") or not entry.get("ran", True):
        return None
    return Restored(
        job=job,
        at=float(entry["at"]),
        app=entry.get("level") == "app",
        whole=bool(entry.get("whole")),
        offsite=bool(entry.get("offsite")),
    )


def due(
    jobs: Mapping[str, BackupSettings], done: Sequence[Restored], calendar: CalendarSettings, now: float
) -> tuple[Due, ...]:
    """The next time of each exercise of each job, the first one first. What was never done is due now; only the NAS
    may first be there for as long as the interval, counted from the first restore test."""
    found = [
        *_of_each_job(Exercise.FILE, jobs, done, _interval_s(Exercise.FILE, calendar), now),
        *_of_each_job(Exercise.APPLICATION, jobs, done, _interval_s(Exercise.APPLICATION, calendar), now),
        *_of_the_house(jobs, done, _interval_s(Exercise.NAS_GONE, calendar), now),
    ]
    return tuple(sorted(found, key=_order))


def overdue(
    job: str,
    jobs: Mapping[str, BackupSettings],
    done: Sequence[Restored],
    calendar: CalendarSettings,
    now: float,
) -> tuple[str, ...]:
    """What of this job is overdue, in words, for its verdict. Not what was never done at all: that the job was never
    restored is a verdict of its own."""
    late = [one for one in due(jobs, done, calendar, now) if one.job == job and one.overdue]
    return tuple(one.words for one in late if one.last is not None or one.exercise is Exercise.NAS_GONE)


def year_ahead(
    jobs: Mapping[str, BackupSettings], done: Sequence[Restored], calendar: CalendarSettings, now: float
) -> tuple[Due, ...]:
    """Every exercise until a year from now, as if each were done on its day; what is late stands at ``now``."""
    planned: list[Due] = []
    for one in due(jobs, done, calendar, now):
        interval_s = _interval_s(one.exercise, calendar)
        turns = _turns(jobs, done) if one.exercise is Exercise.NAS_GONE else [(one.job, one.place)]
        at, last = max(one.at, now), one.last
        for job, place in cycle(turns):
            if at > now + YEAR_S:
                break
            late = one.overdue and at == now
            planned.append(Due(exercise=one.exercise, job=job, at=at, place=place, last=last, overdue=late))
            at, last = at + interval_s, at
    return tuple(sorted(planned, key=_order))


def _interval_s(exercise: Exercise, calendar: CalendarSettings) -> float:
    """0 for never; else a day at least."""
    days = {
        Exercise.FILE: calendar.file_days,
        Exercise.APPLICATION: calendar.application_days,
        Exercise.NAS_GONE: calendar.nas_gone_days,
    }[exercise]
    return max(days, 1.0) * DAY_S if days else 0.0


def _order(one: Due) -> tuple[float, int, str]:
    return one.at, tuple(Exercise).index(one.exercise), one.job


def _counts(exercise: Exercise, one: Restored) -> bool:
    if exercise is Exercise.APPLICATION:
        return one.app
    return (one.whole and one.offsite) if exercise is Exercise.NAS_GONE else True


def _last(exercise: Exercise, done: Sequence[Restored], job: str = "") -> float | None:
    times = (one.at for one in done if _counts(exercise, one) and job in ("", one.job))
    return max(times, default=None)


def _of_each_job(
    exercise: Exercise, jobs: Mapping[str, BackupSettings], done: Sequence[Restored], interval_s: float, now: float
) -> list[Due]:
    if not interval_s:
        return []
    found = []
    for job, settings in jobs.items():
        if settings.kind in NOT_RESTORABLE or (exercise is Exercise.APPLICATION and settings.kind not in APPLICATIONS):
            continue
        last = _last(exercise, done, job)
        at = now if last is None else last + interval_s
        late = last is not None and now > at + GRACE * interval_s
        found.append(Due(exercise=exercise, job=job, at=at, last=last, overdue=late))
    return found


def _of_the_house(
    jobs: Mapping[str, BackupSettings], done: Sequence[Restored], interval_s: float, now: float
) -> list[Due]:
    """Of one job in turn of those with a place outside."""
    turns = _turns(jobs, done)
    if not turns or not interval_s:
        return []
    job, place = turns[0]
    last = _last(Exercise.NAS_GONE, done)
    began = last if last is not None else min((one.at for one in done), default=now)
    at = began + interval_s
    late = now > at + GRACE * interval_s
    return [Due(exercise=Exercise.NAS_GONE, job=job, at=at, place=place, last=last, overdue=late)]


def _turns(jobs: Mapping[str, BackupSettings], done: Sequence[Restored]) -> list[tuple[str, str]]:
    """The jobs with a place outside, and that place: first the one restored from there longest ago, or never."""
    outside = [
        (job, place)
        for job, settings in jobs.items()
        if settings.kind not in NOT_RESTORABLE and (place := _outside(settings)) is not None
    ]
    return sorted(outside, key=lambda one: (_last(Exercise.NAS_GONE, done, one[0]) or float("-inf"), one[0]))


def _outside(settings: BackupSettings) -> str | None:
    """Name of a destination outside the house; empty for the main one, None where there is none."""
    if settings.offsite:
        return ""
    return next((one.name for one in settings.also if one.offsite), None)

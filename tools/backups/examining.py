"""Looking at a job's destinations, and the verdict from what is remembered: the way from the adapters to a sentence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tools.backups.calendar import Exercise, Restored, due
from tools.backups.evidence import Evidence, Limits, RestoreTest
from tools.backups.gathering import gather_evidence
from tools.backups.kinds import Target, make, targets
from tools.backups.port import BackupError, Fault, Found
from tools.backups.record import record_of
from tools.backups.records import BackupRecords
from tools.backups.sayings import JudgedJob
from tools.backups.verdict import CLOCK_TOLERANCE_S, Cause, judgements
from tools.contract import JsonObject
from tools.restore_tests.trust import distrusted
from tools.settings import BackupSettings, CalendarSettings

LOOK_AGE_S = 900.0
"""A look that is younger is not made again: what a person wants to know of backups does not change within it."""

FAILED_LOOK_AGE_S = 60.0
"""The same for one that failed: whoever has plugged the disk in asks again."""

MARGIN_S = 1.0
"""What a look may take beyond the job's time limit, so that an adapter's own error is the one that is told."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A job's verdict, the evidence behind it, and both as the record of ``docs/backups.md``."""

    judged: JudgedJob
    evidence: Evidence
    record: JsonObject


async def examine(
    job: str,
    settings: BackupSettings,
    records: BackupRecords,
    *,
    look_age_s: float = LOOK_AGE_S,
    overdue: tuple[str, ...] = (),
) -> Examined:
    """Look at every destination at once where the kept look is older, keep what was found, and judge.

    ``overdue``: exercises of the restore calendar, as ``overdue_exercises`` gives them. Raises StoreError only.
    """
    await look({job: settings}, records, look_age_s=look_age_s)
    return await asyncio.to_thread(examined, job, settings, records, time.time(), overdue)


async def look(jobs: Mapping[str, BackupSettings], records: BackupRecords, *, look_age_s: float = LOOK_AGE_S) -> None:
    """Look at every destination of these jobs whose kept look is older, all at once, each within its job's time limit.

    Raises StoreError only.
    """
    old = await asyncio.to_thread(_to_be_looked_at, jobs, records, time.time(), look_age_s)
    await asyncio.gather(*(_look(job, jobs[job], target, records) for job, target in old))


def examined(
    job: str,
    settings: BackupSettings,
    records: BackupRecords,
    now: float,
    overdue: tuple[str, ...] = (),
    distrust: str | None = None,
) -> Examined:
    """The verdict from what is remembered, without a look at anything. Blocks. Raises StoreError.

    ``distrust``: why no restore test can be believed, where that was asked already.
    """
    doubt = distrusted(records) if distrust is None else distrust
    evidence = gather_evidence(job, settings, records, now, overdue, doubt)
    said = judgements(evidence, now=now, limits=limits(settings))
    main = evidence.places[0]
    judged_job = JudgedJob(
        job,
        settings.kind,
        said[0],
        main.whole.at if main.whole is not None else None,
        _test_to_tell_of(evidence, said[0].cause, said[0].place, now),
        said[1:],
    )
    return Examined(judged_job, evidence, record_of(judged_job, settings, evidence, now))


def judged(
    job: str, settings: BackupSettings, records: BackupRecords, now: float, overdue: tuple[str, ...] = ()
) -> JudgedJob:
    """The same, without its record."""
    return examined(job, settings, records, now, overdue).judged


def limits(settings: BackupSettings) -> Limits:
    """From the configuration of a job."""
    unchanged_h = settings.unchanged_after_h
    return Limits(
        max_age_s=settings.max_age_h * 3600,
        restore_test_max_age_s=settings.restore_test_max_age_h * 3600,
        tiny_share=settings.tiny_below_pct / 100,
        huge_share=settings.huge_above_pct / 100,
        unchanged_after_s=unchanged_h * 3600 if unchanged_h is not None else None,
        min_free_share=settings.min_free_pct / 100,
    )


def overdue_exercises(
    jobs: Mapping[str, BackupSettings], records: BackupRecords, calendar: CalendarSettings, now: float
) -> dict[str, tuple[str, ...]]:
    """Per job, what the calendar of restores says is overdue, in words. Blocks. Raises StoreError.

    Not what was never done at all: that a job was never restored is a verdict of its own.
    """
    done = [
        Restored(job=one.job, at=one.at, app=one.app, whole=one.whole, offsite=one.offsite)
        for one in records.passed_restore_tests()
        if one.job in jobs
    ]
    late: dict[str, tuple[str, ...]] = {}
    for one in due(jobs, done, calendar, now):
        if one.overdue and (one.last is not None or one.exercise is Exercise.NAS_GONE):
            late[one.job] = (*late.get(one.job, ()), one.words)
    return late


def _to_be_looked_at(
    jobs: Mapping[str, BackupSettings], records: BackupRecords, now: float, look_age_s: float
) -> list[tuple[str, Target]]:
    return [
        (job, target)
        for job, settings in jobs.items()
        for target in targets(settings)
        if not _is_fresh(records.fresh_since(job, target.name), now, look_age_s)
    ]


def _is_fresh(look: tuple[float, bool] | None, now: float, look_age_s: float) -> bool:
    """One from the future is not."""
    if look is None:
        return False
    at, succeeded = look
    return -CLOCK_TOLERANCE_S <= now - at < (look_age_s if succeeded else min(look_age_s, FAILED_LOOK_AGE_S))


async def _look(job: str, settings: BackupSettings, target: Target, records: BackupRecords) -> None:
    at = time.time()
    found: Found | None = None
    error: BackupError | None = None
    try:
        async with asyncio.timeout(settings.timeout_s + MARGIN_S):
            found = await make(settings, target).look()
    except BackupError as refusal:
        error = refusal
    except TimeoutError:
        error = BackupError(Fault.TIMED_OUT, f"it did not answer within {settings.timeout_s:g} seconds")
    await asyncio.to_thread(records.keep_look, job, target.name, at, found, error)


def _test_to_tell_of(evidence: Evidence, cause: Cause, place: str, now: float) -> RestoreTest | None:
    """The one that the verdict is about: the failed one, or else the last that passed and can be believed."""
    if cause is Cause.RESTORE_TEST_FAILED:
        return next(test for test in evidence.tests if not test.ok and test.place == place)
    passed = [test for test in evidence.tests if test.ok and test.at <= now + CLOCK_TOLERANCE_S]
    return max(passed or evidence.tests, key=lambda test: test.at, default=None)

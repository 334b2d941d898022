"""What the command line does with backups beyond calling the tools: histories, the scorecard, and following a job.

The narrow door for ``assistant.cli``: verdicts are asked for over MCP, and nothing else of the tools is reached from
there. Everything opens the database for as long as it takes, blocks where it is no coroutine, and raises DeskError, and
nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.backups.calendar import Due, due, restored, year_ahead
from tools.backups.examining import examine
from tools.backups.jobs import places
from tools.backups.kinds import check_in as checking_in
from tools.backups.kinds.target import Target, targets
from tools.backups.port import Progress
from tools.backups.records import BackupRecords
from tools.backups.scorecard import Score, Standing, scorecard
from tools.backups.verdict import CLOCK_TOLERANCE_S
from tools.contract import JsonObject
from tools.jobs.ledger import JobLedger
from tools.jobs.locks import locked
from tools.restore_tests.testing import TestReport, test_restore
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store, StoreError

Jobs = Mapping[str, BackupSettings]

HISTORY_LIMIT = 400
"""Copies of each destination: more than a year of daily backups."""


class DeskError(Exception):
    """It could not be done; the text says what is wrong and what mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySeen:
    """A backup that was seen: when it began (Unix seconds), bytes of all it holds and added, and what it took."""

    at: float
    size: int | None = None
    added: int | None = None
    duration_s: float | None = None
    files: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSeen:
    """A restore test: ``ran`` is False where it could not be made."""

    __test__ = False  # no test of pytest's

    at: float
    ok: bool
    ran: bool
    first_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One job at one destination (empty: the main one), oldest first. ``last_look``: why the newest look failed."""

    job: str
    kind: str
    destination: str
    max_age_h: float
    copies: tuple[CopySeen, ...]
    tests: tuple[TestSeen, ...]
    last_look: str = ""


def histories(jobs: Jobs, state_dir: Path, only: str | None = None) -> tuple[History, ...]:
    """Of every job, or one, at every destination."""
    with _records(state_dir) as (records, _):
        return tuple(
            _history(records, job, settings, target)
            for job, settings in jobs.items()
            if only in (None, job)
            for target in targets(settings)
        )


def _history(records: BackupRecords, job: str, settings: BackupSettings, target: Target) -> History:
    look = records.look(job, target.name)
    return History(
        job=job,
        kind=settings.kind,
        destination=target.name,
        max_age_h=settings.max_age_h,
        copies=tuple(
            CopySeen(at=one.at, size=one.size, added=one.added, duration_s=one.duration_s, files=one.files)
            for one in records.history(job, target.name, HISTORY_LIMIT)
            if one.complete
        ),
        tests=tuple(_tests(records, job, target)),
        last_look=look.reason if look is not None and look.fault is not None else "",
    )


def _tests(records: BackupRecords, job: str, target: Target) -> Iterator[TestSeen]:
    for record in records.restore_tests(job):
        if _is_about(record, target):
            yield TestSeen(
                at=float(record["at"]),
                ok=bool(record["ok"]),
                ran=bool(record["ran"]),
                first_error=str(record.get("first_error") or ""),
            )


def _is_about(record: JsonObject, target: Target) -> bool:
    """A test that does not say where it restored from restored from the main destination."""
    return str(record.get("destination") or "") == target.name


def scores(jobs: Jobs, state_dir: Path) -> tuple[Score, ...]:
    """The scorecard, from the configuration and what is remembered."""
    now = time.time()
    with _records(state_dir) as (records, _):
        standings = {
            (job, target.name): _standing(records, job, settings, target, now)
            for job, settings in jobs.items()
            for target in targets(settings)
        }
    return scorecard(jobs, standings)


def _standing(records: BackupRecords, job: str, settings: BackupSettings, target: Target, now: float) -> Standing:
    """A disk that is unplugged cannot be looked at, and what was last seen on it counts; what is broken does not."""
    look = records.look(job, target.name)
    if look is None or look.found is None or (look.fault is not None and look.fault.broken):
        return Standing()
    tests = [test for test in _tests(records, job, target) if test.ran]
    if not any(copy.complete for copy in look.found.copies) or (tests and not tests[-1].ok):
        return Standing()
    age = now - tests[-1].at if tests else None
    proven = age is not None and -CLOCK_TOLERANCE_S <= age <= settings.restore_test_max_age_h * 3600
    return Standing(there=True, proven=proven, same_disk=same_disk(settings, target))


def calendar(settings: ToolSettings, state_dir: Path) -> tuple[tuple[Due, ...], tuple[Due, ...]]:
    """The next time of each restore exercise, and the year ahead."""
    now = time.time()
    with _records(state_dir) as (records, _):
        done = [
            passed
            for job in settings.backups
            for entry in records.restore_tests(job)
            if (passed := restored(job, entry)) is not None
        ]
    wanted = settings.restore_calendar
    return due(settings.backups, done, wanted, now), year_ahead(settings.backups, done, wanted, now)


async def look_now(job: str, settings: BackupSettings, state_dir: Path) -> None:
    """Look at every destination of a job, however new the last look is; what was found goes into the records."""
    with _records(state_dir) as (records, _):
        await examine(job, settings, records, look_age_s=0.0)


async def restore_now(job: str, settings: ToolSettings, state_dir: Path, seed: int, progress: Progress) -> TestReport:
    """A restore test in this process, with the sample of that number; it goes into the records like any other."""
    parent, backup = settings.restore_scratch or state_dir, settings.backups[job]
    room = int(settings.restore_scratch_max_gb * 1e9)
    with _records(state_dir) as (records, _):
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with locked(state_dir, places(job, backup), lambda: progress(-1.0, "waiting for another job")):
                return await test_restore(job, backup, records, parent, seed=seed, max_bytes=room, progress=progress)
        except OSError as error:
            raise DeskError(f"The folder for restore tests cannot be used: {error}.") from error


def check_in(
    job: str,
    settings: BackupSettings,
    *,
    at: float,
    ok: bool,
    size: int | None = None,
    files: int | None = None,
    duration_s: float | None = None,
    message: str = "",
) -> None:
    """Write the report of a job of kind report, as its own program would."""
    if settings.kind != "report" or settings.report is None:
        raise DeskError(f"{job} does not check in: it has no kind report with a `report` file.")
    said = checking_in.CheckIn(at=at, ok=ok, duration_s=duration_s, size=size, files=files, message=message)
    try:
        settings.report.parent.mkdir(parents=True, exist_ok=True)
        checking_in.write(settings.report, said)
    except OSError as error:
        raise DeskError(f"The report {settings.report} cannot be written: {error.strerror}.") from error


def same_disk(settings: BackupSettings, target: Target) -> bool:
    """Whether the backup lies on a file system that its source lies on, as far as this machine can tell. Several file
    systems of one disk are not told apart from several disks."""
    if target.folder is None:
        return False
    here = _device(target.folder)
    return here is not None and any(_device(Path(path)) == here for path in settings.paths)


def _device(path: Path) -> int | None:
    """Of the nearest folder above that is there."""
    for folder in (path, *path.parents):
        try:
            return folder.stat().st_dev
        except OSError:
            continue
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeen:
    """How far a job of the ledger is: ``share`` 0–1, or −1 where nobody knows; ``over``, and then ``ok`` or not."""

    share: float
    doing: str
    over: bool
    ok: bool
    spoken: str


@contextmanager
def following(state_dir: Path) -> Iterator[Follower]:
    """The ledger, for as long as a job is followed."""
    with _records(state_dir) as (_, store):
        yield Follower(JobLedger(store))


class Follower:
    """Reads jobs that run elsewhere, and asks them to end."""

    def __init__(self, ledger: JobLedger) -> None:
        self._ledger = ledger

    def look(self, job_id: str) -> JobSeen:
        """Raises DeskError where there is no such job."""
        with _explained():
            job = self._ledger.get(job_id)
        if job is None:
            raise DeskError(f"There is no job {job_id} in the ledger.")
        return JobSeen(
            share=job.progress, doing=job.doing, over=job.state.over, ok=job.state.value == "done", spoken=job.spoken
        )

    def cancel(self, job_id: str) -> None:
        """Ask for its end."""
        with _explained():
            self._ledger.ask_cancel(job_id)


@contextmanager
def _records(state_dir: Path) -> Iterator[tuple[BackupRecords, Store]]:
    with _explained(), Store(state_dir / "jarvis.db") as store:
        yield BackupRecords(store), store


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise DeskError(str(error)) from error

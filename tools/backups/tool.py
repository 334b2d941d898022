"""``check_backups``: one verdict per job, from what is remembered and a look at what was not looked at lately."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from tools.backups.evidence import Evidence
from tools.backups.examining import LOOK_AGE_S, Examined, examined, look, overdue_exercises
from tools.backups.record import iso
from tools.backups.records import BackupRecords
from tools.backups.sayings import JudgedJob, say_all, say_one, trouble, worst_first
from tools.backups.verdict import Verdict
from tools.contract import Candidates, Finding, Level, PlannedCall, Severity, ToolResult
from tools.names import NameIndex
from tools.restore_tests.trust import distrusted
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store
from tools.tool import Arguments, resolve_optional

LOOK_AGE_OF_ONE_S = 60.0
"""Who asks for one job has the time for a look at it."""

MARGIN_S = 5.0
"""Seconds beyond the longest time limit of a job: for ending its program, and for judging."""

_SEVERITY = {
    Verdict.FAILED: Severity.CRITICAL,
    Verdict.UNKNOWN: Severity.UNKNOWN,
    Verdict.STALE: Severity.WARNING,
    Verdict.UNVERIFIED: Severity.NOTICE,
    Verdict.OK: Severity.OK,
}


class CheckBackupsArguments(Arguments):
    """Input of ``check_backups``."""

    job: str | None = Field(default=None, description="omit for all")


class CheckBackups:
    """Verdict with age, verification and last restore test, for one job or all."""

    name: ClassVar[str] = "check_backups"
    description: ClassVar[str] = "Whether backups ran, how old they are, whether they can be restored."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckBackupsArguments

    def __init__(self, settings: ToolSettings, names: NameIndex, store: Store) -> None:
        self._jobs = settings.backups
        self._calendar = settings.restore_calendar
        self._names = names
        self._records = BackupRecords(store)
        self.deadline_s = max((job.timeout_s for job in self._jobs.values()), default=0.0) + 2 * MARGIN_S

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the job's name; none is all of them."""
        said = arguments.job if isinstance(arguments, CheckBackupsArguments) else None
        job = resolve_optional(self._names, "job", "a backup", said)
        if isinstance(job, Candidates):
            return job
        return PlannedCall(tool=self.name, arguments={"job": job} if job else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Look where nobody looked lately, judge, say. Raises StoreError."""
        only = call.arguments.get("job")
        chosen = {name: job for name, job in self._jobs.items() if only in (None, name)}
        age_s = LOOK_AGE_S if only is None else LOOK_AGE_OF_ONE_S
        await look(chosen, self._records, look_age_s=age_s)
        now = time.time()
        found = await asyncio.to_thread(self._examined, chosen, now)
        jobs = worst_first([one.judged for one in found])
        records = {one.judged.name: one.record for one in found}
        return ToolResult(
            spoken=say_one(jobs[0], now) if only and jobs else say_all(jobs, now),
            data={"jobs": [records[job.name] for job in jobs]},
            findings=_findings(jobs, now),
            tainted=any(_tells_of_outside(chosen[one.judged.name], one.evidence) for one in found),
        )

    def _examined(self, chosen: dict[str, BackupSettings], now: float) -> list[Examined]:
        late = overdue_exercises(self._jobs, self._records, self._calendar, now)
        doubt = distrusted(self._records)
        return [examined(name, job, self._records, now, late.get(name, ()), doubt) for name, job in chosen.items()]


def _tells_of_outside(settings: BackupSettings, evidence: Evidence) -> bool:
    """Whether words of others stand in what is told: names of files that a restore test found wrong, what a job wrote
    that only checks in, and what programs of others complain of."""
    if any(not test.ok for test in evidence.tests):
        return True
    if settings.kind in _IN_OUR_WORDS:
        return False
    words = [evidence.attempt.reason if evidence.attempt is not None else ""]
    for place in evidence.places:
        words += [place.reason, *place.warnings]
        words += [one.reason for one in (place.run, place.check, place.prune) if one is not None]
    return any(words)


_IN_OUR_WORDS = frozenset({"restic", "borg", "borgmatic", "kopia", "rclone", "rsync-snapshots", "sqlite"})
"""Kinds whose adapters say in words of ours what their programs complain of; the others pass some of it on."""


def _findings(jobs: Sequence[JudgedJob], now: float) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            severity=_SEVERITY[job.verdict], subject=job.name, message=trouble(job, now), since=iso(job.last_success)
        )
        for job in jobs
        if job.verdict is not Verdict.OK
    )

"""``check_backups``: one verdict per job from the repository and the restore-test ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field

from tools.backups import restic
from tools.backups.sayings import JudgedJob, say_all, say_one, trouble, worst_first
from tools.backups.verdict import Evidence, RestoreTest, Verdict, judge
from tools.contract import Candidates, Finding, JsonObject, Level, PlannedCall, Severity, ToolResult
from tools.names import NameIndex
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store
from tools.tool import Arguments, resolve_optional

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
        self._names = names
        self._store = store
        self.deadline_s = max((job.timeout_s for job in self._jobs.values()), default=0.0) + 5.0

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the job's name; none is all of them."""
        said = arguments.job if isinstance(arguments, CheckBackupsArguments) else None
        job = resolve_optional(self._names, "job", "a backup", said)
        if isinstance(job, Candidates):
            return job
        return PlannedCall(tool=self.name, arguments={"job": job} if job else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Read every job's evidence at once, judge, say. Raises StoreError."""
        only = call.arguments.get("job")
        chosen = {name: job for name, job in self._jobs.items() if only in (None, name)}
        examined = await asyncio.gather(*(self._examine(name, job) for name, job in chosen.items()))
        now = time.time()
        jobs = [job for job, _ in examined]
        spoken = say_one(jobs[0], now) if only and jobs else say_all(jobs, now)
        records = [record for _, record in sorted(examined, key=lambda pair: worst_first(jobs).index(pair[0]))]
        return ToolResult(spoken=spoken, data={"jobs": records}, findings=_findings(worst_first(jobs), now))

    async def _examine(self, name: str, settings: BackupSettings) -> tuple[JudgedJob, JsonObject]:
        evidence, latest = await self._evidence(name, settings)
        now = time.time()
        judgement = judge(
            evidence,
            now=now,
            max_age_s=settings.max_age_h * 3600,
            restore_test_max_age_s=settings.restore_test_max_age_h * 3600,
        )
        job = JudgedJob(name, settings.kind, judgement, evidence.last_success, evidence.restore_test)
        return job, await asyncio.to_thread(self._record, job, settings, latest, now)

    async def _evidence(self, name: str, settings: BackupSettings) -> tuple[Evidence, restic.Snapshot | None]:
        test = await asyncio.to_thread(self._last_restore_test, name)
        if settings.kind != "restic":
            return Evidence(supported=False, restore_test=test), None
        try:
            found = await restic.snapshots(settings)
        except restic.ResticError as error:
            broken, unreadable = (error.reason, "") if error.broken else ("", error.reason)
            return Evidence(broken=broken, unreadable=unreadable, restore_test=test), None
        latest = found[-1] if found else None
        return Evidence(last_success=latest.at if latest else None, restore_test=test), latest

    def _last_restore_test(self, name: str) -> RestoreTest | None:
        entry = self._store.last_restore_test(name)
        if entry is None:
            return None
        return RestoreTest(
            at=float(entry["at"]),
            ok=bool(entry["ok"]),
            first_error=str(entry.get("first_error") or ""),
            compared=float(entry.get("coverage_pct") or 0.0) > 0,
        )

    def _record(
        self, job: JudgedJob, settings: BackupSettings, latest: restic.Snapshot | None, now: float
    ) -> JsonObject:
        """The record of ``docs/backups.md``: what was found, for people and programs."""
        test = self._store.last_restore_test(job.name) or {}
        summary = latest.summary if latest else {}
        return {
            "job": job.name,
            "kind": settings.kind,
            "source": list(latest.paths if latest else settings.paths),
            "destination": restic.shown(settings.repository),
            "last_success": _iso(job.last_success),
            "age_h": round((now - job.last_success) / 3600, 2) if job.last_success is not None else None,
            "max_age_h": settings.max_age_h,
            "duration_s": None,
            "bytes_added": summary.get("data_added"),
            "files_new": summary.get("files_new"),
            "files_changed": summary.get("files_changed"),
            "prune": None,
            "verify": {
                "level": "restored" if test.get("ok") else "none",
                "at": _iso(job.restore_test.at) if job.restore_test else None,
                "sample_n": test.get("sample_n", 0),
                "coverage_pct": test.get("coverage_pct", 0.0),
                "mismatches": test.get("mismatches", 0),
                "first_error": test.get("first_error"),
            },
            "verdict": job.verdict.value,
            "cause": job.judgement.cause.value,
            "detail": job.judgement.detail,
        }


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None


def _findings(jobs: Sequence[JudgedJob], now: float) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            severity=_SEVERITY[job.verdict], subject=job.name, message=trouble(job, now), since=_iso(job.last_success)
        )
        for job in jobs
        if job.verdict is not Verdict.OK
    )

"""``run_backup`` and ``test_restore``: the two jobs that make a backup believable. Started here, done by a worker."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from tools.backups.run_sayings import CHECKS_IN, said_of_elsewhere
from tools.calling import current_caller
from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.jobs.sayings import EVERYTHING, already, begun
from tools.jobs.start import Starter, StartError
from tools.names import NameIndex
from tools.tool import Arguments, UnavailableError, resolve_required

ALL_JOBS = EVERYTHING
"""Canonical name for every job, one after another."""


class RunBackupArguments(Arguments):
    """Input of ``run_backup``."""

    job: str = Field(description='or "all"')


class TestRestoreArguments(Arguments):
    """Input of ``test_restore``."""

    __test__ = False  # no test of pytest's

    job: str = Field(description='or "all"')


class _JobTool:
    """What both have in common: one job, or all of them."""

    level: ClassVar[Level] = Level.OPERATE
    deadline_s = 10.0
    name: ClassVar[str]
    _readback: ClassVar[str]

    def __init__(self, names: NameIndex, starter: Starter) -> None:
        self._names = names
        self._starter = starter

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the job's name; "all", "everything" is every job."""
        said = str(arguments.model_dump()["job"])
        job = resolve_required(self._names, "job", "a backup", said, everything=ALL_JOBS)
        if isinstance(job, Candidates):
            return job
        what = "all backups" if job == ALL_JOBS else job
        return PlannedCall(
            tool=self.name, arguments={"job": job}, level=self.level, readback=self._readback.format(job=what)
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Start it and return at once; the same job under way is said, and not started again.

        Raises StoreError, and UnavailableError where nothing is configured or no process can be started.
        """
        if not self._names.names("job"):
            raise UnavailableError("No backup is configured.")
        subject = str(call.arguments["job"])
        self._check(subject)
        try:
            started = await asyncio.to_thread(self._starter.start, self.name, subject, call.arguments, current_caller())
        except StartError as error:
            raise UnavailableError("I couldn't start it; the log says why.") from error
        job = started.job
        spoken = begun(job) if started.new else already(job)
        evidence = {"job_id": job.id, "state": job.state.value, "started": started.new, "progress": job.progress}
        return ToolResult(spoken=spoken, data=evidence)

    def _check(self, subject: str) -> None:
        """Raises UnavailableError where there is no point in starting it."""


class RunBackup(_JobTool):
    """Back up now."""

    name: ClassVar[str] = "run_backup"
    description: ClassVar[str] = "Run a backup now."
    arguments: ClassVar[type[Arguments]] = RunBackupArguments
    _readback = "back up {job} now"

    def _check(self, subject: str) -> None:
        job = self._starter.settings.backups.get(subject)
        if job is not None and job.kind in CHECKS_IN:
            raise UnavailableError(said_of_elsewhere(subject))


class TestRestore(_JobTool):
    """Restore into a scratch folder and compare."""

    __test__ = False

    name: ClassVar[str] = "test_restore"
    description: ClassVar[str] = "Test now whether a backup can be restored."
    arguments: ClassVar[type[Arguments]] = TestRestoreArguments
    _readback = "test restoring {job}"

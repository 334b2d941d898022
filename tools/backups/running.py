"""``run_backup`` and ``test_restore``: the two jobs that make a backup believable."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.tool import Arguments, UnavailableError, resolve_required

ALL_JOBS = "all"
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

    def __init__(self, names: NameIndex) -> None:
        self._names = names

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


class RunBackup(_JobTool):
    """Back up now."""

    name: ClassVar[str] = "run_backup"
    description: ClassVar[str] = "Run a backup now."
    arguments: ClassVar[type[Arguments]] = RunBackupArguments
    _readback = "back up {job} now"

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: backups cannot be run from here."""
        raise UnavailableError("I can't run backups yet; I only check them.")


class TestRestore(_JobTool):
    """Restore into a scratch folder and compare."""

    __test__ = False

    name: ClassVar[str] = "test_restore"
    description: ClassVar[str] = "Test now whether a backup can be restored."
    arguments: ClassVar[type[Arguments]] = TestRestoreArguments
    _readback = "test restoring {job}"

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: restore tests are not started from here."""
        raise UnavailableError("I can't start restore tests myself yet; `python -m tools.restore_tests` does.")

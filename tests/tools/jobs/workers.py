"""Jobs with real worker processes on a small SQLite database, whose backup takes a moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tools.contract import Caller, Door
from tools.jobs.ledger import Job, JobLedger
from tools.jobs.process import is_running
from tools.jobs.start import Starter
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store

CALLER = Caller(name="owner", role="owner", door=Door.REPL, room="kitchen", conversation="c1")
PATIENCE_S = 60.0


def notes(folder: Path, **more: object) -> BackupSettings:
    """A job over a database that is there."""
    (folder / "copies").mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "notes.db")) as db:
        db.execute("CREATE TABLE IF NOT EXISTS notes (text)")
        db.execute("INSERT INTO notes VALUES ('buy milk')")
        db.commit()
    raw = {"kind": "sqlite", "paths": (str(folder / "notes.db"),), "repository": str(folder / "copies"), **more}
    return BackupSettings.model_validate(raw)


class Jobs:
    """A state folder in which jobs are started."""

    def __init__(self, settings: ToolSettings, state: Path) -> None:
        self.settings = settings
        self.state = state
        self.store = Store(state / "jarvis.db")
        self.ledger = JobLedger(self.store)
        self.starter = Starter(settings, state, self.store)

    def start(self, subject: str, tool: str = "run_backup") -> Job:
        return self.starter.start(tool, subject, {"job": subject}, CALLER).job

    async def over(self, job: Job) -> Job:
        """The job, once it is over."""
        async with asyncio.timeout(PATIENCE_S):
            while not (now := self.get(job)).state.over:  # noqa: ASYNC110 - another process has it
                await asyncio.sleep(0.02)
        return now

    async def gone(self, job: Job) -> None:
        """Until the process of a job has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while is_running(job.worker):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def doing(self, job: Job, words: str) -> Job:
        """The job, once it says that it does this."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in (now := self.get(job)).doing:
                assert not now.state.over, now
                await asyncio.sleep(0.02)
        return now

    def get(self, job: Job) -> Job:
        found = self.ledger.get(job.id)
        assert found is not None
        return found

    def left(self) -> list[str]:
        """What jobs left in the state folder, but for their log."""
        return sorted(path.name for path in (self.state / "jobs").glob("*") if path.name != "worker.log")


@contextmanager
def jobs_over(folder: Path, **backups: BackupSettings) -> Iterator[Jobs]:
    """``folder``/state, opened."""
    (folder / "state").mkdir()
    opened = Jobs(ToolSettings(backups=backups), folder / "state")
    try:
        yield opened
    finally:
        opened.store.close()

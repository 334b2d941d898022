"""Start a job and return at once: written down, then done by a process of its own that outlives its caller."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from tools.contract import Caller, JsonObject
from tools.jobs import folder
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.jobs.process import MARK, identity
from tools.settings import ToolSettings
from tools.store import Store


class StartError(Exception):
    """The worker could not be started; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Started:
    """``new``: False when the same job was under way already."""

    job: Job
    new: bool


class Starter:
    """Starts jobs of one state folder. Blocking, some milliseconds."""

    def __init__(self, settings: ToolSettings, state_dir: Path, store: Store) -> None:
        self.settings = settings
        self._state_dir = state_dir
        self.ledger = JobLedger(store)

    def start(self, tool: str, subject: str, arguments: JsonObject, caller: Caller) -> Started:
        """Start it, unless the same is under way. Raises StoreError, StartError."""
        me = identity() or ""
        job, new = self.ledger.add(tool, subject, arguments, caller, me)
        if not new:
            return Started(job, False)
        try:
            folder.write_settings(self._state_dir, job.id, self._settings_text())
            child = self._spawn(job.id)
        except OSError as error:
            folder.clear(self._state_dir, job.id)
            spoken = "I couldn't start it."
            self.ledger.end(job.id, me, JobState.FAILED, spoken=spoken, error=f"no worker: {error.strerror}")
            self.ledger.told(job.id)  # whoever asked is told at once
            raise StartError(f"the worker cannot be started: {error}") from error
        self.ledger.hand_over(job.id, identity(child.pid) or "")
        threading.Thread(target=child.wait, name=f"job-{job.id}", daemon=True).start()  # no zombie stays
        return Started(job, True)

    def _settings_text(self) -> str:
        """Of the tools only: what else a configuration holds is none of the worker's business."""
        return self.settings.model_dump_json(include=set(ToolSettings.model_fields))

    def _spawn(self, job_id: str) -> subprocess.Popen[bytes]:
        """A session of its own: no terminal that is closed, and no Ctrl-C in it, ends the worker."""
        priority = ["ionice", "-c", "3"] if shutil.which("ionice") else []
        command = [sys.executable, "-P", "-m", "tools.jobs.worker", "--state", str(self._state_dir), "--job", job_id]
        log = folder.open_log(self._state_dir)
        try:
            return subprocess.Popen(
                [*priority, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
                env={**os.environ, MARK: job_id},
                start_new_session=True,
            )
        finally:
            os.close(log)

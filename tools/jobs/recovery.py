"""The next start after a crash: jobs without a process are lost, said once, and leave nothing behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from tools.jobs import folder
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.jobs.process import end_marked, is_running
from tools.jobs.sayings import lost as lost_saying
from tools.jobs.telling import tell
from tools.jobs.work import Lost, after_loss
from tools.notify.messages import Messages
from tools.restore_tests.scratch import clean_left_overs
from tools.settings import ToolSettings
from tools.store import Store

log = logging.getLogger(__name__)


def recover(state_dir: Path, store: Store, settings: ToolSettings, clock: Callable[[], float] = time.time) -> list[Job]:
    """Mark the jobs whose process is gone as lost, end what they left running, remove their files, and tell of them.

    Those jobs; none where all is well. Harmless at any time and from any process: a job that is under way is not
    touched. Raises StoreError.
    """
    ledger = JobLedger(store, clock)
    lost = [job for job in ledger.active() if not is_running(job.worker)]
    for job in lost:
        ended = end_marked(job.id)
        if not ledger.end(job.id, job.worker or "", JobState.LOST, spoken=lost_saying(job), error=_why(job, ended)):
            continue  # it ended itself, or another process was here
        log.warning("the job %s (%s) was lost", job.id, job.tool)
        after_loss(Lost(job, settings, store, clock()))
        folder.clear(state_dir, job.id)
    if lost:
        clean_left_overs(settings.restore_scratch or state_dir)
    folder.clear_left_overs(state_dir, frozenset(job.id for job in ledger.active()))
    tell(ledger, Messages(store, clock), settings, clock)
    return [job for job in map(ledger.get, (one.id for one in lost)) if job is not None and job.state is JobState.LOST]


def _why(job: Job, ended: int) -> str:
    where = f" while {job.doing}" if job.doing else ""
    others = f"; {ended} of its programs were still running and were ended" if ended else ""
    return f"its process was gone{where}{others}"

"""That a job is over, told where it was asked for and on the phone: once, whoever finds it over."""

from __future__ import annotations

import time
from collections.abc import Callable

from tools.contract import Caller, Door
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.jobs.sayings import name_of
from tools.notify.messages import HIGH, NORMAL, Messages
from tools.notify.services import can_push
from tools.settings import ToolSettings

TOLD_WITHIN_S = 2 * 86400.0
"""What ended longer ago is not told any more: Jarvis was not running, or ntfy was not set up then."""


def tell(
    ledger: JobLedger, messages: Messages, settings: ToolSettings, clock: Callable[[], float] = time.time
) -> list[Job]:
    """Put every job that is over, and that nobody was told of, into the messages; which those were.

    The message has the job's id for a key, so that a crash between the two writes tells nothing twice and forgets
    nothing. Raises StoreError.
    """
    new = ledger.untold()
    for job in new:
        if (job.ended or 0.0) > clock() - TOLD_WITHIN_S:
            well = job.state in (JobState.DONE, JobState.CANCELLED)
            messages.add(
                job.spoken,
                asked_by(job),
                title=name_of(job).removeprefix("the ").capitalize(),
                priority=NORMAL if well else HIGH,
                tags=("white_check_mark",) if job.state is JobState.DONE else () if well else ("rotating_light",),
                push=can_push(settings),
                key=f"job:{job.id}",
            )
        ledger.told(job.id)
    return new


def asked_by(job: Job) -> Caller:
    """Who asked for it, and where."""
    return Caller(name=job.who, door=Door(job.door), room=job.room, conversation=job.conversation)

"""The process that does one job: ``python -m tools.jobs.worker --state DIR --job ID``, started by ``start.py``.

It says how far it is at most twice a second, ends early when somebody asked for it or at SIGTERM, SIGINT and SIGHUP,
and leaves nothing behind. When it is killed, the ledger still says "running" with a process that is gone: lost, at the
next start. Exit code 0 when the job was done, 1 when not, 3 when there was no such job to do.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from tools.contract import JsonObject
from tools.jobs import folder, sayings
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.jobs.process import identity
from tools.jobs.telling import tell
from tools.jobs.work import Outcome, Work, worker_of
from tools.notify.messages import Messages
from tools.notify.services import deliver, push_services
from tools.settings import ToolSettings
from tools.store import Store, StoreError

log = logging.getLogger("tools.jobs.worker")

BEAT_S = 0.5
"""Between two looks at the cancel flag, and between two reports."""

NICENESS = 19
"""The lowest CPU priority; ``start.py`` gives the lowest one for I/O."""

TRIES_TO_END = 10
"""Each waits as long as the database may be locked, and some seconds more: a full disk may be cleared meanwhile."""

PUSH_WITHIN_S = 20.0
"""For telling the phone at once; later the server does it."""


class _Doing:
    """One claimed job, from its settings to its end."""

    def __init__(self, job: Job, me: str, state_dir: Path, store: Store) -> None:
        self._job = job
        self._me = me
        self._state_dir = state_dir
        self._store = store
        self._ledger = JobLedger(store)
        self._said: tuple[float, str] = (-1.0, "")
        self._now: tuple[float, str] = (-1.0, "")
        self._why = ""

    async def run(self, settings: ToolSettings) -> JobState:
        """Do it, and write down how it ended. Raises StoreError when that cannot be written: it is lost then."""
        work = Work(self._job, settings, self._state_dir, self._store, self._report, self._note)
        task = asyncio.ensure_future(worker_of(self._job.tool)(work))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._end_early, task, "stopped")
        while not task.done():
            await asyncio.wait({task}, timeout=BEAT_S)
            await self._beat(task)
        state, outcome = self._ended(task)
        await asyncio.to_thread(folder.clear, self._state_dir, self._job.id)
        await self._write_end(state, outcome)
        return state

    def _report(self, share: float, doing: str) -> None:
        """Kept until the next beat."""
        self._now = (min(max(share, 0.0), 1.0) if share >= 0 else -1.0, doing)

    async def _note(self, result: JsonObject) -> None:
        await asyncio.to_thread(self._ledger.note, self._job.id, self._me, result)

    async def _beat(self, task: asyncio.Future[Outcome]) -> None:
        """A database that cannot be used for a moment does not end a backup of hours."""
        try:
            if self._now != self._said and not task.done():
                self._said = self._now
                await asyncio.to_thread(self._ledger.progress, self._job.id, self._me, *self._now)
            if not self._why and await asyncio.to_thread(self._ledger.cancel_asked, self._job.id):
                self._end_early(task, "cancelled")
        except StoreError as error:
            log.warning("progress could not be written: %s", error)

    def _end_early(self, task: asyncio.Future[Outcome], why: str) -> None:
        self._why = self._why or why
        task.cancel()

    def _ended(self, task: asyncio.Future[Outcome]) -> tuple[JobState, Outcome]:
        try:
            outcome = task.result()
        except asyncio.CancelledError:
            asked = self._why == "cancelled"
            said = sayings.cancelled(self._job) if asked else sayings.stopped(self._job)
            return JobState.CANCELLED, Outcome(False, said, self._why)
        except Exception as error:  # the edge: a mistake of ours is a job that failed, and said so
            log.exception("the job %s (%s) broke", self._job.id, self._job.tool)
            return JobState.FAILED, Outcome(False, sayings.broke(self._job), type(error).__name__)
        return (JobState.DONE if outcome.ok else JobState.FAILED), outcome

    async def _write_end(self, state: JobState, outcome: Outcome) -> None:
        for left in reversed(range(TRIES_TO_END)):
            try:
                await asyncio.to_thread(
                    self._ledger.end, self._job.id, self._me, state,
                    spoken=outcome.spoken, error=outcome.error, result=outcome.result or None,
                )  # fmt: skip
            except StoreError:
                if not left:
                    raise
                await asyncio.sleep(3.0)
            else:
                return


async def _tell(store: Store, settings: ToolSettings) -> None:
    """At the door and on the phone. What does not succeed here is done by the server."""
    messages = Messages(store)
    await asyncio.to_thread(tell, JobLedger(store), messages, settings)
    if services := push_services(settings):
        with suppress(TimeoutError):
            async with asyncio.timeout(PUSH_WITHIN_S):
                await deliver(services, messages)


async def _do(job_id: str, state_dir: Path, store: Store) -> int:
    me, ledger = identity() or "", JobLedger(store)
    try:
        settings = ToolSettings.model_validate_json(folder.settings_file(state_dir, job_id).read_bytes())
    except (OSError, ValidationError) as error:
        log.error("the settings of the job %s cannot be read: %s", job_id, type(error).__name__)  # noqa: TRY400 - no more
        return 3
    if not ledger.claim(job_id, me):
        log.error("there is no job %s to do", job_id)
        return 3
    job = ledger.get(job_id)
    if job is None:
        return 3
    state = await _Doing(job, me, state_dir, store).run(settings)
    await _tell(store, settings)
    return 0 if state is JobState.DONE else 1


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tools.jobs.worker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    parser.add_argument("--job", required=True, help="id of the job")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    logging.Formatter.converter = time.gmtime
    with suppress(OSError):
        os.nice(NICENESS)
    try:
        temporary = folder.temporary_folder(options.job)
        temporary.mkdir(mode=0o711)
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        try:
            with Store(options.state / "jarvis.db") as store:
                return asyncio.run(_do(options.job, options.state, store))
        finally:
            tempfile.tempdir = str(temporary.parent)
            folder.clear(options.state, options.job)
    except (OSError, StoreError) as error:
        log.error("the job %s: %s", options.job, error)  # noqa: TRY400 - the text says it all
        return 3


if __name__ == "__main__":
    sys.exit(main())

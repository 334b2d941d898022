"""Real workers: started, followed, cancelled, stopped, locked out, and killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

from tests.tools.jobs.workers import CALLER, jobs_over, notes
from tools.backups.records import BackupRecords
from tools.jobs.folder import temporary_folder
from tools.jobs.ledger import Job, JobState
from tools.jobs.recovery import recover
from tools.notify.messages import Messages

SLOW = ("sleep", "600")
"""A command before the backup that does not end."""


def kill(job: Job, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(int((job.worker or "0").partition(" ")[0]), number)


async def test_a_job_is_done_by_a_process_of_its_own_that_leaves_nothing(tmp_path: Path) -> None:
    with jobs_over(tmp_path, notes=notes(tmp_path)) as jobs:
        job = await jobs.over(jobs.start("notes"))
        await jobs.gone(job)

        assert (job.state, job.spoken.startswith("The notes backup is done")) == (JobState.DONE, True)
        assert job.progress == 1.0
        assert (job.worker or "").partition(" ")[0] != str(os.getpid())
        assert len(list((tmp_path / "copies").glob("*.sqlite"))) == 1
        run = BackupRecords(jobs.store).last_run("notes")
        assert run is not None
        assert run.ok
        told = Messages(jobs.store).get(f"job:{job.id}")
        assert told is not None
        assert (told.text, told.conversation, told.priority) == (job.spoken, "c1", 3)
        assert jobs.left() == []
        assert not temporary_folder(job.id).exists()


async def test_two_jobs_on_one_repository_come_one_after_another_and_a_cancelled_one_ends_what_it_paused(
    tmp_path: Path,
) -> None:
    flag = tmp_path / "resumed"
    slow = notes(tmp_path, before=SLOW, after=("touch", str(flag)))
    with jobs_over(tmp_path, slow=slow, notes=notes(tmp_path)) as jobs:
        first = jobs.start("slow")
        await jobs.doing(first, "command before")
        assert jobs.starter.start("run_backup", "slow", {}, CALLER).new is False
        second = jobs.start("notes")
        await jobs.doing(second, "waiting for another job")
        settings = jobs.state / "jobs" / f"{first.id}.json"
        assert stat.S_IMODE(settings.stat().st_mode) == 0o600
        assert set(json.loads(settings.read_text())) == set(type(jobs.settings).model_fields)

        jobs.ledger.ask_cancel(first.id)
        cancelled, done = await jobs.over(first), await jobs.over(second)

        assert (cancelled.state, cancelled.spoken) == (JobState.CANCELLED, "The slow backup was cancelled.")
        assert done.state is JobState.DONE
        assert flag.exists()
        run = BackupRecords(jobs.store).last_run("slow")
        assert run is not None
        assert (run.ok, run.record["fault"]) == (False, "cancelled")


async def test_a_worker_that_is_told_to_end_says_so_and_ends_its_programs(tmp_path: Path) -> None:
    with jobs_over(tmp_path, slow=notes(tmp_path, before=SLOW)) as jobs:
        job = await jobs.doing(jobs.start("slow"), "command before")
        kill(job, signal.SIGTERM)
        ended = await jobs.over(job)

        assert ended.state is JobState.CANCELLED
        assert ended.spoken == "The slow backup was stopped before it was done."


async def test_a_killed_worker_is_lost_said_once_and_recorded_as_a_run_that_failed(tmp_path: Path) -> None:
    with jobs_over(tmp_path, slow=notes(tmp_path, before=SLOW)) as jobs:
        job = await jobs.doing(jobs.start("slow"), "command before")
        assert recover(jobs.state, jobs.store, jobs.settings) == []  # it is under way
        kill(job)
        await jobs.gone(job)
        lost = recover(jobs.state, jobs.store, jobs.settings)

        assert [(one.id, one.state) for one in lost] == [(job.id, JobState.LOST)]
        assert "1 of its programs were still running" in lost[0].error
        assert lost[0].spoken == "The slow backup broke off. It was not finished, so please start it again."
        assert recover(jobs.state, jobs.store, jobs.settings) == []
        said = Messages(jobs.store).unannounced("c1")
        assert [(message.text, message.priority) for message in said] == [(lost[0].spoken, 5)]
        run = BackupRecords(jobs.store).last_run("slow")
        assert run is not None
        assert (run.ok, run.record["reason"]) == (False, "it broke off before it was done")
        assert jobs.left() == []
        assert not temporary_folder(job.id).exists()


async def test_everything_is_run_in_order_and_what_fails_does_not_keep_the_rest(tmp_path: Path) -> None:
    broken = notes(tmp_path).model_copy(update={"paths": (str(tmp_path / "gone.db"),)})
    with jobs_over(tmp_path, broken=broken, notes=notes(tmp_path)) as jobs:
        job = await jobs.over(jobs.start("all"))

        assert job.state is JobState.FAILED
        assert [(one["job"], one["ok"]) for one in job.result["done"]] == [("broken", False), ("notes", True)]
        assert job.spoken.startswith("One of two backups went well. The broken backup failed:")


async def test_the_worker_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    flag = tmp_path / "go"
    wait = ("sh", "-c", f'while [ ! -e "{flag}" ]; do sleep 0.05; done')
    with jobs_over(tmp_path, notes=notes(tmp_path, before=wait)) as jobs:
        starter = (
            "import sys; from pathlib import Path; from tools.jobs.start import Starter; "
            "from tools.settings import ToolSettings; from tools.store import Store; "
            "from tools.contract import Caller\n"
            "state = Path(sys.argv[1]); settings = ToolSettings.model_validate_json(sys.argv[2])\n"
            "with Store(state / 'jarvis.db') as store:\n"
            "    Starter(settings, state, store).start('run_backup', 'notes', {}, Caller())\n"
        )
        command = [sys.executable, "-c", starter, str(jobs.state), jobs.settings.model_dump_json()]
        await asyncio.to_thread(subprocess.run, command, check=True)
        flag.touch()
        (job,) = jobs.ledger.active()
        assert (await jobs.over(job)).state is JobState.DONE


async def test_a_job_that_waits_for_a_worker_that_never_came_up_is_lost(tmp_path: Path) -> None:
    with jobs_over(tmp_path, notes=notes(tmp_path)) as jobs:
        job, _ = jobs.ledger.add("run_backup", "notes", {}, CALLER, "4194304 1 a-boot-before")

        assert [one.id for one in recover(jobs.state, jobs.store, jobs.settings)] == [job.id]

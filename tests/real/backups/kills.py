"""kill -9 at random moments of runs and restore tests: ``python -m tests.real.backups.kills --times 50``.

Each round starts a job on a real ground, kills its worker with SIGKILL some moments later, and then does what the next
start of Jarvis does. Held afterwards: no process, scratch folder, temporary folder or settings file is left; no job is
forgotten in the ledger; none is a success that did not happen; everybody is told once. In the end, an undisturbed run
and restore test have to succeed on what all of that left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from tests.real.backups.ground import Ground
from tools.backups.kinds import make
from tools.backups.records import BackupRecords
from tools.contract import Caller, Door
from tools.jobs.folder import temporary_folder
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.jobs.process import MARK
from tools.jobs.recovery import recover
from tools.jobs.start import Starter
from tools.notify.messages import Messages
from tools.settings import ToolSettings
from tools.store import Store

KINDS = ("restic", "rsync")
"""One with a program that does it all, and one of many small programs over ssh."""

TOOLS = ("run_backup", "test_restore")
JOB = "photos"
MORE_BYTES = 24_000_000
"""Added to the source of restic, so that a run takes its time."""

WHOLE_S = 120.0
CALLER = Caller(name="owner", role="owner", door=Door.REPL, conversation="kills")


@dataclass
class Tally:
    """What became of the jobs, and when they were killed (seconds after the start)."""

    states: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    moments: list[float] = field(default_factory=list)


class Killing:
    """One ground, one state folder, any number of rounds."""

    def __init__(self, ground: Ground, folder: Path, chance: random.Random) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.settings = ToolSettings(backups={JOB: ground.settings})
        self.store = Store(self.state / "jarvis.db")
        self.ledger = JobLedger(self.store)
        self.records = BackupRecords(self.store)
        self.messages = Messages(self.store)
        self.starter = Starter(self.settings, self.state, self.store)
        self.chance = chance
        self.tally = Tally()
        self.usual_s: dict[str, float] = {}

    async def undisturbed(self, tool: str) -> Job:
        """A job that nobody kills; it has to succeed."""
        began = time.monotonic()
        job = self.starter.start(tool, JOB, {"job": JOB}, CALLER).job
        while not job.state.over:
            assert time.monotonic() - began < WHOLE_S, f"{tool} hangs: {job}"
            await asyncio.sleep(0.05)
            job = self._job(job.id)
        self.usual_s[tool] = time.monotonic() - began
        assert job.state is JobState.DONE, f"{tool} failed without any kill: {job.spoken} {job.error}"
        return job

    async def round(self, tool: str) -> None:
        """Start, kill, start again, look."""
        job = self.starter.start(tool, JOB, {"job": JOB}, CALLER).job
        moment = self.chance.uniform(0.0, self.usual_s[tool] * 1.1)
        await asyncio.sleep(moment)
        self._kill(self._job(job.id))
        orphans = len(marked(job.id))
        lost = recover(self.state, self.store, self.settings)
        await self._check(tool, self._job(job.id), [one.id for one in lost])
        self.tally.states[f"{tool} {self._job(job.id).state.value}"] += 1
        self.tally.orphans += orphans
        self.tally.moments.append(moment)

    def _kill(self, job: Job) -> None:
        worker = int((job.worker or "0").partition(" ")[0])
        assert worker > 1, f"the job has no worker: {job}"
        try:
            os.kill(worker, signal.SIGKILL)
        except ProcessLookupError:
            return  # it had ended
        deadline = time.monotonic() + 10.0
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < deadline, "a killed process stays"
            time.sleep(0.005)

    async def _check(self, tool: str, job: Job, lost: Sequence[str]) -> None:
        assert job.state in (JobState.LOST, JobState.DONE), f"{job.state}: {job.spoken} {job.error}"
        assert (job.id in lost) == (job.state is JobState.LOST)
        assert self.ledger.active() == [], "a job is forgotten"
        assert marked(job.id) == [], "a program of the job still runs"
        assert not temporary_folder(job.id).exists(), "a temporary folder is left"
        assert list((self.state / "jobs").glob("*.json")) == [], "settings of a worker are left"
        assert list((self.state / "scratch").glob("*")) == [], "a scratch folder is left"
        told = self.messages.get(f"job:{job.id}")
        assert told is not None, "nobody is told of the job"
        assert ("broke off" in told.text) == (job.state is JobState.LOST), told.text
        assert recover(self.state, self.store, self.settings) == [], "a lost job is lost twice"
        if job.state is JobState.DONE:
            await self._check_done(tool, job)
        elif tool == "run_backup":
            await self._check_lost_run(job)

    async def _check_done(self, tool: str, job: Job) -> None:
        """A success really happened."""
        if tool == "run_backup":
            copy = job.result["record"]["places"][0]["copy"]
            found = await make(self.settings.backups[JOB]).look()
            assert any(one.id.startswith(copy["id"]) or copy["id"].startswith(one.id) for one in found.copies), copy
        else:
            last = self.records.last_restore_test(JOB)
            assert last is not None
            assert last["ok"]
            assert last["at"] >= (job.began or 0)

    async def _check_lost_run(self, job: Job) -> None:
        """The records say nothing better than what stands at the destination."""
        run = self.records.last_run(JOB)
        if run is not None and run.ok and job.began is not None and run.at >= job.began:
            found = await make(self.settings.backups[JOB]).look()
            wanted = run.record["copy"]["id"]
            assert any(one.id.startswith(wanted) or wanted.startswith(one.id) for one in found.copies), wanted

    def _job(self, job_id: str) -> Job:
        job = self.ledger.get(job_id)
        assert job is not None, "the job is not in the ledger"
        return job


def marked(job_id: str) -> list[int]:
    """Processes that carry the job's mark, found here without the code under test."""
    wanted = f"{MARK}={job_id}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
        except OSError:  # it ended
            continue
    return found


async def kill_often(kind: str, times: int, seed: int, folder: Path) -> Tally:
    """``times`` rounds on a new ground of that kind. Raises AssertionError with what was not held."""
    ground: Ground = import_module(f"tests.real.backups.ground_{kind}").TheGround(folder / "ground")
    chance = random.Random(seed)  # noqa: S311 - when to kill, no secret
    (folder / "ground").mkdir(parents=True)
    await ground.prepare()
    try:
        if kind == "restic":
            for number in range(6):
                path = Path(ground.settings.paths[0]) / f"more-{number}.bin"
                path.write_bytes(chance.randbytes(MORE_BYTES // 6))
        killing = Killing(ground, folder, chance)
        try:
            for tool in TOOLS:
                await killing.undisturbed(tool)
            for number in range(times):
                await killing.round(TOOLS[number % len(TOOLS)])
            for tool in TOOLS:
                await killing.undisturbed(tool)
        finally:
            killing.store.close()
        return killing.tally
    finally:
        await ground.close()


def main() -> int:
    """Exit code 0 when everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.backups.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="kills, shared among the kinds")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), help="grounds")
    options = parser.parse_args()
    for at, kind in enumerate(options.kinds):
        share = (options.times + at) // len(options.kinds)
        with tempfile.TemporaryDirectory(prefix="kills-") as folder:
            tally = asyncio.run(kill_often(kind, share, options.seed + at, Path(folder)))
        spread = f"{min(tally.moments):.2f} to {max(tally.moments):.2f} s after the start" if tally.moments else ""
        became = ", ".join(f"{count} {state}" for state, count in sorted(tally.states.items()))
        sys.stdout.write(f"{kind}: {share} kills, {spread}: {became}; {tally.orphans} programs outlived their worker\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

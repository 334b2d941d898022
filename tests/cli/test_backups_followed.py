"""A job of another process, followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.cli.backups_followed import follow
from tools.contract import Caller
from tools.jobs.ledger import JobLedger, JobState
from tools.store import Store


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[JobLedger]:
    with Store(tmp_path / "jarvis.db") as store:
        yield JobLedger(store)


async def test_following_ends_with_the_job_and_says_what_became_of_it(
    ledger: JobLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job, _ = ledger.add("run_backup", "photos", {}, Caller(), "me")
    ledger.end(job.id, "me", JobState.FAILED, spoken="It went wrong.")
    assert await follow({"job_id": job.id}, tmp_path, as_json=True) == 1
    assert '"spoken": "It went wrong."' in capsys.readouterr().out


async def test_whoever_stops_following_asks_the_job_to_end(ledger: JobLedger, tmp_path: Path) -> None:
    job, _ = ledger.add("run_backup", "photos", {}, Caller(), "me")
    looked = asyncio.Event()
    following = asyncio.create_task(follow({"job_id": job.id}, tmp_path, as_json=True))
    asyncio.get_running_loop().call_later(0.05, looked.set)
    await looked.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert ledger.cancel_asked(job.id)

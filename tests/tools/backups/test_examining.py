"""Looks are made where they are old, kept, and judged together with what else is remembered of a job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.tools.backups.fake_kind import LOOKS, WORLD
from tools.backups.examining import LOOK_AGE_S, Examined, examine, examined, judged, overdue_exercises
from tools.backups.kinds import ADAPTERS
from tools.backups.port import BackupError, Copy, Fault, Found
from tools.backups.records import BackupRecords
from tools.backups.sayings import say_one
from tools.restore_tests.trust import BROKEN, canary_job
from tools.settings import BackupSettings, CalendarSettings
from tools.store import Store

HOUR, DAY = 3600.0, 86400.0
RESTORED = {"level": "restored", "sample_n": 4, "coverage_pct": 50.0, "compared": 4, "mismatches": 0}


@dataclass
class Job:
    """One job, "photos", of a kind that the test plays."""

    records: BackupRecords
    now: float = field(default_factory=time.time)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> BackupSettings:
        return BackupSettings.model_validate({"kind": "command", "repository": "/main", **self.more})

    def copy(self, id: str = "new", age_s: float = HOUR, **more: Any) -> Copy:
        return Copy(id=id, at=self.now - age_s, duration_s=60.0, **more)

    def run(self, age_s: float = 60.0, *, ok: bool = True, **record: Any) -> None:
        began = self.now - age_s
        self.records.add_run("photos", "", "command", at=began, ended=began + 30, ok=ok, record=record)

    def tested(self, age_s: float = DAY, *, ok: bool = True, ran: bool = True, **record: Any) -> None:
        self.records.add_restore_test("photos", "command", self.now - age_s, ok=ok, ran=ran, record=RESTORED | record)

    async def examine(self, **more: Any) -> Examined:
        return await examine("photos", self.settings, self.records, **more)

    async def cause(self) -> str:
        return (await self.examine()).judged.judgement.cause.value


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.setitem(ADAPTERS, "command", "tests.tools.backups.fake_kind:RestorableFake")
    WORLD.clear()
    LOOKS.clear()
    with Store(tmp_path / "jarvis.db") as store:
        made = Job(BackupRecords(store))
        WORLD["/main"] = Found(copies=(made.copy(),), free=50, total=100)
        made.tested()
        yield made


async def test_a_look_is_kept_and_not_made_again_while_it_is_fresh(job: Job) -> None:
    first = await job.examine()
    assert first.judged.verdict == "ok"
    assert (await job.examine()).record == first.record | {"age_h": first.record["age_h"]}
    assert LOOKS == ["/main"]
    assert judged("photos", job.settings, job.records, job.now).verdict == "ok"


@pytest.mark.parametrize("age_s", [LOOK_AGE_S + 1, -DAY])
async def test_a_look_that_is_old_or_from_the_future_is_made_again(job: Job, age_s: float) -> None:
    job.records.keep_look("photos", "", job.now - age_s, Found(copies=(job.copy("old", 9 * DAY),)), None)
    assert await job.cause() == "proven"
    assert LOOKS == ["/main"]


async def test_after_a_run_it_looks_again(job: Job) -> None:
    job.records.keep_look("photos", "", job.now - 120, Found(), None)
    assert await job.cause() == "never_run"
    assert LOOKS == []
    job.run(age_s=60)
    assert await job.cause() == "proven"


async def test_a_look_that_failed_is_unknown_and_what_was_found_before_is_still_told(job: Job) -> None:
    assert await job.cause() == "proven"
    WORLD["/main"] = BackupError(Fault.UNREACHABLE, "its machine can't be reached")
    found = await job.examine(look_age_s=0.0)
    assert (found.judged.verdict, found.judged.judgement.detail) == ("unknown", "its machine can't be reached")
    assert say_one(found.judged, job.now) == (
        "The photos backup can't be judged: its machine can't be reached; last backed up 60 minutes ago, "
        "restored yesterday. See whether the machine that it goes to is on."
    )
    assert found.record["last_success"] is not None


async def test_a_look_that_failed_is_soon_made_again(job: Job) -> None:
    job.records.keep_look("photos", "", job.now - 120, None, BackupError(Fault.NOT_MOUNTED, "nothing is mounted"))
    assert await job.cause() == "proven"
    job.records.keep_look("photos", "", job.now - 20, None, BackupError(Fault.NOT_MOUNTED, "nothing is mounted"))
    assert await job.cause() == "unreadable"


async def test_a_look_that_takes_too_long_is_broken_off(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.backups.examining.MARGIN_S", 0.0)
    ended = asyncio.Event()

    async def for_ever() -> Found:
        try:
            await asyncio.get_running_loop().create_future()
            return Found()
        finally:
            ended.set()

    WORLD["/main"] = for_ever
    job.more["timeout_s"] = 0.05
    found = await job.examine()
    assert ended.is_set()
    assert (found.judged.verdict, found.judged.judgement.fault) == ("unknown", Fault.TIMED_OUT)


async def test_all_destinations_are_looked_at_at_once(job: Job) -> None:
    both = asyncio.Barrier(2)

    async def meet() -> Found:
        await both.wait()
        return Found(copies=(job.copy(),))

    job.more["also"] = [{"name": "the usb disk", "repository": "/usb"}]
    WORLD["/main"] = WORLD["/usb"] = meet
    found = await job.examine()
    assert found.judged.verdict == "ok"
    (elsewhere,) = found.record["elsewhere"]
    assert (elsewhere["name"], elsewhere["destination"], elsewhere["error"]) == ("the usb disk", "/usb", None)


async def test_a_disk_that_is_meant_to_be_unplugged_counts_as_it_was_last_seen(job: Job) -> None:
    disk = {"name": "the usb disk", "repository": "/usb", "offline": True, "max_age_h": 200.0}
    job.more["also"] = [disk]
    WORLD["/usb"] = BackupError(Fault.NOT_MOUNTED, "nothing is mounted at /mnt/usb")
    assert await job.cause() == "unreadable"  # nobody has ever seen it
    job.records.keep_look("photos", "the usb disk", job.now - 5 * DAY, Found(copies=(job.copy("a", 6 * DAY),)), None)
    assert await job.cause() == "proven"
    disk["max_age_h"] = 100.0
    found = await job.examine()
    assert (found.judged.verdict, found.judged.judgement.place) == ("stale", "the usb disk")
    assert say_one(found.judged, job.now).endswith("Plug the disk in.")


async def test_sources_that_a_run_could_not_read_are_known_though_a_look_does_not_tell(job: Job) -> None:
    copy = {"id": "new", "at": job.now - HOUR, "unread": 2, "complete": True}
    job.run(age_s=HOUR, copy=copy)
    found = await job.examine()
    assert (found.judged.judgement.cause.value, found.judged.judgement.detail) == ("partial", "2")
    WORLD["/main"] = Found(copies=(job.copy(), job.copy("newer", 10.0)))
    assert (await job.examine(look_age_s=0.0)).judged.verdict == "ok"


async def test_a_failed_run_counts_until_somebody_has_finished_a_backup(job: Job) -> None:
    job.run(age_s=600, ok=False, fault="disk_full", reason="the disk is full")
    assert await job.cause() == "run_failed"
    WORLD["/main"] = Found(copies=(job.copy(), job.copy("newer", 300.0)))
    assert (await job.examine(look_age_s=0.0)).judged.verdict == "ok"


async def test_a_run_that_is_no_success_and_does_not_say_why_has_failed(job: Job) -> None:
    job.run(ok=False)
    assert await job.cause() == "run_failed"


async def test_damage_stands_until_all_of_the_data_was_read_again(job: Job) -> None:
    job.run(age_s=500, ok=True, verify={"level": "data", "share": 0.5, "ok": False, "fault": "damaged", "reason": "x"})
    assert await job.cause() == "check_failed"
    job.run(age_s=400, verify={"level": "metadata", "share": 0.0, "ok": True})
    job.run(age_s=300, verify={"level": "data", "share": 0.5, "ok": True})
    assert await job.cause() == "check_failed"
    job.run(age_s=200, verify={"level": "data", "share": 0.5, "ok": True})
    found = await job.examine()
    assert found.judged.verdict == "ok"
    assert found.record["check"]["coverage_pct"] == 50.0


async def test_a_prune_that_failed_stands_until_the_next_one(job: Job) -> None:
    job.run(age_s=500, prune={"ran": True, "ok": False, "reason": "permission is denied"})
    job.run(age_s=400, prune={"ran": False})
    assert await job.cause() == "prune_failed"
    job.run(age_s=300, prune={"ran": True, "ok": True, "removed": 2})
    found = await job.examine()
    assert found.judged.verdict == "ok"
    assert found.record["prune"]["removed"] == 2


async def test_the_last_restore_test_of_each_destination_counts_and_of_no_other(job: Job) -> None:
    job.more["also"] = [{"name": "the usb disk", "repository": "/usb"}]
    WORLD["/usb"] = WORLD["/main"]
    job.tested(age_s=100, ok=False, destination="the usb disk", first_error="a.txt came back different")
    job.tested(age_s=50)
    job.tested(age_s=10, ok=False, destination="one that is no more")
    found = await job.examine()
    assert (found.judged.judgement.cause.value, found.judged.judgement.place) == ("restore_test_failed", "the usb disk")
    assert found.record["verify"]["first_error"] == "a.txt came back different"
    job.tested(age_s=5, destination="the usb disk")
    assert await job.cause() == "proven"


async def test_a_restore_test_that_could_not_be_made_is_no_proof_and_no_failure(job: Job) -> None:
    job.tested(age_s=10, ok=False, ran=False, first_error="no room")
    assert await job.cause() == "proven"
    job.more["restore_test_max_age_h"] = 1.0
    found = await job.examine()
    assert (found.judged.verdict, found.judged.judgement.detail) == ("unverified", "no room")


async def test_a_canary_that_did_not_fail_takes_the_proof_from_every_test(job: Job) -> None:
    job.records.add_restore_test(canary_job("sqlite"), "sqlite", job.now, ok=False, ran=True, record={})
    found = await job.examine()
    assert (found.judged.judgement.cause.value, found.judged.judgement.detail) == ("tester_broken", BROKEN)


async def test_a_kind_that_cannot_be_restored_from_here_is_never_proven(
    job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(ADAPTERS, "command", "tests.tools.backups.fake_kind:FakeKind")
    with Store(tmp_path / "other.db") as store:
        found = await examine("photos", job.settings, BackupRecords(store))
    assert found.judged.judgement.cause.value == "cannot_be_restored_here"


async def test_a_command_that_does_not_know_how_to_restore_is_never_proven(job: Job, tmp_path: Path) -> None:
    with Store(tmp_path / "other.db") as store:
        job.records = BackupRecords(store)
        assert await job.cause() == "never_restored"
        job.tested(ok=False, ran=False, fault="not_configured", first_error="it does not know how to list files")
        assert await job.cause() == "cannot_be_restored_here"
        job.tested(ok=False, ran=False, fault="disk_full", first_error="the disk is full")
        assert await job.cause() == "restore_test_not_made"


@pytest.mark.parametrize("size, cause", [(100, "proven"), (51, "proven"), (49, "tiny"), (499, "proven"), (501, "huge")])
async def test_sizes_are_held_against_the_history_that_may_be_pruned(job: Job, size: int, cause: str) -> None:
    past = tuple(job.copy(str(n), (20 - n) * DAY, size=100) for n in range(12))
    job.records.keep_look("photos", "", job.now - DAY, Found(copies=past), None)
    WORLD["/main"] = Found(copies=(job.copy("new", HOUR, size=size),))
    assert await job.cause() == cause


async def test_nothing_new_for_long_is_told_where_it_is_asked_for(job: Job) -> None:
    copies = [job.copy(str(n), (70 - n) * DAY, files_new=0, files_changed=0) for n in range(70)]
    copies[3] = job.copy("3", 67 * DAY, files_new=1, files_changed=0)
    WORLD["/main"] = Found(copies=tuple(copies))
    job.more["max_age_h"] = 48.0
    assert await job.cause() == "proven"
    job.more["unchanged_after_h"] = 24.0 * 60
    found = await job.examine()
    assert (found.judged.judgement.cause.value, found.judged.judgement.detail) == ("unchanged", "two months")


async def test_words_of_others_are_one_line_of_a_bounded_length_without_a_stop(job: Job) -> None:
    WORLD["/main"] = BackupError(Fault.FAILED, "first\nsecond\x1b[31m. " + "x" * 500)
    found = await job.examine()
    detail = found.judged.judgement.detail
    assert detail.startswith("first second")
    assert len(detail) <= 200
    assert detail.isprintable()


def test_records_alone_without_any_are_unknown(job: Job) -> None:
    found = examined("films", job.settings, job.records, job.now)
    assert (found.judged.verdict, found.judged.judgement.cause.value) == ("unknown", "never_looked")
    assert LOOKS == []
    assert [one.cause.value for one in found.judged.also] == ["never_restored"]


async def test_overdue_exercises_are_found_for_all_jobs_at_once_and_show_in_the_verdict(job: Job) -> None:
    jobs = {"photos": job.settings, "films": job.settings}
    calendar = CalendarSettings(file_days=30, nas_gone_days=0)
    assert overdue_exercises(jobs, job.records, calendar, job.now) == {}
    late = overdue_exercises(jobs, job.records, calendar, job.now + 60 * DAY)
    assert late == {"photos": ("the restore of a random file",)}
    assert overdue_exercises({"films": job.settings}, job.records, calendar, job.now + 60 * DAY) == {}
    found = await job.examine(overdue=late["photos"])
    assert found.judged.judgement.cause.value == "exercise_overdue"

"""One run of a backup: the order of its phases, and what is entered whatever goes wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from tools.backups import kinds, run
from tools.backups.kinds import Target
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Pruned, Verified
from tools.backups.records import BackupRecords, Run
from tools.backups.run import RunReport, run_backup
from tools.settings import BackupSettings
from tools.store import Store


@dataclass
class Script:
    """What the fake kind does, and what it did: ("copy", "main"), …; ``wrong``: what fails, by (phase, place)."""

    done: list[tuple[str, str]] = field(default_factory=list)
    wrong: dict[tuple[str, str], BackupError] = field(default_factory=dict)
    times: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often it fails before it goes well; for ever where it does not stand here."""
    unread: int = 0
    complete: bool = True
    hang: str = ""
    hangs: asyncio.Event = field(default_factory=asyncio.Event)


class FakeKind:
    """A kind that does nothing, in the order in which it is told to."""

    kind: ClassVar[str] = "sqlite"
    script: ClassVar[Script]

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.name or "main"

    async def _step(self, phase: str) -> None:
        at = (phase, self.destination)
        self.script.done.append(at)
        if self.script.hang == phase:
            self.script.hangs.set()
            await asyncio.Event().wait()
        if at in self.script.wrong and self.script.times.get(at, 1) > 0:
            if at in self.script.times:
                self.script.times[at] -= 1
            raise self.script.wrong[at]

    async def look(self) -> Found:
        await self._step("look")
        return Found(copies=(Copy(id="c1", at=100.0, size=2_000_000),))

    async def back_up(self, progress: Progress) -> Copy:
        progress(0.5, "copying half of it")
        await self._step("copy")
        return Copy(
            id="c1", at=100.0, size=2_000_000, files_new=3, unread=self.script.unread, complete=self.script.complete
        )

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        await self._step("verify")
        return Verified(level=level, share=1.0 if level == "data" else 0.0)

    async def prune(self, progress: Progress) -> Pruned:
        await self._step("prune")
        return Pruned(removed=2)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.setattr(FakeKind, "script", Script(), raising=False)
    monkeypatch.setitem(kinds.ADAPTERS, "sqlite", f"{__name__}:FakeKind")
    return FakeKind.script


@pytest.fixture
def records(tmp_path: Path) -> Iterator[BackupRecords]:
    with Store(tmp_path / "jarvis.db") as store:
        yield BackupRecords(store)


def settings(**more: object) -> BackupSettings:
    return BackupSettings.model_validate({"kind": "sqlite", "repository": "/copies", **more})


TWO: Any = {"also": [{"name": "usb disk", "repository": "/usb"}]}


async def ran(records: BackupRecords, told: list[float] | None = None, **more: object) -> RunReport:
    return await run_backup(
        "photos", settings(**more), records, progress=lambda share, _: (told if told is not None else []).append(share)
    )


def last(records: BackupRecords, destination: str = "") -> Run:
    found = records.last_run("photos", destination)
    assert found is not None
    return found


async def test_it_copies_checks_prunes_and_looks_and_enters_all_of_it(script: Script, records: BackupRecords) -> None:
    report = await ran(records, verify="data")

    assert [phase for phase, _ in script.done] == ["copy", "verify", "prune", "look"]
    assert report.ok
    assert report.spoken == "The photos backup is done, and checked: 2 megabytes, three new files."
    entry = last(records)
    assert entry.ok
    assert entry.record["copy"]["size"] == 2_000_000
    verify = entry.record["verify"]
    assert (verify["level"], verify["share"], verify["ok"]) == ("data", 1.0, True)
    assert entry.record["prune"] == {"ran": True, "ok": True, "removed": 2, "freed": None}
    assert set(entry.record["phases"]) == {"copy", "verify", "prune", "look"}
    assert (entry.record["fault"], entry.record["destination"]) == (None, "/copies")
    look = records.look("photos", "")
    assert look is not None
    assert look.found is not None


async def test_where_nothing_is_to_be_verified_it_is_not(script: Script, records: BackupRecords) -> None:
    report = await ran(records, verify="none")

    assert [phase for phase, _ in script.done] == ["copy", "prune", "look"]
    assert report.spoken == "The photos backup is done: 2 megabytes, three new files."
    assert last(records).record["verify"] is None


async def test_progress_only_grows_over_all_phases_and_places(script: Script, records: BackupRecords) -> None:
    told: list[float] = []
    await ran(records, told, verify="none", **TWO)

    copies = [share for share in told if share < 0.9]
    assert min(told) >= 0.0
    assert max(told) <= 1.0
    assert 0.2 in copies  # half of the first copy


async def test_a_copy_that_fails_is_neither_checked_nor_pruned_and_is_looked_at(
    script: Script, records: BackupRecords
) -> None:
    script.wrong["copy", "main"] = BackupError(Fault.WRONG_PASSWORD, "the password is wrong")
    report = await ran(records)

    assert [phase for phase, _ in script.done] == ["copy", "look"]
    assert not report.ok
    assert report.spoken == "The photos backup failed: the password is wrong."
    entry = last(records)
    assert (entry.ok, entry.record["fault"], entry.record["reason"]) == (
        False, "wrong_password", "the password is wrong",
    )  # fmt: skip
    assert entry.record["prune"] == {"ran": False}


@pytest.mark.parametrize(
    "phase, said", [("verify", "The check failed: a pack is damaged."), ("prune", "Old backups could not be removed:")]
)
async def test_a_check_or_prune_that_fails_does_not_undo_the_copy(
    script: Script, records: BackupRecords, phase: str, said: str
) -> None:
    script.wrong[phase, "main"] = BackupError(Fault.DAMAGED, "a pack is damaged")
    report = await ran(records)

    assert [one for one, _ in script.done] == ["copy", "verify", "prune", "look"]
    assert not report.ok
    assert said in report.spoken
    entry = last(records)
    assert entry.ok
    assert (entry.record[phase]["ok"], entry.record[phase]["fault"]) == (False, "damaged")


async def test_every_destination_has_its_turn_whatever_became_of_the_one_before(
    script: Script, records: BackupRecords
) -> None:
    script.wrong["copy", "main"] = BackupError(Fault.UNREACHABLE, "the server cannot be reached")
    report = await ran(records, verify="none", **TWO)

    assert script.done == [
        ("copy", "main"), ("copy", "usb disk"), ("prune", "usb disk"), ("look", "main"), ("look", "usb disk"),
    ]  # fmt: skip
    assert (last(records).ok, last(records, "usb disk").ok) == (False, True)
    assert report.spoken == (
        "The photos backup was made at one of two places. The main one failed: the server cannot be reached."
    )


async def test_files_that_could_not_be_read_are_said(script: Script, records: BackupRecords) -> None:
    script.unread = 2
    report = await ran(records)

    assert not report.ok
    assert report.spoken.endswith("Two files could not be read.")
    assert last(records).record["copy"]["unread"] == 2


async def test_a_copy_that_broke_off_is_none(script: Script, records: BackupRecords) -> None:
    script.complete = False
    report = await ran(records)

    assert report.spoken == "The photos backup failed: it broke off before all was copied."
    assert not last(records).ok


class Hooks:
    """Commands that leave lines in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "hooks"

    def line(self, text: str, code: int = 0) -> list[str]:
        return [sys.executable, "-c", f"open({str(self.file)!r}, 'a').write('{text} '); raise SystemExit({code})"]

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().split()


async def test_the_command_after_it_runs_when_the_copies_are_made_and_before_they_are_checked(
    script: Script, records: BackupRecords, tmp_path: Path
) -> None:
    hooks = Hooks(tmp_path)
    script.wrong["copy", "main"] = BackupError(Fault.DISK_FULL, "the disk is full")
    await ran(records, before=hooks.line("before"), after=hooks.line("after"))

    assert hooks.lines == ["before", "after"]
    assert last(records).record["hooks"]["after"]["ok"] is True


async def test_a_command_before_it_may_say_that_there_is_nothing_to_copy_now_and_that_is_no_failure(
    script: Script, records: BackupRecords, tmp_path: Path
) -> None:
    hooks = Hooks(tmp_path)
    report = await ran(records, before=hooks.line("before", code=75), after=hooks.line("after"))

    assert hooks.lines == ["before", "after"]
    assert script.done == []
    assert (report.ok, report.skipped) == (True, True)
    assert report.spoken == (
        "The photos backup was left out: the command before it says that there is nothing to copy now."
    )
    assert records.last_run("photos") is None


async def test_of_a_run_that_was_left_out_it_is_said_when_the_command_after_it_failed(
    script: Script, records: BackupRecords, tmp_path: Path
) -> None:
    hooks = Hooks(tmp_path)
    report = await ran(records, before=hooks.line("before", code=75), after=hooks.line("after", code=2))

    assert not report.ok
    assert report.spoken.endswith("The command after it failed: it ended with code 2.")


async def test_only_the_command_before_it_can_say_that(script: Script, records: BackupRecords, tmp_path: Path) -> None:
    report = await ran(records, after=Hooks(tmp_path).line("after", code=75))

    assert (report.ok, report.skipped) == (False, False)
    assert last(records).ok


async def test_where_the_command_before_it_fails_nothing_is_copied_and_the_one_after_it_runs(
    script: Script, records: BackupRecords, tmp_path: Path
) -> None:
    hooks = Hooks(tmp_path)
    report = await ran(records, before=hooks.line("before", 3), after=hooks.line("after"))

    assert script.done == []
    assert hooks.lines == ["before", "after"]
    assert report.spoken == "The photos backup failed: the command before it failed: it ended with code 3."
    assert not last(records).ok


async def test_a_command_after_it_that_fails_is_said(script: Script, records: BackupRecords, tmp_path: Path) -> None:
    report = await ran(records, after=["/nonexistent/resume"])

    assert not report.ok
    assert report.spoken.endswith("The command after it failed: resume is not installed.")
    assert last(records).ok


@pytest.mark.parametrize("phase", ["copy", "verify", "prune", "look"])
async def test_a_run_that_is_cancelled_ends_what_it_paused_and_is_entered(
    script: Script, records: BackupRecords, tmp_path: Path, phase: str
) -> None:
    hooks = Hooks(tmp_path)
    script.hang = phase
    task = asyncio.create_task(ran(records, after=hooks.line("after")))
    await script.hangs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert hooks.lines == ["after"]
    entry = last(records)
    assert entry.ok is (phase != "copy")
    assert entry.record["fault"] == ("cancelled" if phase == "copy" else None)


async def test_a_run_that_takes_too_long_is_ended_and_entered(script: Script, records: BackupRecords) -> None:
    script.hang = "copy"
    report = await ran(records, run_timeout_h=0.00003)

    assert not report.ok
    assert last(records).record["fault"] == "timed_out"


async def test_a_repository_that_another_program_has_locked_is_waited_for(
    script: Script, records: BackupRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOCK_RETRY_S", 0.0)
    script.wrong["copy", "main"] = BackupError(Fault.LOCKED, "another program has locked it")
    script.times["copy", "main"] = 2
    report = await run_backup("photos", settings(), records, progress=lambda *_: None, lock_wait_s=60.0)

    assert report.ok
    assert [phase for phase, _ in script.done].count("copy") == 3


async def test_and_without_the_time_for_it_that_is_what_went_wrong(script: Script, records: BackupRecords) -> None:
    script.wrong["copy", "main"] = BackupError(Fault.LOCKED, "another program has locked it")
    await ran(records)

    assert last(records).record["fault"] == "locked"


async def test_a_job_that_is_made_elsewhere_is_not_run_and_not_entered_as_one_that_failed(
    records: BackupRecords,
) -> None:
    job = BackupSettings(kind="report")
    report = await run_backup("usb disk", job, records, progress=lambda *_: None)

    assert (report.ok, report.spoken) == (
        False, "I can't run the usb disk backup: it is made elsewhere, and only checks in here.",
    )  # fmt: skip
    assert records.last_run("usb disk") is None

"""Backups and restore tests as jobs: which ones, in which order, one at a time per repository."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from tools.backups.kinds.target import targets
from tools.backups.port import Fault
from tools.backups.records import BackupRecords
from tools.backups.run import run_backup
from tools.backups.run_sayings import CHECKS_IN, said_of_all
from tools.contract import JsonObject
from tools.jobs.locks import locked
from tools.jobs.sayings import EVERYTHING
from tools.jobs.work import Lost, Outcome, Work
from tools.restore_tests.testing import test_restore
from tools.settings import BackupSettings
from tools.wording import counted, number, sentence

LOCK_WAIT_S = 900.0
"""How long a repository that another program has locked is tried again: a prune of a large one."""

One = Callable[[str, BackupSettings, Callable[[float, str], None]], Awaitable[tuple[bool, str, JsonObject]]]
"""What is done with one job: name, settings, progress → well, said, record."""


async def run_backups(work: Work) -> Outcome:
    """One backup, or all of them in the order of the configuration. Raises StoreError."""
    records = BackupRecords(work.store)
    skipped: list[str] = []

    async def one(
        name: str, settings: BackupSettings, progress: Callable[[float, str], None]
    ) -> tuple[bool, str, JsonObject]:
        report = await run_backup(name, settings, records, progress=progress, lock_wait_s=LOCK_WAIT_S)
        if report.skipped:
            skipped.append(name)
        return report.ok, report.spoken, report.record

    return await _each(work, one, lambda ended: said_of_all(ended, skipped))


async def test_restores(work: Work) -> Outcome:
    """One restore test, or one of every job. Raises StoreError, OSError."""
    records = BackupRecords(work.store)
    parent = work.settings.restore_scratch or work.state_dir
    await asyncio.to_thread(parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    room = int(work.settings.restore_scratch_max_gb * 1e9)

    asked = work.job.arguments

    async def one(
        name: str, settings: BackupSettings, progress: Callable[[float, str], None]
    ) -> tuple[bool, str, JsonObject]:
        place = next((one for one in targets(settings) if one.name == asked.get("place")), None)
        report = await test_restore(
            name, settings, records, parent, seed=secrets.randbits(31), max_bytes=room, progress=progress,
            whole=bool(asked.get("whole")), target=place, exercise=str(asked.get("exercise", "")),
        )  # fmt: skip
        return report.ok, report.spoken, report.record

    return await _each(work, one, _said_of_tests)


test_restores.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's


def run_was_lost(lost: Lost) -> None:
    """A run whose process was killed is one that failed, for the verdict: whatever it copied was not finished.

    Raises StoreError.
    """
    name, since = lost.job.result.get("under_way"), lost.job.result.get("since")
    settings = lost.settings.backups.get(str(name))
    if settings is None or not isinstance(since, int | float):
        return
    records = BackupRecords(lost.store)
    for target in targets(settings):
        last = records.last_run(str(name), target.name)
        if last is not None and last.at >= since:
            continue  # it had got as far as its records
        record: JsonObject = {
            "job": name, "kind": settings.kind, "destination": target.shown, "at": since,
            "fault": Fault.FAILED.value, "reason": "it broke off before it was done",
        }  # fmt: skip
        records.add_run(str(name), target.name, settings.kind, at=since, ended=lost.now, ok=False, record=record)


async def _each(work: Work, one: One, said: Callable[[list[tuple[str, bool, str]]], str]) -> Outcome:
    names = _names(work)
    ended: list[tuple[str, bool, str]] = []
    done: list[JsonObject] = []
    for at, name in enumerate(names):
        settings = work.settings.backups.get(name)
        if settings is None:
            return Outcome(False, f"There is no backup called {name}.", "unknown job")
        report = _part(work, name if len(names) > 1 else "", at, len(names))
        report(-1.0, "waiting")
        async with locked(work.state_dir, places(name, settings), partial(report, -1.0, "waiting for another job")):
            await work.note({"under_way": name, "since": time.time(), "done": done})
            well, spoken, record = await one(name, settings, report)
        ended.append((name, well, spoken))
        done.append({"job": name, "ok": well, "spoken": spoken})
        await work.note({"done": done})
        if len(names) == 1:
            return Outcome(well, spoken, "" if well else "see the record", {"done": done, "record": record})
    return Outcome(all(well for _, well, _ in ended), said(ended), "", {"done": done})


def _names(work: Work) -> list[str]:
    """What only checks in cannot be run from here; of everything it is left out."""
    if work.job.subject != EVERYTHING:
        return [work.job.subject]
    return [name for name, settings in work.settings.backups.items() if settings.kind not in CHECKS_IN]


def _part(work: Work, name: str, at: int, of: int) -> Callable[[float, str], None]:
    """The progress of one job as that of all of them. One whose share nobody knows counts as not begun."""

    def told(share: float, doing: str) -> None:
        whole = share if of == 1 else (at + max(share, 0.0)) / of
        work.report(whole, f"{name}: {doing}" if name else doing)

    return told


def places(name: str, settings: BackupSettings) -> Iterable[str]:
    """What a job locks: its destinations, a folder by its real path; itself, where it has none."""
    for target in targets(settings):
        yield str(target.folder.resolve()) if target.folder is not None else target.repository or f"job {name}"


def _said_of_tests(ended: list[tuple[str, bool, str]]) -> str:
    wrong = [said for _, well, said in ended if not well]
    if not ended:
        return "There is no backup to test."
    if not wrong:
        return sentence(f"{number(len(ended))} of {counted(len(ended), 'backup')} can be restored")
    first = sentence(f"{number(len(ended) - len(wrong))} of {counted(len(ended), 'backup')} can be restored")
    more = " " + sentence(f"{counted(len(wrong) - 2, 'other')} had trouble") if len(wrong) > 2 else ""
    return f"{first} {' '.join(wrong[:2])}{more}"

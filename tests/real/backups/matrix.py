"""Every kind of backup × every fault, made for real: does the verdict say what the truth table says?

``python -m tests.real.backups.matrix [KIND …]`` makes each fault with the real program (``make fault-matrix``) and
prints a table; the exit code is 1 when a cell is not as it has to be. Faults of age, size, clock and records need no
program that fails: they are made of what is remembered about a real backup.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Literal, cast, get_args

from tests.real.backups.ground import GROUNDS, Ground, Seed
from tools.backups.examining import examine, examined
from tools.backups.port import Found
from tools.backups.records import BackupRecords
from tools.backups.run import run_backup
from tools.backups.verdict import Cause, Verdict
from tools.restore_tests.testing import test_restore
from tools.settings import BackupSettings
from tools.store import Store

JOB = "it"
MAX_BYTES = 2_000_000_000
DAY_S = 86_400.0

Remembered = Literal["too_old", "tiny", "huge", "clock_in_future", "record_missing", "test_overdue", "test_failed"]
Fault = Literal["none"] | Seed | Remembered
Act = Literal["look", "run", "restore"]

NOT_RESTORED_HERE = frozenset({"report"})
"""Grounds of which nothing can be restored here: the best that they can be is unverified."""


@dataclass(frozen=True)
class Expected:
    """What has to come of a fault: the acts after which it shows, the verdict, and the causes that may be named."""

    acts: tuple[Act, ...]
    verdict: Verdict
    causes: frozenset[Cause]


def _expected(acts: Sequence[Act], verdict: Verdict, *causes: Cause) -> Expected:
    return Expected(tuple(acts), verdict, frozenset(causes))


_FAILED_CAUSES = (Cause.BROKEN, Cause.RUN_FAILED, Cause.RESTORE_TEST_FAILED, Cause.CHECK_FAILED, Cause.NEVER_RUN)

EXPECTED: dict[Fault, Expected] = {
    "none": _expected(["look"], Verdict.OK, Cause.PROVEN),
    "wrong_password": _expected(["look", "run"], Verdict.FAILED, Cause.BROKEN, Cause.RUN_FAILED),
    "no_repository": _expected(["look"], Verdict.FAILED, Cause.BROKEN, Cause.NEVER_RUN),
    "not_mounted": _expected(["look"], Verdict.UNKNOWN, Cause.UNREADABLE),
    "locked": _expected(["run", "look"], Verdict.UNKNOWN, Cause.RUN_BLOCKED, Cause.UNREADABLE),
    "damaged": _expected(["look", "restore"], Verdict.FAILED, *_FAILED_CAUSES),
    "truncated": _expected(["look", "restore"], Verdict.FAILED, *_FAILED_CAUSES, Cause.NEVER_COMPLETE),
    "source_missing": _expected(["run", "look"], Verdict.FAILED, Cause.SOURCE_MISSING, Cause.RUN_FAILED),
    "sources_unread": _expected(["run", "look"], Verdict.UNVERIFIED, Cause.PARTIAL),
    "prune_failed": _expected(["run", "look"], Verdict.UNVERIFIED, Cause.PRUNE_FAILED),
    "disk_full": _expected(["run", "look"], Verdict.FAILED, Cause.RUN_FAILED),
    "too_old": _expected(["look"], Verdict.STALE, Cause.TOO_OLD),
    "tiny": _expected([], Verdict.UNVERIFIED, Cause.TINY),
    "huge": _expected([], Verdict.UNVERIFIED, Cause.HUGE),
    "clock_in_future": _expected([], Verdict.UNKNOWN, Cause.CLOCK_IN_FUTURE),
    "record_missing": _expected([], Verdict.UNKNOWN, Cause.NEVER_LOOKED),
    "test_overdue": _expected(["look"], Verdict.UNVERIFIED, Cause.RESTORE_TEST_OVERDUE),
    "test_failed": _expected(["look"], Verdict.FAILED, Cause.RESTORE_TEST_FAILED),
}
"""The truth table's rows, as a house would meet them."""


@dataclass(frozen=True)
class Cell:
    """One kind with one fault. ``cannot``: why the kind cannot have it; then nothing was tried."""

    ground: str
    fault: Fault
    verdict: Verdict | None = None
    cause: Cause | None = None
    cannot: str = ""

    @property
    def expected(self) -> Expected:
        """Of this cell: a kind of which nothing can be restored here is never better than unverified."""
        expected = EXPECTED[self.fault]
        if self.ground in NOT_RESTORED_HERE and self.fault == "none":
            return replace(
                expected, verdict=Verdict.UNVERIFIED, causes=frozenset({Cause.CANNOT_BE_RESTORED_HERE, Cause.WARNED})
            )
        return expected

    @property
    def right(self) -> bool:
        """Whether it is as it has to be."""
        return bool(self.cannot) or (self.verdict is self.expected.verdict and self.cause in self.expected.causes)


@asynccontextmanager
async def prepared(name: str, folder: Path) -> AsyncIterator[Ground]:
    """The ground of that name with its one good backup."""
    module = import_module(f"tests.real.backups.ground_{name}")
    await asyncio.to_thread(folder.mkdir, parents=True)
    ground = cast(Callable[[Path], Ground], module.TheGround)(folder)
    try:
        await ground.prepare()
        yield ground
    finally:
        await ground.close()


async def cell(name: str, fault: Fault, folder: Path) -> Cell:
    """Make the fault in a house of its own and judge."""
    async with prepared(name, folder / "ground") as ground:
        if (cannot := ground.cannot.get(cast(Seed, fault))) is not None:
            return Cell(name, fault, cannot=cannot)
        if name in NOT_RESTORED_HERE and fault in ("test_overdue", "test_failed"):
            return Cell(name, fault, cannot="nothing of it can be restored here")
        with Store(folder / "state" / "jarvis.db") as store:
            return await _judged(name, fault, ground, BackupRecords(store), folder / "state")


async def _judged(name: str, fault: Fault, ground: Ground, records: BackupRecords, state: Path) -> Cell:
    await _proven(name, fault, ground.settings, records, state)
    if fault in get_args(Seed):
        await ground.seeds[cast(Seed, fault)]()
    for act in EXPECTED[fault].acts:
        await _ACTS[act](name, ground.settings, records, state)
    settings = _remembered(fault, ground.settings, records)
    found = await asyncio.to_thread(examined, JOB, settings, records, time.time())
    said = found.judged.judgement
    return Cell(name, fault, said.verdict, said.cause)


async def _proven(name: str, fault: Fault, settings: BackupSettings, records: BackupRecords, state: Path) -> None:
    """A good look and a good restore test stand before every fault; where none of it goes wrong, a real test."""
    if fault == "record_missing":
        return
    await examine(JOB, settings, records, look_age_s=0.0)
    if name in NOT_RESTORED_HERE:
        return
    if fault == "none":
        await _restore(name, settings, records, state)
    else:
        at = time.time() - (400 * DAY_S if fault == "test_overdue" else 1.0)
        _enter_test(settings, records, at, ok=True)


def _enter_test(settings: BackupSettings, records: BackupRecords, at: float, *, ok: bool) -> None:
    record = {
        "sample_n": 3,
        "coverage_pct": 100.0,
        "mismatches": 0,
        "first_error": None if ok else "it came back empty",
    }
    records.add_restore_test(JOB, settings.kind, at, ok=ok, ran=True, record={**record, "level": "restored"})


def _remembered(fault: Fault, settings: BackupSettings, records: BackupRecords) -> BackupSettings:
    """What is remembered, changed to the fault; the settings with which it is judged."""
    now = time.time()
    kept = records.look(JOB)
    copies = kept.found.copies if kept is not None and kept.found is not None else ()
    if fault == "too_old":
        return settings.model_copy(update={"max_age_h": 1e-7})
    if fault == "test_failed":
        _enter_test(settings, records, now, ok=False)
    if fault == "clock_in_future" and copies:
        ahead = replace(copies[-1], at=now + DAY_S)
        records.keep_look(JOB, "", now, Found(copies=(*copies[:-1], ahead)), None)
    if fault in ("tiny", "huge") and copies:
        usual = 10**9
        before = tuple(
            replace(copies[-1], id=f"earlier-{n}", at=copies[-1].at - n * DAY_S, size=usual, files=10_000)
            for n in range(5, 0, -1)
        )
        size = usual // 1000 if fault == "tiny" else usual * 1000
        newest = replace(copies[-1], size=size, files=10 if fault == "tiny" else 10**7)
        records.keep_look(JOB, "", now, Found(copies=(*before, newest)), None)
    return settings


async def _look(_: str, settings: BackupSettings, records: BackupRecords, __: Path) -> None:
    await examine(JOB, settings, records, look_age_s=0.0)


async def _run(_: str, settings: BackupSettings, records: BackupRecords, __: Path) -> None:
    await run_backup(JOB, settings, records, progress=lambda _share, _doing: None)


async def _restore(name: str, settings: BackupSettings, records: BackupRecords, state: Path) -> None:
    if name in NOT_RESTORED_HERE:
        return
    await test_restore(
        JOB, settings, records, state, seed=1, max_bytes=MAX_BYTES, progress=lambda _share, _doing: None, whole=True
    )


_ACTS: dict[Act, Callable[[str, BackupSettings, BackupRecords, Path], Awaitable[None]]] = {
    "look": _look,
    "run": _run,
    "restore": _restore,
}


async def row(name: str, faults: Iterable[Fault] = tuple(EXPECTED)) -> list[Cell]:
    """All faults of one kind, each in a house of its own."""
    cells = []
    for fault in faults:
        with tempfile.TemporaryDirectory(prefix="matrix-", ignore_cleanup_errors=True) as folder:
            cells.append(await cell(name, fault, Path(folder)))
    return cells


def table(cells: Sequence[Cell]) -> str:
    """Faults down, kinds across: the verdict, ``–`` where a kind cannot have the fault, ``!`` where it is not as it
    has to be; below it what that is."""
    grounds = list(dict.fromkeys(one.ground for one in cells))
    known = {(one.ground, one.fault): one for one in cells}
    width = max(len(name) for name in (*grounds, *Verdict)) + 1
    lines = [" " * 17 + "".join(name.ljust(width) for name in grounds)]
    for fault in dict.fromkeys(one.fault for one in cells):
        shown = (_shown(known.get((name, fault))) for name in grounds)
        lines.append(fault.ljust(17) + "".join(text.ljust(width) for text in shown))
    wrong = [
        f"! {one.ground}, {one.fault}: {one.verdict} ({one.cause}), expected {one.expected.verdict} "
        f"({', '.join(sorted(one.expected.causes))})"
        for one in cells
        if not one.right
    ]
    tried = [one for one in cells if not one.cannot]
    right = sum(one.right for one in tried)
    return "\n".join([*lines, "", *wrong, f"{right} of {len(tried)} as they have to be; – a kind cannot have."])


def _shown(one: Cell | None) -> str:
    if one is None or one.cannot:
        return "–"
    return f"{one.verdict}{'' if one.right else '!'}"


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.backups.matrix", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=GROUNDS, metavar="KIND", help=", ".join(GROUNDS))
    parser.add_argument("--reasons", action="store_true", help="also say why a kind cannot have a fault")
    options = parser.parse_args()
    cells: list[Cell] = []
    for name in options.kinds:
        sys.stderr.write(f"{name} …\n")
        cells += asyncio.run(row(name))
    sys.stdout.write(table(cells) + "\n")
    if options.reasons:
        sys.stdout.writelines(f"– {one.ground}, {one.fault}: {one.cannot}\n" for one in cells if one.cannot)
    return 0 if all(one.right for one in cells) else 1


if __name__ == "__main__":
    sys.exit(main())

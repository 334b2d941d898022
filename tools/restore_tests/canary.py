"""The canary: a backup that is broken on purpose. Its restore test has to fail, or the tester is broken.

A small real backup is made in scratch with the kind's own program. Its restore test has to pass; then one byte of it is
flipped, and the test has to fail. What came of it is entered into the ledger; ``trust.py`` reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.backups.kinds import make
from tools.backups.kinds.target import not_run
from tools.backups.port import BackupError, Fault, Progress
from tools.backups.records import BackupRecords
from tools.contract import JsonObject
from tools.program import ProgramError, run
from tools.restore_tests.comparing import CLOCK_STEP_S
from tools.restore_tests.scratch import ScratchError, in_loop, scratch_folder
from tools.restore_tests.testing import TestReport, test_restore
from tools.restore_tests.trust import BROKEN, canary_job, due_families
from tools.settings import BackupSettings
from tools.store import Store
from tools.wording import sentence

EVERY_S = 7 * 86_400.0
MAX_BYTES = 50_000_000
TIMEOUT_S = 120.0
FILE_BYTES = 300_000
"""Of its largest file: more than any program's smallest piece."""

ROWS = 2_000
"""Of its database: several pages of SQLite."""

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """``broken``: the tester cannot be believed; ``made``: False where there was no test (a program is missing)."""

    broken: bool
    made: bool
    spoken: str
    record: JsonObject


class Tester(Protocol):
    """As ``test_restore``."""

    async def __call__(
        self,
        job: str,
        settings: BackupSettings,
        records: BackupRecords,
        scratch_parent: Path,
        *,
        seed: int,
        max_bytes: int,
        progress: Progress,
    ) -> TestReport: ...


def due_canaries(records: BackupRecords, kinds: Iterable[str], *, again: bool = False) -> list[str]:
    """The families of these kinds whose canary is to be tested, ``again``: all of them. Raises StoreError."""
    return due_families(records, kinds, time.time(), after_s=0.0 if again else EVERY_S)


async def prove_tester(
    records: BackupRecords, kinds: Iterable[str], scratch_parent: Path, *, progress: Progress, again: bool = False
) -> list[CanaryReport]:
    """The canaries of these kinds that are due, one after another. Raises StoreError."""
    due = await asyncio.to_thread(due_canaries, records, kinds, again=again)
    return [await canary(one, records, scratch_parent, progress=progress) for one in due]


async def canary(
    family: str, records: BackupRecords, scratch_parent: Path, *, progress: Progress, tester: Tester | None = None
) -> CanaryReport:
    """Test the tester with a backup of this family (``trust.FAMILIES``), and enter what came of it.

    Raises StoreError; cancelled, it cleans up and enters nothing.
    """
    at = time.time()
    wrong, why_not, reported = "", "", ""
    try:
        async with in_loop(scratch_folder(scratch_parent, ())) as folder:
            with Store(folder / "canary.db") as own:
                bird = _Bird(family, folder, BackupRecords(own), tester or test_restore, progress)
                wrong, reported = await bird.fly()
    except BackupError as error:
        why_not = error.reason
    except (ScratchError, OSError, sqlite3.Error) as error:
        why_not = f"its scratch folder cannot be used: {error}"
    record: JsonObject = {
        "family": family,
        "reported": reported or None,
        "first_error": wrong or why_not or None,
        "duration_s": round(time.time() - at, 2),
    }
    ok, ran = not wrong and not why_not, not why_not
    await asyncio.to_thread(records.add_restore_test, canary_job(family), family, at, ok=ok, ran=ran, record=record)
    return CanaryReport(bool(wrong), ran, _say(wrong, why_not), {**record, "at": at, "ok": ok, "ran": ran})


@dataclass(slots=True)
class _Bird:
    """A backup, well and then broken, below ``folder``."""

    family: str
    folder: Path
    records: BackupRecords
    tester: Tester
    progress: Progress

    async def fly(self) -> tuple[str, str]:
        """What is wrong with the tester, empty for nothing, and what it found in the broken backup.

        Raises BackupError where there can be no test, OSError, sqlite3.Error.
        """
        settings = await self._made()
        await asyncio.sleep(2 * CLOCK_STEP_S)  # so that the sources are older than the copy, and are compared
        await make(settings).back_up(lambda _share, _doing: None)
        well = await self._tested("well", settings)
        if not well.ran:
            raise BackupError(Fault.FAILED, str(well.record.get("first_error")))
        if not well.ok:
            return f"it fails a backup that is good: {well.record.get('first_error')}", ""
        await asyncio.to_thread(self._flip)
        broken = await self._tested("broken", settings)
        if broken.ok or not broken.ran:
            return "a backup with a flipped byte passes it", ""
        return "", str(broken.record.get("first_error"))

    async def _tested(self, job: str, settings: BackupSettings) -> TestReport:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        return await self.tester(
            job, settings, self.records, state, seed=1, max_bytes=MAX_BYTES, progress=self.progress
        )

    async def _made(self) -> BackupSettings:
        source, place = self.folder / "source", self.folder / "place"
        await asyncio.to_thread(self._fill, source, place)
        password = self.folder / "password"
        settings = BackupSettings(
            kind=self.family,
            repository=str(place),
            password_file=password if self.family == "restic" else None,
            paths=(str(source / "canary.db" if self.family == "sqlite" else source),),
            run_timeout_h=TIMEOUT_S / 3600,
        )
        if self.family == "restic":
            environment = {"RESTIC_REPOSITORY": str(place), "RESTIC_PASSWORD_FILE": str(password)}
            await _done(["restic", "--quiet", "init"], environment)
        return settings

    def _fill(self, source: Path, place: Path) -> None:
        source.mkdir()
        place.mkdir()
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24), encoding="ascii")
        if self.family == "sqlite":
            with contextlib.closing(sqlite3.connect(source / "canary.db")) as db, db:
                db.execute("CREATE TABLE seeds (number INTEGER PRIMARY KEY, word TEXT NOT NULL)")
                db.executemany("INSERT INTO seeds (word) VALUES (?)", [(f"seed {n}",) for n in range(ROWS)])
            return
        (source / "small.txt").write_text("a canary\n", encoding="ascii")
        (source / "large.bin").write_bytes(random.Random(1).randbytes(FILE_BYTES))  # noqa: S311 - content

    def _flip(self) -> None:
        """One byte of the largest file of the backup; its times stay, as with a disk that rots."""
        files = [path for path in (self.folder / "place").rglob("*") if path.is_file() and not path.is_symlink()]
        path = max(files, key=lambda one: one.stat().st_size)
        before = path.stat()
        path.chmod(0o600)
        with path.open("r+b") as file:
            start = file.read(100)
            # Of a database the type of its second page: what stands in a row may be anything.
            page = int.from_bytes(start[16:18], "big")
            offset = (65_536 if page == 1 else page) if start.startswith(_SQLITE) else before.st_size // 2
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 0xFF]))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


async def _done(argv: Sequence[str], environment: dict[str, str]) -> None:
    try:
        ended = await run(argv, timeout_s=TIMEOUT_S, environment=environment, quiet=True)
    except ProgramError as error:
        raise not_run(error) from error
    if ended.code:
        raise BackupError(Fault.FAILED, f"{argv[0]} failed with exit code {ended.code}")


def _say(wrong: str, why_not: str) -> str:
    if why_not:
        return f"I could not test the restore tester: {why_not}."
    if wrong:
        return f"{sentence(BROKEN)} {sentence(wrong)} No restore test can be believed until that is mended."
    return "The restore tester finds what is broken."

"""Kind ``sqlite``: dated copies of one database file, made by SQLite's online backup while it is used.

``paths`` names the database; the folder of the copies is the repository. See ``dumps.py`` for their names.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds import sqlite_file
from tools.backups.kinds.dump_files import Dump, check_whole, os_fault
from tools.backups.kinds.dumps import DumpFolder, some_tables
from tools.backups.kinds.sqlite_file import Checked
from tools.backups.kinds.target import Target
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Proof, Pruned, Verified
from tools.settings import BackupSettings

SUFFIXES = (".sqlite", ".sqlite3", ".db")
WAIT_S = 10.0
"""For somebody who is writing to the database; SQLite's own tools wait as long or not at all."""


class Sqlite:
    """See ``port.Kind``; proven by SQLite itself."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown
        self._settings = settings
        name = Path(settings.paths[0]).stem if settings.paths else None
        self._folder = DumpFolder(settings, target, name=name, suffixes=SUFFIXES, ends=_ends)
        self._run_s = settings.run_timeout_h * 3600.0

    async def look(self) -> Found:
        """The copies in the folder. Raises BackupError truncated where the newest is cut off."""
        return await self._folder.look()

    async def back_up(self, progress: Progress) -> Copy:
        """Raises BackupError locked where another program keeps the database to itself."""
        source = await asyncio.to_thread(self._source)
        part = await self._folder.begin(SUFFIXES[0])
        began = time.time()
        loop = asyncio.get_running_loop()

        def told(share: float) -> None:
            loop.call_soon_threadsafe(progress, share, "copying the database")

        def work(stop: threading.Event) -> dict[str, object]:
            try:
                os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                return sqlite_file.back_up(source, part, min(WAIT_S, self._settings.timeout_s), stop, told)
            except OSError as error:
                raise os_fault(error, "the copy cannot be written") from error

        try:
            held = await sqlite_file.in_thread(work, self._run_s)
            manifest = {"kind": self.kind, "at": began, "paths": [str(source)], **held}
            return await self._folder.finish(part, manifest)
        except BackupError as error:
            if error.fault is Fault.DAMAGED:  # of the source: there is no copy yet
                raise BackupError(Fault.FAILED, "the database itself is damaged, so no copy was made") from error
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(_remove, part))

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest copy: its head and size; or its hash and SQLite's own check of all of it."""
        dump = await self._folder.newest()
        progress(-1.0, "checking the newest copy")
        if dump.cut_off:
            raise BackupError(Fault.TRUNCATED, f"the copy {dump.path.name} is cut off")
        await asyncio.to_thread(sqlite_file.check_header, dump.path)
        if level == "metadata":
            return Verified(level="metadata")
        await check_whole(dump)
        found = await sqlite_file.in_thread(lambda stop: sqlite_file.check(dump.path, stop), self._run_s)
        if found.problems:
            raise BackupError(Fault.DAMAGED, "SQLite finds the copy damaged")
        return await self._folder.verified("data", dump)

    async def prune(self, progress: Progress) -> Pruned:
        """The copies that no rule keeps, of those that were made from here."""
        progress(-1.0, "removing old copies")
        return await self._folder.prune()

    async def size(self, copy: Copy) -> int:
        """That of the copy."""
        return (await self._folder.of(copy)).size

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Copied into scratch, and there checked by SQLite, counted, and compared with what was counted in the source
        when the copy was made. Raises BackupError damaged, truncated."""
        dump = await self._folder.of(copy)
        progress(0.0, "checking the copy's bytes")
        await check_whole(dump)
        progress(0.3, "checking the database")

        def work(stop: threading.Event) -> Checked:
            restored = scratch / dump.path.name
            try:
                sqlite_file.copy(dump.path, restored, stop)
            except OSError as error:
                raise os_fault(error, "the copy cannot be restored") from error
            return sqlite_file.check(restored, stop)

        return _proof(await sqlite_file.in_thread(work, self._run_s), dump)

    def _source(self) -> Path:
        if len(self._settings.paths) != 1:
            raise BackupError(Fault.NOT_CONFIGURED, "paths has to name the one database file")
        source = Path(self._settings.paths[0])
        if not source.is_file():
            raise BackupError(Fault.SOURCE_MISSING, f"{source} is not there")
        if not os.access(source, os.R_OK):
            raise BackupError(Fault.DENIED, f"{source} may not be read")
        return source


def _proof(found: Checked, dump: Dump) -> Proof:
    manifest: dict[str, Any] = dump.manifest or {}
    tables = manifest.get("tables")
    expected = {str(name): int(rows) for name, rows in tables.items()} if isinstance(tables, dict) else None
    wrong = list(found.problems)
    if expected is not None and not wrong:
        wrong += [f"the table {name} is missing" for name in sorted(expected.keys() - found.tables.keys())]
        wrong += [
            f"the table {name} has {found.tables[name]:,} rows instead of {expected[name]:,}"
            for name in sorted(expected.keys() & found.tables.keys())
            if found.tables[name] != expected[name]
        ]
    if found.orphans > int(manifest.get("orphans", found.orphans)):  # the source may have had some itself
        wrong.append(f"{found.orphans:,} rows lack what they refer to")
    rows = sum(found.tables.values())
    compared = "" if expected is not None else ", with nothing to compare them to"
    return Proof(
        checked=len(found.tables),
        of=len(expected if expected is not None else found.tables),
        mismatches=tuple(wrong),
        said=f"{some_tables(len(found.tables))} with {rows:,} rows{compared}",
        evidence={"tables": dict(found.tables), "orphans": found.orphans, "compared": expected is not None},
    )


def _ends(file: Path) -> bool | None:
    """Whether a copy that somebody else made has all its pages."""
    try:
        sqlite_file.check_header(file)
    except BackupError as error:
        return False if error.fault is Fault.TRUNCATED else None
    return True


def _remove(part: Path) -> None:
    for left in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
        left.unlink(missing_ok=True)

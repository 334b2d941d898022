"""Dumps of a MariaDB or MySQL database: made by mariadb-dump, proven by loading them into a server of our own.

One transaction reads the whole dump (InnoDB). Another connection cannot join it as PostgreSQL's can, so rows are
counted before and after: the manifest has both numbers of each table, and the restored one has to lie between them.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds.dump_files import Dump, check_whole, os_fault, tail
from tools.backups.kinds.dumps import DumpFolder, some_tables
from tools.backups.kinds.mariadb_client import COUNTING, Packing, client, connection, counted, program, refusal
from tools.backups.kinds.mariadb_server import SERVER_BYTES, throwaway_mariadb
from tools.backups.kinds.plain_sql import ends_with, unreadable
from tools.backups.kinds.target import Target, not_run
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Proof, Pruned, Verified
from tools.program import ProgramError, started
from tools.settings import BackupSettings, DatabaseSettings

SUFFIXES = (".sql", ".sql.gz")
DUMP_ENDS = b"-- Dump completed"
"""What mariadb-dump and mysqldump write last, unless told to write no comments."""

LOADED_PER_BYTE = 15
"""How much larger a loaded database is than its packed dump, from above."""


class MariaDbDump:
    """One database's dumps in one folder."""

    kind: ClassVar[str] = "mariadb-dump"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        name = settings.database.name if settings.database else None
        self._folder = DumpFolder(settings, target, name=name, suffixes=SUFFIXES, ends=_ends)
        self.destination = target.shown

    async def look(self) -> Found:
        return await self._folder.look()

    async def back_up(self, progress: Progress) -> Copy:
        """mariadb-dump, packed as it comes, with the rows counted before and after."""
        database = self._database()
        part = await self._folder.begin(".sql.gz")
        began = time.time()
        try:
            async with connection(database) as options:
                progress(-1, "counting its rows")
                before = await self._counts(options, database.name)
                progress(-1, "dumping the database")
                unpacked = await self._dump(part, options, database.name)
                progress(-1, "counting its rows again")
                after = await self._counts(options, database.name)
            manifest = {
                "kind": self.kind,
                "database": database.name,
                "at": began,
                "bytes": unpacked,
                "tables": {
                    table: sorted((before[table], after[table]))
                    for table in sorted(before.keys() & after.keys())
                    if not self._left_out(f"{database.name}.{table}")
                },
            }
            return await self._folder.finish(part, manifest)
        finally:
            await asyncio.shield(asyncio.to_thread(part.unlink, missing_ok=True))

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest dump: its size, or all of it unpacked, to its last line and against its hash."""
        dump = await self._folder.newest()
        progress(-1, "checking the newest dump")
        if dump.cut_off:
            raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
        if level == "data":
            await check_whole(dump)
        if level == "data" or dump.path.suffix != ".gz":
            await self._check_end(dump)
        return await self._folder.verified(level, dump)

    async def prune(self, progress: Progress) -> Pruned:
        progress(-1, "removing old dumps")
        return await self._folder.prune()

    async def size(self, copy: Copy) -> int:
        dump = await self._folder.of(copy)
        unpacked = (dump.manifest or {}).get("bytes")
        return SERVER_BYTES + (3 * unpacked if isinstance(unpacked, int) else LOADED_PER_BYTE * dump.size)

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Load it into an empty database of a throwaway server, and count the rows."""
        dump = await self._folder.of(copy)
        progress(0.0, "checking the dump's bytes")
        await check_whole(dump)
        await self._check_end(dump)
        manifest = dump.manifest or {}
        progress(0.1, "starting a throwaway MariaDB")
        async with throwaway_mariadb(scratch, self._timeout_s) as server:
            progress(0.2, "loading the dump")
            error = await server.load(dump.path)
            progress(0.9, "counting rows")
            counts = {} if error else await server.counts()
        return _proof(counts, manifest.get("tables"), error)

    async def _dump(self, part: Path, options: Path, database: str) -> int:
        """Write it, packed; the bytes that were packed. The unpacked dump never lies on a disk."""
        argv = [
            program("mariadb-dump", "mysqldump"), f"--defaults-extra-file={options}", "--single-transaction",
            "--quick", "--routines", "--triggers", "--events", "--hex-blob", "--default-character-set=utf8mb4",
            *self._settings.options, "--", database,
        ]  # fmt: skip
        try:
            packing = Packing(part)
            try:
                async with asyncio.timeout(self._timeout_s), started(argv, quiet=True) as dumping:
                    while block := await dumping.output.read(1 << 20):
                        await asyncio.to_thread(packing.write, block)
                    ended = await dumping.ended()
            finally:
                await asyncio.shield(asyncio.to_thread(packing.close))
        except TimeoutError as error:
            raise BackupError(Fault.TIMED_OUT, "the dump was not done in time") from error
        except OSError as error:
            raise os_fault(error, "the dump cannot be written") from error
        except ProgramError as error:
            raise not_run(error) from error
        if ended.code:
            raise refusal(ended.complaints, database)
        if not packing.last.rstrip().splitlines()[-1:] or DUMP_ENDS not in packing.last:
            raise BackupError(Fault.TRUNCATED, "mariadb-dump ended without having written all of it")
        return packing.unpacked

    def _left_out(self, table: str) -> bool:
        """By the job's options, as mariadb-dump takes them."""
        return any(
            option in {f"--ignore-table={table}", f"--ignore-table-data={table}"} for option in self._settings.options
        )

    async def _counts(self, options: Path, database: str) -> dict[str, int]:
        ended = await client(
            [f"--defaults-extra-file={options}"], COUNTING, timeout_s=self._timeout_s, database=database
        )
        if ended.code:
            raise refusal(ended.complaints, database)
        statements = ended.output.decode(errors="replace")
        ended = await client(
            [f"--defaults-extra-file={options}"], statements, timeout_s=self._timeout_s, database=database
        )
        if ended.code:
            raise refusal(ended.complaints, database)
        return counted(ended.output)

    async def _check_end(self, dump: Dump) -> None:
        try:
            if not await asyncio.to_thread(ends_with, dump.path, (DUMP_ENDS,)):
                raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(error, dump.path.name) from error

    def _database(self) -> DatabaseSettings:
        if self._settings.database is None:
            raise BackupError(Fault.NOT_CONFIGURED, "no database is configured for it")
        return self._settings.database

    @property
    def _timeout_s(self) -> float:
        return self._settings.run_timeout_h * 3600.0


def _ends(dump: Path) -> bool | None:
    return DUMP_ENDS in tail(dump) if dump.suffix == ".sql" else None


def _proof(counts: dict[str, int], expected: Any, error: str) -> Proof:
    """What was loaded against what was counted before and after the dump."""
    known = expected if isinstance(expected, Mapping) else None
    if error:
        return Proof(of=len(known or ()), mismatches=(error,))
    wrong = _differences(counts, known) if known is not None else ()
    if known is None and not counts:
        wrong = ("it holds no table",)
    said = f"{some_tables(len(counts))} with {sum(counts.values()):,} rows"
    return Proof(
        checked=len(counts),
        of=len(known) if known is not None else len(counts),
        mismatches=wrong,
        said=said + ("" if known is not None else ", without a manifest to compare"),
        evidence={"tables": counts, "compared": known is not None},
    )


def _differences(counts: Mapping[str, int], expected: Mapping[str, Any]) -> tuple[str, ...]:
    """Each table that is not as it was, in words. Raises BackupError nonsense for a manifest that is none."""
    wrong: list[str] = []
    try:
        for table, (least, most) in sorted(expected.items()):
            if table not in counts:
                wrong.append(f"the table {table} is missing")
            elif not int(least) <= counts[table] <= int(most):
                range_ = f"{least:,}" if least == most else f"{least:,} to {most:,}"
                wrong.append(f"the table {table} has {counts[table]:,} rows instead of {range_}")
    except (TypeError, ValueError) as error:
        raise BackupError(Fault.NONSENSE, "the dump's manifest cannot be read") from error
    return tuple(wrong)

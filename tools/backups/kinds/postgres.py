"""Dumps of a PostgreSQL database: made by pg_dump, proven by loading them into a server of our own.

Ours are in the custom format, with a manifest that has the rows of each table as pg_dump saw them. Plain dumps that
others made count as well, without one.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds.dump_files import Dump, check_whole, os_fault, tail
from tools.backups.kinds.dumps import DumpFolder, some_tables
from tools.backups.kinds.plain_sql import ends_with, unreadable
from tools.backups.kinds.postgres_client import connection, program, refusal, session
from tools.backups.kinds.postgres_server import CLUSTER_BYTES, ROLES, throwaway_postgres
from tools.backups.kinds.target import Target, not_run
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Proof, Pruned, Verified
from tools.program import ProgramError, run
from tools.settings import BackupSettings, DatabaseSettings

SUFFIXES = (".dump", ".pgdump", ".backup", ".sql", ".sql.gz")
PLAIN = (".sql", ".sql.gz")
DUMP_ENDS = (b"PostgreSQL database dump complete", b"PostgreSQL database cluster dump complete")
"""What pg_dump and pg_dumpall write last into a plain dump."""

LOADED_PER_BYTE = 12
"""How much larger a loaded database is than its packed dump, from above, where no manifest tells: text packs to a
quarter, and indexes are not dumped at all."""

_ROLES = "SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_';"


class PostgresDump:
    """One database's dumps in one folder."""

    kind: ClassVar[str] = "postgres-dump"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        name = settings.database.name if settings.database else None
        self._folder = DumpFolder(settings, target, name=name, suffixes=SUFFIXES, ends=_ends)
        self.destination = target.shown

    async def look(self) -> Found:
        return await self._folder.look()

    async def back_up(self, progress: Progress) -> Copy:
        """pg_dump in the snapshot in which the rows are counted, so that the counts are those of the dump."""
        database = self._database()
        part = await self._folder.begin(".dump")
        began = time.time()
        try:
            async with connection(database) as environment, session(environment) as reading:
                snapshot = await reading.one("SELECT pg_catalog.pg_export_snapshot();", self._settings.timeout_s)
                progress(-1, "dumping the database")
                await self._dump(part, snapshot, environment)
                progress(-1, "counting its rows")
                manifest = {
                    "kind": self.kind,
                    "database": database.name,
                    "at": began,
                    "tables": await self._in_it(part, await reading.counts(self._timeout_s)),
                    "roles": json.loads(await reading.one(_ROLES, self._settings.timeout_s)),
                    "server": await reading.one("SHOW server_version;", self._settings.timeout_s),
                    "bytes": int(
                        await reading.one(
                            "SELECT pg_catalog.pg_database_size(pg_catalog.current_database());",
                            self._settings.timeout_s,
                        )
                    ),
                }
            return await self._folder.finish(part, manifest)
        finally:
            await asyncio.shield(asyncio.to_thread(part.unlink, missing_ok=True))

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest dump: its list of contents, or all of it read by pg_restore and against its hash."""
        dump = await self._folder.newest()
        progress(-1, "checking the newest dump")
        if dump.cut_off:
            raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
        if level == "data":
            await check_whole(dump)
        if dump.path.name.endswith(PLAIN):
            await self._check_plain(dump, whole=level == "data")
        else:
            await self._check_archive(dump, whole=level == "data")
        return await self._folder.verified(level, dump)

    async def prune(self, progress: Progress) -> Pruned:
        progress(-1, "removing old dumps")
        return await self._folder.prune()

    async def size(self, copy: Copy) -> int:
        dump = await self._folder.of(copy)
        loaded = (dump.manifest or {}).get("bytes")
        return CLUSTER_BYTES + (2 * loaded if isinstance(loaded, int) else LOADED_PER_BYTE * dump.size)

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Load it into an empty database of a throwaway server, and count the rows."""
        dump = await self._folder.of(copy)
        progress(0.0, "checking the dump's bytes")
        await check_whole(dump)
        manifest = dump.manifest or {}
        progress(0.1, "starting a throwaway PostgreSQL")
        async with throwaway_postgres(scratch, self._timeout_s) as server:
            await server.prepare(await asyncio.to_thread(self._roles, dump))
            progress(0.2, "loading the dump")
            plain = dump.path.name.endswith(PLAIN)
            error = await (server.load_sql(dump.path) if plain else server.load_archive(dump.path))
            if not error and plain and not await asyncio.to_thread(ends_with, dump.path, DUMP_ENDS):
                error = "it is cut off"
            progress(0.9, "counting rows")
            counts = {} if error else await server.counts()
        return _proof(counts, manifest.get("tables"), error)

    def _roles(self, dump: Dump) -> list[str]:
        """Who has to be there for the dump to be loaded: by its manifest, by roles.sql, and the job's own user."""
        found = {str(role) for role in (dump.manifest or {}).get("roles") or ()}
        if self._settings.database is not None and self._settings.database.user:
            found.add(self._settings.database.user)
        if dump.manifest is None:
            with suppress(OSError, ValueError):
                text = dump.path.with_name(ROLES).read_text(encoding="utf-8")
                created = re.findall(r'^CREATE ROLE ("(?:[^"]|"")+"|[\w$]+)', text, re.MULTILINE)
                found |= {role[1:-1].replace('""', '"') if role.startswith('"') else role for role in created}
        return sorted(found)

    async def _dump(self, part: Path, snapshot: str, environment: dict[str, str]) -> None:
        argv = ["--format=custom", "--no-password", f"--snapshot={snapshot}", *self._settings.options]
        try:
            ended = await run(
                [program("pg_dump"), *argv],
                timeout_s=self._timeout_s,
                environment=environment,
                output_to=part,
                quiet=True,
            )
        except ProgramError as error:
            raise not_run(error) from error
        except OSError as error:
            raise os_fault(error, "the dump cannot be written") from error
        if ended.code:
            raise refusal(ended.complaints, environment["PGDATABASE"])

    async def _in_it(self, part: Path, counts: dict[str, int]) -> dict[str, int]:
        """The tables whose data is in the dump: the job's options may leave some out."""
        if not self._settings.options:
            return counts
        try:
            ended = await run(
                [program("pg_restore"), "--list", str(part)],
                timeout_s=self._timeout_s,
                environment={"LC_ALL": "C"},
                quiet=True,
            )
        except ProgramError as error:
            raise not_run(error) from error
        if ended.code:
            raise BackupError(Fault.NONSENSE, "pg_dump wrote what pg_restore cannot read")
        listed = ended.output.decode(errors="replace")
        return {table: rows for table, rows in counts.items() if f" TABLE DATA {table.replace('.', ' ', 1)} " in listed}

    async def _check_archive(self, dump: Dump, *, whole: bool) -> None:
        argv = [program("pg_restore"), "--list", str(dump.path)]
        if whole:
            argv = [program("pg_restore"), "--file=/dev/null", str(dump.path)]
        try:
            ended = await run(argv, timeout_s=self._timeout_s, environment={"LC_ALL": "C"}, quiet=True)
        except ProgramError as error:
            raise not_run(error) from error
        said = ended.complaints.casefold()
        if ended.code and "unsupported version" in said:
            raise BackupError(Fault.NOT_INSTALLED, "the dump is of a newer PostgreSQL than the one that is installed")
        if ended.code and "permission denied" in said:
            raise BackupError(Fault.DENIED, "the dump cannot be read: permission is denied")
        if ended.code and ("end of file" in said or "could not read from input file" in said or dump.size == 0):
            raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
        if ended.code:
            raise BackupError(Fault.DAMAGED, f"pg_restore cannot read the dump {dump.path.name}")

    async def _check_plain(self, dump: Dump, *, whole: bool) -> None:
        """What is packed has its end only when all of it is unpacked."""
        if dump.path.suffix == ".gz" and not whole:
            return
        try:
            if not await asyncio.to_thread(ends_with, dump.path, DUMP_ENDS):
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
    if dump.suffix != ".sql":
        return None
    return any(words in tail(dump) for words in DUMP_ENDS)


def _proof(counts: dict[str, int], expected: Any, error: str) -> Proof:
    """What was loaded against what was dumped."""
    known = {str(table): int(rows) for table, rows in expected.items()} if isinstance(expected, dict) else None
    if error:
        return Proof(of=len(known or ()), mismatches=(error,))
    wrong = differences(counts, known) if known is not None else ()
    if known is None and not counts:
        wrong = ("it holds no table",)
    rows = sum(counts.values())
    said = f"{some_tables(len(counts))} with {rows:,} rows" + (
        "" if known is not None else ", without a manifest to compare"
    )
    return Proof(
        checked=len(counts),
        of=len(known) if known is not None else len(counts),
        mismatches=tuple(wrong),
        said=said,
        evidence={"tables": counts, "compared": known is not None},
    )


def differences(counts: dict[str, int], expected: dict[str, int]) -> tuple[str, ...]:
    """Each table that is not as it was, in words."""
    missing = [f"the table {table} is missing" for table in sorted(expected.keys() - counts.keys())]
    return tuple(missing) + tuple(
        f"the table {table} has {counts[table]:,} rows instead of {expected[table]:,}"
        for table in sorted(expected.keys() & counts.keys())
        if counts[table] != expected[table]
    )

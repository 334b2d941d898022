"""Dumps of Gitea (and Forgejo): zips or tars of its database, repositories and configuration.

``gitea dump`` makes them; ``command`` says how it is called here, without its options for the file ("sudo", "-u",
"git", "gitea", "dump", "-c", "/etc/gitea/app.ini"). They are proven by loading ``gitea-db.sql`` into an empty database
of its dialect and by ``git fsck`` of a sample of the repositories, which has others with each dump.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds.archives import Unpacking, names_in, read_through, unpack
from tools.backups.kinds.dump_files import Dump, check_whole, os_fault
from tools.backups.kinds.dumps import DumpFolder, some_tables
from tools.backups.kinds.gitea_contents import DATABASE, OLD_REPOSITORIES, check_repository, repositories, repository_of
from tools.backups.kinds.gitea_database import Loaded, load
from tools.backups.kinds.postgres_server import CLUSTER_BYTES
from tools.backups.kinds.stoppable import in_thread
from tools.backups.kinds.target import Target, not_run
from tools.backups.kinds.throwaway import last_line
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Proof, Pruned, Verified
from tools.program import ProgramError, run
from tools.settings import BackupSettings

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tar.lz4", ".tar.sz")
FOLDER = "gitea"
SAMPLE = 25
"""Repositories that one proof checks."""

UNPACKED_PER_BYTE = 10
"""How much larger a dump is unpacked, from above: git packs by itself, SQL to about an eighth."""


class GiteaDump:
    """The dumps in one folder."""

    kind: ClassVar[str] = "gitea-dump"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._folder = DumpFolder(settings, target, name=None, called="gitea-dump", suffixes=SUFFIXES)
        self.destination = target.shown

    async def look(self) -> Found:
        return await self._folder.look()

    async def back_up(self, progress: Progress) -> Copy:
        """``gitea dump`` into the folder, and its list of contents into the manifest."""
        if not self._settings.command:
            raise BackupError(Fault.NOT_CONFIGURED, 'its command is not set; it is how "gitea dump" is called here')
        part = await self._folder.begin(".zip")
        began = time.time()
        try:
            progress(-1, "dumping Gitea")
            await self._dump(part)
            progress(-1, "reading the list of contents")
            names = await asyncio.to_thread(names_in, part)
            if DATABASE not in names:
                raise BackupError(Fault.FAILED, f"gitea dump wrote an archive without {DATABASE}")
            found = repositories(names)
            manifest = {"kind": self.kind, "at": began, "files": len(names), "repositories": sorted(found)}
            return await self._folder.finish(part, manifest)
        finally:
            await asyncio.shield(asyncio.to_thread(part.unlink, missing_ok=True))

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest dump: its list of contents; or every file in it, to its end."""
        dump = await self._folder.newest()
        progress(-1, "checking the newest dump")
        if dump.cut_off:
            raise BackupError(Fault.TRUNCATED, f"the dump {dump.path.name} is cut off")
        if level == "data":
            await check_whole(dump)
            limit = UNPACKED_PER_BYTE * 20 * max(dump.size, 1 << 20)
            names = await in_thread(lambda stopped: read_through(dump.path, Unpacking(limit), stopped))
        else:
            names = await asyncio.to_thread(names_in, dump.path)
        if DATABASE not in names:
            raise BackupError(Fault.DAMAGED, f"the dump {dump.path.name} has no {DATABASE} in it")
        return await self._folder.verified(level, dump)

    async def prune(self, progress: Progress) -> Pruned:
        progress(-1, "removing old dumps")
        return await self._folder.prune()

    async def size(self, copy: Copy) -> int:
        dump = await self._folder.of(copy)
        return CLUSTER_BYTES + 2 * UNPACKED_PER_BYTE * max(dump.size, 1 << 20)

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Load its database, and check a sample of its repositories with git."""
        dump = await self._folder.of(copy)
        progress(0.0, "checking the dump's bytes")
        await check_whole(dump)
        unpacking = Unpacking(2 * UNPACKED_PER_BYTE * max(dump.size, 1 << 20))
        folder = scratch / FOLDER
        progress(0.1, "unpacking the dump")
        try:
            return await self._prove(dump, scratch, unpacking, progress)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def _prove(self, dump: Dump, scratch: Path, unpacking: Unpacking, progress: Progress) -> Proof:
        folder = scratch / FOLDER
        there = await in_thread(lambda stopped: _unpack_first(dump.path, folder, unpacking))
        if not (folder / DATABASE).is_file():
            return Proof(of=len(there) + 1, mismatches=(f"{DATABASE} is not in it",))
        progress(0.2, "loading its database")
        loaded = await load(folder / DATABASE, folder, self._timeout_s)
        sample = _sample(there, dump)
        progress(0.5, "unpacking repositories")
        await in_thread(lambda stopped: _unpack_sample(dump.path, folder, unpacking, sample))
        damaged: list[str] = []
        for number, name in enumerate(sample):
            progress(0.6 + 0.4 * number / len(sample), f"checking the repository {name}")
            wrong = await check_repository(folder / there[name], self._timeout_s)
            if wrong:
                damaged.append(f"the repository {name} is damaged: {wrong}")
        return _proof(dump, there, sample, loaded, damaged)

    async def _dump(self, part: Path) -> None:
        argv = [*self._settings.command, *self._settings.options, "--file", "-", "--type", "zip"]
        try:
            ended = await run(argv, timeout_s=self._timeout_s, output_to=part, quiet=True)
        except ProgramError as error:
            raise not_run(error) from error
        except OSError as error:
            raise os_fault(error, "the dump cannot be written") from error
        said = ended.complaints.casefold()
        if ended.code and "no space left on device" in said:
            raise BackupError(Fault.DISK_FULL, "the disk is full")
        if ended.code and ("no such file" in said or "unable to load config" in said):
            raise BackupError(Fault.SOURCE_MISSING, "Gitea's data or configuration is not where its command looks")
        if ended.code:
            raise BackupError(Fault.FAILED, f"gitea dump failed: {last_line(ended.complaints)}")

    @property
    def _timeout_s(self) -> float:
        return self._settings.run_timeout_h * 3600.0


def _unpack_first(archive: Path, folder: Path, unpacking: Unpacking) -> dict[str, str]:
    """The database, and of older dumps the archive of repositories; where each repository is, by its name."""
    unpack(archive, folder, unpacking, lambda name: name in {DATABASE, OLD_REPOSITORIES})
    if (folder / OLD_REPOSITORIES).is_file():
        return repositories(names_in(folder / OLD_REPOSITORIES))
    return repositories(names_in(archive))


def _unpack_sample(archive: Path, folder: Path, unpacking: Unpacking, sample: Sequence[str]) -> None:
    inner = folder / OLD_REPOSITORIES
    chosen = set(sample)
    unpack(inner if inner.is_file() else archive, folder, unpacking, lambda name: repository_of(name) in chosen)


def _sample(there: dict[str, str], dump: Dump) -> list[str]:
    """Others with each dump, the same for the same: it is seeded with the dump's name."""
    names = sorted(there)
    if len(names) <= SAMPLE:
        return names
    return sorted(random.Random(dump.path.name).sample(names, SAMPLE))  # noqa: S311 - a sample, no secret


def _proof(dump: Dump, there: dict[str, str], sample: Sequence[str], loaded: Loaded, damaged: Sequence[str]) -> Proof:
    wrong = [loaded.error] if loaded.error else []
    listed = set((dump.manifest or {}).get("repositories") or ()) | set(loaded.repositories)
    wrong += [f"the repository {name} is missing" for name in sorted(listed - there.keys())]
    wrong += damaged
    said = f"{some_tables(loaded.tables)} with {loaded.rows:,} rows, {len(sample)} of {len(there)} repositories"
    return Proof(
        checked=len(sample) + (0 if loaded.error else 1),
        of=len(there) + 1,
        mismatches=tuple(wrong),
        said=said,
        evidence={
            "dialect": loaded.dialect,
            "tables": loaded.tables,
            "rows": loaded.rows,
            "repositories": len(there),
            "sample": list(sample),
        },
    )

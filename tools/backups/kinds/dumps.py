"""A folder of dated dumps, each one file, and beside those of our own a manifest: what the kinds of databases and
archives have in common.

``NAME-20261121T211510Z.dump`` with ``NAME-20261121T211510Z.dump.manifest.json``. A dump is written under a name that
ends in ``.part`` and gets its own when it is whole, the manifest first: what has its name is complete, and what is
shorter than its manifest says was cut off later. Dumps that others made have no manifest, and count all the same.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tools.backups.kinds.dump_files import (
    MANIFEST,
    PART,
    STILL_WRITTEN_S,
    WORK,
    Dump,
    finish,
    os_fault,
    read_manifest,
    remove_left_over,
    safe_name,
)  # fmt: skip
from tools.backups.kinds.keeping import superfluous
from tools.backups.kinds.target import Target, check_mounted, room
from tools.backups.port import BackupError, Copy, Fault, Found, Pruned, Verified
from tools.settings import BackupSettings

Ends = Callable[[Path], bool | None]
"""Whether a file is whole by its own end; None where its end does not tell. Must be cheap."""


class DumpFolder:
    """The dumps of one job at one destination: those whose names end in one of ``suffixes`` and, with a ``name``,
    begin with it. New ones are ``called`` so, or ``name``. Everything raises BackupError."""

    def __init__(
        self,
        settings: BackupSettings,
        target: Target,
        *,
        name: str | None,
        suffixes: Sequence[str],
        called: str | None = None,
        ends: Ends | None = None,
    ) -> None:
        self._settings = settings
        self._target = target
        self._name = safe_name(name) if name else None
        self._called = safe_name(called or name or "dump")
        self._suffixes = tuple(suffixes)
        self._ends = ends

    @property
    def path(self) -> Path:
        """Where it is. Raises BackupError not_configured."""
        folder = self._target.folder
        if folder is None:
            raise BackupError(Fault.NOT_CONFIGURED, "its repository has to be a folder on this machine")
        return folder

    async def dumps(self) -> list[Dump]:
        """All of them, oldest first."""
        await check_mounted(self._target)
        return await asyncio.to_thread(self._dumps)

    async def look(self) -> Found:
        """Raises BackupError truncated where the newest has been cut off, and no_repository without a folder."""
        dumps = await self.dumps()
        cut_off = await asyncio.to_thread(self._cut_off, dumps[-1:])
        if cut_off:
            raise BackupError(Fault.TRUNCATED, f"the newest dump, {cut_off[0].path.name}, is cut off")
        unfinished = await asyncio.to_thread(self._unfinished)
        warnings = (f"{len(unfinished)} dumps broke off and lie there unfinished",) if len(unfinished) > 1 else ()
        warnings = ("one dump broke off and lies there unfinished",) if len(unfinished) == 1 else warnings
        free, total = await room(self.path)
        return Found(copies=tuple(dump.copy for dump in dumps), free=free, total=total, warnings=warnings)

    async def of(self, copy: Copy) -> Dump:
        """The dump that a copy stands for."""
        for dump in await self.dumps():
            if dump.path.name == copy.id:
                return dump
        raise BackupError(Fault.NO_REPOSITORY, f"the dump {copy.id} is gone")

    async def newest(self) -> Dump:
        """The newest, cut off or not; the check of a destination begins with it."""
        dumps = await self.dumps()
        if not dumps:
            raise BackupError(Fault.NO_REPOSITORY, "there is no dump at its place")
        return dumps[-1]

    async def verified(self, level: Literal["metadata", "data"], dump: Dump) -> Verified:
        """What checking this one dump came to; with ``data``, its share of all that is there."""
        total = sum(one.size for one in await self.dumps()) if level == "data" else 0
        return Verified(level=level, share=min(dump.size / total, 1.0) if total else 0.0)

    async def prune(self) -> Pruned:
        """Remove what the job does not keep, of those with a manifest: what others made is theirs to remove."""
        ours = [dump for dump in await self.dumps() if dump.manifest is not None]
        gone = superfluous(
            [dump.copy for dump in ours], self._settings.keep, time.time(), broken_off_after_s=STILL_WRITTEN_S
        )
        return await asyncio.to_thread(self._remove, {copy.id for copy in gone})

    async def begin(self, suffix: str) -> Path:
        """Where a new dump is to be written, a name that is not taken. Removes what earlier runs left unfinished."""
        await check_mounted(self._target)
        if not await asyncio.to_thread(self.path.is_dir):
            raise BackupError(Fault.NO_REPOSITORY, "the folder of its dumps is not there")
        for left in await asyncio.to_thread(self._unfinished):
            await asyncio.to_thread(remove_left_over, left)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        for number in range(100):
            name = f"{self._called}-{stamp}{f'-{number}' if number else ''}{suffix}"
            if not await asyncio.to_thread((self.path / name).exists):
                return self.path / (name + PART)
        raise BackupError(Fault.FAILED, "too many dumps were begun in this second")

    async def finish(self, part: Path, manifest: dict[str, Any]) -> Copy:
        """Give a whole dump its name, with its size and hash in the manifest; both are on the disk then."""
        dump = part.with_name(part.name.removesuffix(PART))
        try:
            return await asyncio.to_thread(finish, part, dump, manifest)
        except OSError as error:
            if not await asyncio.to_thread(dump.exists):
                with suppress(OSError):
                    await asyncio.to_thread(dump.with_name(dump.name + MANIFEST).unlink)
            raise os_fault(error, "the dump cannot be kept") from error

    def _dumps(self) -> list[Dump]:
        try:
            found = [self._dump(one) for one in os.scandir(self.path) if self._counts(one)]
        except FileNotFoundError as error:
            raise BackupError(Fault.NO_REPOSITORY, "the folder of its dumps is not there") from error
        except NotADirectoryError as error:
            raise BackupError(Fault.NO_REPOSITORY, "at the place of its dumps is no folder") from error
        except OSError as error:
            raise os_fault(error, "the folder of its dumps cannot be read") from error
        return sorted(found, key=lambda dump: (dump.at, dump.path.name))

    def _counts(self, entry: os.DirEntry[str]) -> bool:
        ours = self._name is None or re.match(re.escape(self._name) + r"(?![A-Za-z0-9])", entry.name) is not None
        return ours and entry.name.endswith(self._suffixes) and entry.is_file(follow_symlinks=False)

    def _dump(self, entry: os.DirEntry[str]) -> Dump:
        status = entry.stat(follow_symlinks=False)
        manifest = read_manifest(Path(entry.path))
        at = (manifest or {}).get("at")
        began = float(at) if isinstance(at, int | float) else status.st_mtime
        return Dump(Path(entry.path), status.st_size, began, status.st_mtime, manifest)

    def _cut_off(self, dumps: Sequence[Dump]) -> list[Dump]:
        return [dump for dump in dumps if dump.cut_off or self._ends_early(dump)]

    def _ends_early(self, dump: Dump) -> bool:
        """One of somebody else's that has no end, and is written to no more."""
        if dump.manifest is not None or self._ends is None or time.time() - dump.written < STILL_WRITTEN_S:
            return False
        try:
            return self._ends(dump.path) is False
        except OSError as error:
            raise os_fault(error, f"the dump {dump.path.name} cannot be read") from error

    def _unfinished(self) -> list[Path]:
        """Parts of ours that nobody has written to for a while; a run lasts longer only while it writes."""
        old = time.time() - STILL_WRITTEN_S
        with suppress(OSError):
            begun = [*self.path.glob(f"{self._called}-*{PART}"), *self.path.glob(f"{self._called}-*{PART}{WORK}")]
            return [one for one in begun if one.lstat().st_mtime < old]
        return []

    def _remove(self, names: set[str]) -> Pruned:
        freed = removed = 0
        for name in sorted(names):
            dump = self.path / name
            try:
                freed += dump.stat().st_size
                dump.unlink()  # before its manifest: a dump without one would look like somebody else's
                dump.with_name(name + MANIFEST).unlink(missing_ok=True)
            except OSError as error:
                raise os_fault(error, f"the old dump {name} cannot be removed") from error
            removed += 1
        return Pruned(removed=removed, freed=freed)


def some_tables(count: int) -> str:
    """ "1 table", "12 tables"."""
    return f"{count} table{'s' * (count != 1)}"

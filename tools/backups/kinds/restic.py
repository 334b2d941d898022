"""restic: a repository and the job's snapshots in it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds import restic_said as said
from tools.backups.kinds.restic_program import ResticProgram
from tools.backups.kinds.sources import batches, source_below, there
from tools.backups.kinds.target import Target, check_mounted, complete, room
from tools.backups.kinds.unchanged import State, Unchanged, listed
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.settings import BackupSettings

PARTS = 7
"""Of a repository too large to be read as a whole, each check reads one of so many parts."""

READ_WHOLE_BYTES = 2 * 10**9
"""A repository on this machine that is smaller is read as a whole: well under a minute from a disk."""

_copies: Unchanged[tuple[Copy, ...]] = Unchanged()
_sizes: dict[str, int] = {}  # of snapshots, by id: they never change


class Restic:
    """One restic repository and the job's snapshots in it."""

    kind: ClassVar[str] = "restic"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self._program = ResticProgram(settings, target)
        self._roots: set[str] = set(settings.paths)
        self._files: dict[str, int] = {}  # how many each listed copy has
        self.destination = target.shown

    async def look(self) -> Found:
        """A repository on this machine whose lists of snapshots and keys are the same is not read again."""
        asked = (self._target.repository, self._target.password_file, self._settings.timeout_s, *self._chosen())
        copies = await _copies.read(asked, self._state, self._read_copies)
        await check_mounted(self._target)  # read or remembered
        free, total = await room(self._target.folder)
        return Found(copies=copies, free=free, total=total)

    async def back_up(self, progress: Progress) -> Copy:
        """Missing sources count as unread, as long as one is there."""
        missing = await there(self._settings.paths)
        summary: dict[str, Any] = {}
        unread = 0

        def line(raw: bytes) -> None:
            if (share := said.share_done(raw)) is not None:
                progress(share, "copying")
            elif (message := said.message(raw)).get("message_type") == "summary":
                summary.update(message)

        def complaint(raw: bytes) -> bool:
            nonlocal unread
            error = said.message(raw).get("message_type") == "error"
            unread += error
            return error and unread > 1  # one of them is enough to say why

        command = ["--json", "backup", *self._made_as(), *self._settings.options]
        for exclude in self._settings.exclude:
            command += ["--exclude", exclude]
        ended = await self._program.unlocking(
            [*command, "--", *self._settings.paths], on_line=line, on_complaint=complaint
        )
        if "snapshot_id" not in summary:
            raise said.refusal(ended.code, ended.complaints)
        if ended.code not in (0, 3):
            raise said.refusal(ended.code, ended.complaints)
        made = await self._list(str(summary["snapshot_id"]))
        try:
            duration = float(summary.get("total_duration") or 0.0)
            return replace(
                made[-1], unread=max(unread, missing, ended.code == 3), duration_s=duration, **said.counts(summary)
            )
        except (IndexError, TypeError, ValueError) as error:
            raise BackupError(Fault.NONSENSE, "restic does not list the snapshot that it made") from error

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Data: all of a small local repository, else one part of PARTS, another one each time."""
        progress(-1.0, "checking")
        command = ["check"]
        if level == "data":
            whole = await asyncio.to_thread(self._is_small)
            command.append("--read-data" if whole else f"--read-data-subset={part_of(time.time())}/{PARTS}")
        ended = await self._program.done(command, on_complaint=self._program.hopeless)
        return Verified(level=level, share=said.share_read(ended.output) if level == "data" else 0.0)

    async def prune(self, progress: Progress) -> Pruned:
        """What restic itself would remove of each group of host and paths; the newest of each stays."""
        keep = self._settings.keep
        if not any((keep.last, keep.daily, keep.weekly, keep.monthly)):
            return Pruned(removed=0, freed=0)
        progress(-1.0, "choosing what goes")
        policy = ["--keep-last", str(max(keep.last, 1))]
        for name, count in (("daily", keep.daily), ("weekly", keep.weekly), ("monthly", keep.monthly)):
            policy += [f"--keep-{name}", str(count)] if count else []
        chosen = [*self._chosen(), "--group-by", "host,paths"]
        tried = await self._program.done(["--json", "forget", "--dry-run", *policy, *chosen])
        gone = said.removed(tried.output, self._settings.paths)
        if not gone:
            return Pruned(removed=0, freed=0)
        progress(-1.0, f"removing {len(gone)} old snapshots" if len(gone) > 1 else "removing an old snapshot")
        for part in batches(gone):
            await self._program.done(["forget", *part])
        if left := set(gone) & {copy.id for copy in await self._list()}:  # 0.14 goes on after one that stays
            raise BackupError(Fault.FAILED, f"restic could not remove {len(left)} of {len(gone)} old snapshots")
        progress(-1.0, "freeing their space")
        ended = await self._program.done(["prune"])
        return Pruned(removed=len(gone), freed=said.freed(ended.output))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """Without the files whose names are no UTF-8: restic lists them as something that they are not called."""
        found: list[Entry] = []

        def line(raw: bytes) -> None:
            if (entry := said.entry(raw)) is not None:
                found.append(entry)

        await self._program.done(["--json", "ls", copy.id], on_line=line)
        self._roots |= set(copy.paths)
        self._files[copy.id] = len(found)
        return found

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """``--verify`` reads back what was written."""
        await self._restore(copy, entries, scratch, progress, "--verify")

    async def restore_unverified(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """restic checks the hash of each piece that it reads all the same."""
        await self._restore(copy, entries, scratch, progress)

    async def restore_all(self, copy: Copy, scratch: Path, progress: Progress) -> None:
        await self._restore_parts(copy, [()], scratch, progress)

    async def _restore(
        self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress, *options: str
    ) -> None:
        for entry in entries:
            complete(scratch, entry.path)
        includes = [f"--include={said.pattern(entry.path)}" for entry in entries]
        everything = len(entries) == self._files.get(copy.id)  # then there is nothing to choose
        parts: list[Sequence[str]] = [()] if everything else list(batches(includes))
        await self._restore_parts(copy, parts, scratch, progress, *options)

    async def _restore_parts(
        self, copy: Copy, parts: Sequence[Sequence[str]], scratch: Path, progress: Progress, *options: str
    ) -> None:
        """Without the cache: it holds directory trees that the repository may have lost."""
        command = ["--no-cache", "--json", "restore", copy.id, "--target", str(scratch), *options]
        for number, part in enumerate(parts):
            progress(number / len(parts), "restoring")

            def line(raw: bytes, begun: int = number) -> None:
                if (share := said.share_done(raw)) is not None:  # since 0.16
                    progress((begun + share) / len(parts), "restoring")

            await self._program.done([*command, *part], on_line=line, on_complaint=self._program.hopeless)
        progress(1.0, "restored")

    def source(self, entry: Entry) -> Path | None:
        return source_below(entry, self._roots)

    def _chosen(self) -> list[str]:
        """The options that choose this job's snapshots."""
        return [option for path in self._settings.paths for option in ("--path", path)] + self._made_as()

    def _made_as(self) -> list[str]:
        tags, host = self._settings.tags, self._settings.host
        return (["--tag", ",".join(tags)] if tags else []) + (["--host", host] if host else [])

    # what lies in the repository

    async def _read_copies(self) -> tuple[Copy, ...]:
        began = time.monotonic()
        found = await self._list(*self._chosen())
        if not found or found[-1].size is not None:
            return found
        left_s = self._settings.timeout_s - (time.monotonic() - began)
        newest = replace(found[-1], size=await self._size(found[-1].id, left_s))  # before 0.17 no snapshot has it
        return (*found[:-1], newest)

    async def _list(self, *chosen: str) -> tuple[Copy, ...]:
        ended = await self._program.read(["snapshots", *chosen], self._settings.timeout_s)
        return said.snapshots(ended.output, socket.gethostname())

    async def _size(self, snapshot: str, timeout_s: float) -> int | None:
        """Bytes that it would restore; None where that takes too long or cannot be told."""
        if snapshot not in _sizes and timeout_s > 0:
            with suppress(BackupError, KeyError, TypeError, ValueError):  # the list is good without it
                ended = await self._program.read(["stats", "--mode", "restore-size", snapshot], timeout_s)
                _sizes[snapshot] = int(said.message(ended.output)["total_size"])
        return _sizes.get(snapshot)

    def _state(self) -> State | None:
        root = self._target.folder
        if root is None or self._target.password_file is None:
            return None
        return listed([self._target.password_file, root / "config"], [root / "snapshots", root / "keys"])

    def _is_small(self) -> bool:
        root = self._target.folder
        if root is None:
            return False
        size = 0
        for bytes_ in _sizes_below(root / "data"):
            size += bytes_
            if size > READ_WHOLE_BYTES:
                return False
        return True


def part_of(now: float, parts: int = PARTS) -> int:
    """Which part a check reads, 1 to ``parts``: another one each day, and another each week for those who check
    weekly."""
    day = int(now // 86_400)
    return (day + day // 7) % parts + 1


def _sizes_below(folder: Path) -> Iterator[int]:
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # pruned meanwhile
                yield Path(where, name).lstat().st_size

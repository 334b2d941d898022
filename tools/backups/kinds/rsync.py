"""Kind ``rsync-snapshots``: dated folders that share what has not changed (``rsync -a --link-dest``), here or over ssh.

A run writes into ``.partial-DATE``; list and marker are written last, and then it gets its name. A folder without its
marker is no backup. The folder of the snapshots has to be there: a run makes none in the empty place of a disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds import hashing, manifest, rsync_words
from tools.backups.kinds.keeping import superfluous
from tools.backups.kinds.manifest import Listed, Marker
from tools.backups.kinds.rsync_words import Item
from tools.backups.kinds.snapshot_store import OWN, PARTIAL, SnapshotStore
from tools.backups.kinds.target import Target, complete, not_run
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.program import Ended, ProgramError, run
from tools.settings import BackupSettings

LINKED_MOST = 20
"""Folders that rsync takes to link to (rsync(1), --link-dest)."""

CLOCK_GRAIN_S = 0.05
"""The kernel's file times lag behind the clock by less than this."""


class RsyncSnapshots:
    """See ``port.Kind``; restores single files too. A file has the same path here and in a copy."""

    kind: ClassVar[str] = "rsync-snapshots"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown
        self._settings = settings
        self._store = SnapshotStore(settings, target)
        self._run_s = settings.run_timeout_h * 3600.0

    async def look(self) -> Found:
        """The folders with their markers, and the free space, by one command."""
        return await self._store.look()

    async def back_up(self, progress: Progress) -> Copy:
        """A new snapshot. What is as it was in the newest complete one is linked to it; and so is what a run that broke
        off has sent, which need not be sent again."""
        sources = await asyncio.to_thread(self._sources)
        progress(-1.0, "looking at the last snapshot")
        found = await self._store.look()
        last = _newest(found)
        known = await self._known(last)
        linked = [copy.id for copy in reversed(found.copies) if copy is last or not copy.complete][:LINKED_MOST]
        started = time.time()
        name = manifest.free_stamp(started, [copy.id.removeprefix(PARTIAL) for copy in found.copies])
        partial = await self._store.begin(name)
        items, unread = await self._copy(sources, partial, linked, len(known), progress)
        progress(-1.0, "hashing what is new")
        files = await self._listed(items, known, started, partial)
        text, digest = await asyncio.to_thread(manifest.dump_with_hash, files)
        marker = self._marker(name, started, items, files, unread, digest)
        await self._store.finish(marker, text)
        progress(1.0, "done")
        return marker.copy(socket.gethostname())

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Every file of the newest snapshot is there in its size; with ``data``, its content is what was sent."""
        last = _newest(await self._store.look())
        if last is None:
            raise BackupError(Fault.NO_REPOSITORY, "there is no complete snapshot")
        files = await self._store.files(last)
        progress(-1.0, f"looking for {len(files):,} files")
        manifest.check_sizes(files, {item.path: item.size for item in await self._items_of(last.id)})
        if level == "metadata":
            return Verified(level="metadata", share=0.0)
        paths = [one.path for one in files.values() if one.sha256]
        hashes = await self._store.hashes(last.id, paths, _counter(progress, len(paths), "reading"))
        manifest.check_hashes(files, hashes)
        return Verified(level="data", share=1.0)

    async def prune(self, progress: Progress) -> Pruned:
        """The folders that no rule keeps, and what is left of runs that broke off a run's time ago."""
        found = await self._store.look()
        gone = superfluous(found.copies, self._settings.keep, time.time(), broken_off_after_s=self._run_s)
        each = _counter(progress, len(gone), "removing old snapshots")
        await self._store.remove([copy.id for copy in gone], each)
        return Pruned(removed=len(gone))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """As the list says that was written when the copy was made."""
        return [Entry(one.path, one.size) for one in (await self._store.files(copy)).values()]

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """Raises BackupError damaged where a file comes back other than it was sent."""
        files = await self._store.files(copy)
        wanted = [files[entry.path] for entry in entries if entry.path in files]
        if len(wanted) < len(entries):
            raise BackupError(Fault.NONSENSE, "the backup has no such file")
        if not wanted:
            return
        progress(-1.0, f"restoring {len(wanted):,} files")
        options = ["-rt", "--from0", "--files-from=-", "--no-implied-dirs", "--chmod=Du=rwx,Dgo=,Fu=rw,Fgo="]
        stdin = hashing.names([one.path.lstrip("/") for one in wanted])
        ended = await self._rsync(*options, self._store.place.rsync(copy.id, ""), f"{scratch}/", stdin=stdin)
        if ended.code:
            raise _not_restored(ended) or self._store.refusal(ended)
        hashes = await hashing.hash_here([str(complete(scratch, one.path)) for one in wanted], self._run_s)
        came = {one.path: hashes.get(str(complete(scratch, one.path)), "") for one in wanted}
        manifest.check_hashes({one.path: one for one in wanted}, came)

    def source(self, entry: Entry) -> Path | None:
        """The file of the same path."""
        return Path(entry.path)

    def _sources(self) -> list[str]:
        if not self._settings.paths:
            raise BackupError(Fault.NOT_CONFIGURED, "no paths are configured")
        missing = [path for path in self._settings.paths if not Path(path).exists()]
        if missing:
            raise BackupError(Fault.SOURCE_MISSING, f"{missing[0]} is not there")
        return [os.path.realpath(path) for path in self._settings.paths]

    async def _known(self, last: Copy | None) -> dict[str, Listed]:
        """The files of the last snapshot; none where its list is damaged, so that all are hashed again."""
        try:
            return await self._store.files(last) if last is not None else {}
        except BackupError as error:
            if error.fault is Fault.DAMAGED:
                return {}
            raise

    async def _copy(
        self, sources: Sequence[str], partial: str, linked: Sequence[str], expected: int, progress: Progress
    ) -> tuple[list[Item], int]:
        """The files of the new snapshot, and how many could not be read."""
        items: list[Item] = []
        each = _counter(progress, expected, "copying")
        own = self._settings
        options = ["-aR", "--numeric-ids", "-ii", f"--out-format={rsync_words.FORMAT}"]
        options += [f"--link-dest=../{name}" for name in linked] + [f"--exclude={one}" for one in own.exclude]
        into = self._store.place.rsync(partial, "")
        ended = await self._rsync(*options, *own.options, "--", *sources, into, on_line=_collect(items, each))
        unread = rsync_words.unread(ended.code, ended.complaints)
        if unread is None:
            raise self._store.refusal(ended)
        return items, unread

    async def _listed(
        self, items: Sequence[Item], known: dict[str, Listed], started: float, partial: str
    ) -> list[Listed]:
        """Each file with its hash: of the last list where it is linked to it, else of its source; and of the copy where
        the source has changed since the run began."""
        kept = [one for item in items if (one := item.as_in(known)) is not None]
        fresh = [item for item in items if item.as_in(known) is None]
        hashes = await hashing.hash_here([item.path for item in fresh], self._run_s)
        changed = await asyncio.to_thread(lambda: [item.path for item in fresh if not _untouched(item, started)])
        hashes |= dict.fromkeys(changed, "") | await self._store.hashes(partial, changed, lambda: None)
        return [*kept, *(Listed(one.path, one.size, one.mtime, hashes.get(one.path, "")) for one in fresh)]

    def _marker(
        self, name: str, started: float, items: Sequence[Item], files: Sequence[Listed], unread: int, digest: str
    ) -> Marker:
        sent = [item for item in items if item.sent]
        return Marker(
            id=name,
            at=started,
            duration_s=round(time.time() - started, 3),
            host=socket.gethostname(),
            paths=self._settings.paths,
            files=len(files),
            size=sum(one.size for one in files),
            added=sum(item.size for item in sent),
            files_new=sum(item.new for item in sent),
            files_changed=sum(not item.new for item in sent),
            unread=unread,
            manifest=digest,
        )

    async def _items_of(self, name: str) -> list[Item]:
        """What lies in a snapshot: what rsync says that it would copy to where nothing is."""
        items: list[Item] = []
        options = ["-rtn", "-ii", f"--out-format={rsync_words.FORMAT}", f"--exclude=/{OWN}"]
        nowhere = f"/nonexistent/{name}/"  # a dry run does not make it
        source = self._store.place.rsync(name, "")
        ended = await self._rsync(*options, source, nowhere, on_line=_collect(items, lambda: None))
        if ended.code:
            raise _not_restored(ended) or self._store.refusal(ended)
        return items

    async def _rsync(
        self, *arguments: str, stdin: bytes | None = None, on_line: Callable[[bytes], None] | None = None
    ) -> Ended:
        place = self._store.place
        place.check_configured()
        if place.host:
            await asyncio.to_thread(place.check_key)
        environment = {"LC_ALL": "C", "TZ": "UTC"}  # the words and the times that rsync_words reads
        argv = ["rsync", *place.rsync_options(), *arguments]
        try:
            return await run(
                argv, timeout_s=self._run_s, environment=environment, stdin=stdin, on_line=on_line, quiet=True
            )
        except ProgramError as error:
            raise not_run(error) from error


def _newest(found: Found) -> Copy | None:
    return next((copy for copy in reversed(found.copies) if copy.complete), None)


def _collect(items: list[Item], each: Callable[[], None]) -> Callable[[bytes], None]:
    def note(line: bytes) -> None:
        if (item := rsync_words.item(line)) is not None:
            items.append(item)
            each()

    return note


def _counter(progress: Progress, expected: int, what: str) -> Callable[[], None]:
    """Tells of every hundredth, and of the last that is expected."""
    count = 0

    def each() -> None:
        nonlocal count
        count += 1
        if count % 100 == 0 or count == expected:
            progress(min(count / expected, 1.0) if expected else -1.0, f"{what}, {count:,}")

    return each


def _untouched(item: Item, started: float) -> bool:
    """Whether the source is what was copied: of the same size and time, and not written to since the run began."""
    try:
        status = Path(item.path).lstat()
    except OSError:
        return False
    same = (status.st_size, int(status.st_mtime)) == (item.size, item.mtime) and stat.S_ISREG(status.st_mode)
    return same and max(status.st_mtime, status.st_ctime) < started - CLOCK_GRAIN_S


def _not_restored(ended: Ended) -> BackupError | None:
    """A file that is listed and not there, or that the disk does not give."""
    text = ended.complaints.casefold()
    if "link_stat" in text and "no such file" in text:
        return BackupError(Fault.DAMAGED, "some of its files are gone")
    if "input/output error" in text:
        return BackupError(Fault.DAMAGED, "its disk has errors")
    return None

"""Kind ``rclone``: plain copies at any remote or in a folder, mirrored by ``rclone sync``; see ``rclone_store.py``.

What a run replaces or removes is put aside under its date and kept for ``keep.days``. Symbolic links are left out, as
rclone does; ``options = ["--links"]`` keeps them as text.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds import hashing, manifest, rclone_said
from tools.backups.kinds.keeping import superfluous
from tools.backups.kinds.manifest import Listed, Marker
from tools.backups.kinds.rclone_store import CHANGED, CURRENT, RUNS, RcloneStore, lines
from tools.backups.kinds.target import Target, complete
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.settings import BackupSettings

CLOCK_GRAIN_S = 0.05
"""The kernel's file times lag behind the clock by less than this."""


class Rclone:
    """See ``port.Kind``; restores single files too. A file has the same path here and in a copy."""

    kind: ClassVar[str] = "rclone"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown
        self._settings = settings
        self._remote = target.folder is None
        self._store = RcloneStore(settings, target)
        self._run_s = settings.run_timeout_h * 3600.0

    async def look(self) -> Found:
        """The runs that came to their end."""
        return await self._store.look()

    async def back_up(self, progress: Progress) -> Copy:
        """Mirror every path, list what is there, and say so last."""
        sources = await asyncio.to_thread(self._sources)
        progress(-1.0, "looking at the last run")
        last = await self._last()
        known = await self._known(last)
        started = time.time()
        name = manifest.later_stamp(started, last.id if last is not None else "")
        unread = 0
        for number, source in enumerate(sources):
            progress(number / len(sources), f"copying {source}")
            unread += await self._sync(source, name)
        progress(-1.0, "hashing what is new")
        sizes = await self._store.sizes(CURRENT)
        files = await self._listed(sizes, known, started)
        text, digest = await asyncio.to_thread(manifest.dump_with_hash, files)
        marker = self._marker(name, started, files, known, unread, digest)
        await self._store.finish(marker, text)
        progress(1.0, "done")
        return marker.copy(socket.gethostname())

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Every file of the newest run is there in its size; with ``data``, it is read back and has its hash."""
        last = _newest(await self._store.look())
        if last is None:
            raise BackupError(Fault.NO_REPOSITORY, "there is no backup at its place")
        files = await self._store.files(last)
        progress(-1.0, f"looking for {len(files):,} files")
        places = await self._store.found(last, files)
        manifest.check_sizes(files, {path: size for sizes in places.values() for path, size in sizes.items()})
        if level == "metadata":
            return Verified(level="metadata")
        count, hashes = 0, dict[str, str]()

        def each() -> None:
            nonlocal count
            count += 1
            progress(min(count / len(files), 1.0), f"reading, {count:,} of {len(files):,}")

        for place, sizes in places.items():
            hashes |= await self._store.hashes(place, [path for path in sizes if files[path].sha256], each)
        manifest.check_hashes(files, hashes)
        return Verified(level="data", share=1.0)

    async def prune(self, progress: Progress) -> Pruned:
        """Runs older than ``keep.days`` (or not of the ``keep.last`` newest), and what was put aside before the oldest
        that stays."""
        keep = self._settings.keep.model_copy(update={"daily": 0, "weekly": 0, "monthly": 0})
        found = await self._store.look()
        gone = superfluous(found.copies, keep, time.time(), broken_off_after_s=self._run_s)
        if gone:
            progress(-1.0, "removing old runs")
            names = [f"{copy.id}{suffix}" for copy in gone for suffix in (".json", ".jsonl")]
            await self._store.succeed("delete", "--files-from-raw", "-", self._store.path(RUNS), stdin=lines(names))
        stays = [copy for copy in found.copies if copy not in gone]
        aside = [name for name in await self._store.changes() if stays and name <= stays[0].id]
        for number, name in enumerate(aside):
            progress(number / len(aside), "removing what was put aside")
            await self._store.succeed("purge", self._store.path(CHANGED, name))
        return Pruned(removed=len(gone))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """As the list says that was written when the copy was made."""
        return [Entry(one.path, one.size) for one in (await self._store.files(copy)).values()]

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """Raises BackupError damaged where a file is gone, or comes back other than it was sent."""
        files = await self._store.files(copy)
        wanted = {entry.path: files[entry.path] for entry in entries if entry.path in files}
        if len(wanted) < len(entries):
            raise BackupError(Fault.NONSENSE, "the backup has no such file")
        restored = {str(complete(scratch, path)): path for path in wanted}
        progress(-1.0, f"restoring {len(wanted):,} files")
        places = await self._store.found(copy, wanted)
        manifest.check_sizes(wanted, {path: size for sizes in places.values() for path, size in sizes.items()})
        for place, sizes in places.items():
            await self._fetch(place, sizes, scratch)
        progress(0.8, "comparing hashes")
        hashes = await hashing.hash_here(list(restored), self._run_s)
        manifest.check_hashes(wanted, {restored[name]: digest for name, digest in hashes.items()})

    def source(self, entry: Entry) -> Path | None:
        """The file of the same path."""
        return Path(entry.path)

    def _sources(self) -> list[Path]:
        if not self._settings.paths:
            raise BackupError(Fault.NOT_CONFIGURED, "no paths are configured")
        missing = [path for path in self._settings.paths if not Path(path).exists()]
        if missing:
            raise BackupError(Fault.SOURCE_MISSING, f"{missing[0]} is not there")
        return [Path(path).resolve() for path in self._settings.paths]

    async def _fetch(self, place: str, paths: Iterable[str], scratch: Path) -> None:
        """The password was right for the list of files: what it cannot open now is damaged."""
        try:
            await self._store.fetch(place, paths, scratch)
        except BackupError as error:
            if error.fault is Fault.WRONG_PASSWORD:
                raise BackupError(Fault.DAMAGED, "some of its files are damaged") from error
            raise

    async def _last(self) -> Copy | None:
        """A remote that has nothing yet is begun by the first run; a folder here has to be there."""
        try:
            return _newest(await self._store.look())
        except BackupError as error:
            if error.fault is Fault.NO_REPOSITORY and self._remote:
                return None
            raise

    async def _known(self, last: Copy | None) -> dict[str, Listed]:
        """The files of the last run; none where its list is damaged, so that all are hashed again."""
        try:
            return await self._store.files(last) if last is not None else {}
        except BackupError as error:
            if error.fault is Fault.DAMAGED:
                return {}
            raise

    async def _sync(self, source: Path, name: str) -> int:
        """Mirror one path; how many files of it could not be read."""
        own = self._settings
        target, aside = self._store.path(CURRENT, str(source)), self._store.path(CHANGED, name, str(source))
        command = "sync"
        if await asyncio.to_thread(source.is_file):
            command, aside = "copyto", self._store.path(CHANGED, name, str(source.parent))
        options = ["--backup-dir", aside, "--use-json-log", "--log-level", "ERROR", "--stats", "0"]
        options += [f"--exclude={pattern}" for pattern in own.exclude]
        ended = await self._store.rclone(command, *options, *own.options, str(source), target)
        if not ended.code:
            return 0
        unread = rclone_said.unread(ended.complaints)
        if unread is None:
            raise rclone_said.refusal(ended.code, ended.complaints)
        return unread

    async def _listed(self, sizes: dict[str, int], known: dict[str, Listed], started: float) -> list[Listed]:
        """Each file of the mirror with its hash: of the last list where its source is as it was, else of the source;
        and of the mirror where the source has changed since the run began, or cannot be read."""
        mtimes = await asyncio.to_thread(_mtimes, sizes, started)
        same = {path: one for path, one in known.items() if mtimes.get(path) == one.mtime and sizes[path] == one.size}
        fresh = [path for path, mtime in mtimes.items() if mtime is not None and path not in same]
        hashes = {path: one.sha256 for path, one in same.items()} | await hashing.hash_here(fresh, self._run_s)
        after = await asyncio.to_thread(_mtimes, sizes, started)
        unsure = [path for path in sizes if not hashes.get(path) or after[path] is None]
        hashes |= dict.fromkeys(unsure, "") | await self._store.hashes(CURRENT, unsure, lambda: None)
        return [Listed(path, size, after[path] or 0, hashes[path]) for path, size in sizes.items()]

    def _marker(
        self, name: str, started: float, files: Sequence[Listed], known: dict[str, Listed], unread: int, digest: str
    ) -> Marker:
        new = [one for one in files if one.path not in known]
        changed = [one for one in files if one.path in known and known[one.path].sha256 != one.sha256]
        return Marker(
            id=name,
            at=started,
            duration_s=round(time.time() - started, 3),
            host=socket.gethostname(),
            paths=self._settings.paths,
            files=len(files),
            size=sum(one.size for one in files),
            added=sum(one.size for one in (*new, *changed)),
            files_new=len(new),
            files_changed=len(changed),
            unread=unread,
            manifest=digest,
        )


def _newest(found: Found) -> Copy | None:
    return found.copies[-1] if found.copies else None


def _mtimes(sizes: Mapping[str, int], started: float) -> dict[str, int | None]:
    return {path: _mtime(path, size, started) for path, size in sizes.items()}


def _mtime(path: str, size: int, started: float) -> int | None:
    """Of the source, in whole seconds; None where it is no longer what was copied."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    untouched = max(status.st_mtime, status.st_ctime) < started - CLOCK_GRAIN_S
    return int(status.st_mtime) if untouched and status.st_size == size else None

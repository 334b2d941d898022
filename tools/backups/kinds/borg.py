"""borg 1.2 and 1.4, at a path here or by ssh. The repository goes by environment, the password by a file borg reads."""

from __future__ import annotations

import asyncio
import shlex
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds import borg_said as said
from tools.backups.kinds import ssh
from tools.backups.kinds.keeping import superfluous
from tools.backups.kinds.sources import batches, source_below, there
from tools.backups.kinds.target import Target, check_mounted, complete, credentials, not_run, room
from tools.backups.kinds.unchanged import State, Unchanged, listed
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.program import Ended, ProgramError, read_secret, run
from tools.settings import BackupSettings

LOCK_WAIT_S = 5
"""That borg waits for another one to be done."""

CHECKPOINT_AGE_S = 86_400.0
"""A checkpoint that is older is of a run that broke off."""

CHECKED_ARCHIVES = 3
"""The newest so many have their structure checked after each run; a check of the data reads all."""

_archives: Unchanged[list[said.Archive]] = Unchanged()
_counts: dict[str, dict[str, Any]] = {}  # of archives, by id: they never change


class Borg:
    """One borg repository and the job's archives in it. Tags are parts of an archive's name: borg has none."""

    kind: ClassVar[str] = "borg"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self._roots: set[str] = set(settings.paths)
        self.destination = target.shown

    async def look(self) -> Found:
        """A repository on this machine whose index is the same is not read again."""
        found = await self._own()
        await check_mounted(self._target)  # read or remembered
        free, total = await room(self._target.folder)
        return Found(copies=tuple(archive.copy for archive in found), free=free, total=total)

    async def back_up(self, progress: Progress) -> Copy:
        """Missing sources count as unread, as long as one is there: borg makes an empty archive of none."""
        missing = await there(self._settings.paths)
        made, usual = said.Made(), await self._usual_size()

        def line(raw: bytes) -> bool:
            if taken := made.take(raw):
                progress(min(made.read_bytes / usual, 0.99) if usual else -1.0, "copying")
            return taken

        command = ["create", "--json", "--progress", "--list", "--filter=AMCE", *self._settings.options]
        for exclude in self._settings.exclude:
            command += ["--exclude", exclude]
        ended = await self._run([*command, f"::{self._name()}", *self._settings.paths], on_complaint=line)
        archive = said.said(ended.output).get("archive")
        if not isinstance(archive, dict) or ended.code not in (0, 1):
            raise said.refusal(ended.code, ended.complaints)
        try:
            _counts[str(archive["id"])] = counts = said.counts(archive)
            return Copy(
                id=str(archive["id"]),
                at=said.seconds(str(archive["start"])),
                duration_s=float(archive["duration"]),
                files_new=made.new,
                files_changed=made.changed,
                unread=made.unread + missing,
                paths=tuple(sorted(said.plain(path) for path in self._settings.paths)),
                **counts,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BackupError(Fault.NONSENSE, "borg answered with something that is no archive") from error

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Metadata: the newest archives and what they consist of. Data: all of the repository, read and decrypted."""
        options = ["--verify-data"] if level == "data" else ["--archives-only", "--last", str(CHECKED_ARCHIVES)]
        progress(-1.0, "checking")

        def line(raw: bytes) -> bool:
            if (share := said.share_done(raw)) is not None:
                progress(share, "checking")
            return str(said.said(raw).get("type")).startswith("progress")

        ended = await self._run(["check", "--progress", *options], on_complaint=line)
        if ended.code:
            error = said.refusal(ended.code, ended.complaints)
            raise BackupError(Fault.DAMAGED, "the repository is damaged") if _found_problems(ended, error) else error
        return Verified(level=level, share=1.0 if level == "data" else 0.0)

    async def prune(self, progress: Progress) -> Pruned:
        """By name, as ``borg prune`` chooses, other jobs' archives would go too: those to go are told one by one."""
        progress(-1.0, "choosing what goes")
        host = self._settings.host or socket.gethostname()
        own = [archive for archive in await self._own(fresh=True) if archive.host == host]
        keep = self._settings.keep.model_copy(update={"days": 0})  # of dumps
        gone_ids = {
            copy.id
            for copy in superfluous(
                [archive.copy for archive in own], keep, time.time(), broken_off_after_s=CHECKPOINT_AGE_S
            )
        }
        gone = [archive.name for archive in own if archive.copy.id in gone_ids]
        if not gone:
            return Pruned(removed=0, freed=0)
        progress(-1.0, f"removing {len(gone)} old archives" if len(gone) > 1 else "removing an old archive")
        for part in batches(gone):
            await self._done(["delete", "::", *part])
        progress(-1.0, "freeing their space")
        ended = await self._done(["compact", "--verbose"])
        return Pruned(removed=len(gone), freed=said.freed(ended.complaints))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """Of the names of one file (hard links) the first."""
        archive = await self._archive(copy)
        found: list[Entry] = []

        def line(raw: bytes) -> None:
            if (entry := said.entry(raw)) is not None:
                found.append(entry)

        fields = "{type}{path}{size}{source}{linktarget}{NL}"
        await self._done(["list", "--json-lines", "--format", fields, f"::{archive.name}"], on_line=line)
        self._roots |= set(copy.paths)
        return found

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        archive = await self._archive(copy)
        for entry in entries:
            complete(scratch, entry.path)
        await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True)
        parts = list(batches([f"pf:{entry.path.lstrip('/')}" for entry in entries]))
        for number, part in enumerate(parts):
            progress(number / len(parts), "restoring")
            ended = await self._run(["extract", f"::{archive.name}", *part], folder=scratch)
            # A file with a fault is only a warning, and so is an owner or an attribute that cannot be set here.
            if ended.code and (ended.code != 1 or said.fault(ended.complaints) not in (None, Fault.DENIED)):
                raise said.refusal(ended.code, ended.complaints)
        progress(1.0, "restored")

    def source(self, entry: Entry) -> Path | None:
        return source_below(entry, self._roots)

    # how borg is asked

    def _name(self) -> str:
        """Of a new archive: host, tags and time, as borg's own documentation names them."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return "-".join((self._settings.host or socket.gethostname(), *self._settings.tags, stamp))

    async def _environment(self) -> dict[str, str]:
        found = await credentials(self._settings)
        found |= {"BORG_REPO": self._target.repository, "BORG_RSH": shlex.join(ssh.command(self._settings))}
        found |= {"TZ": "UTC", "BORG_DISPLAY_PASSPHRASE": "no", "BORG_EXIT_CODES": "legacy"}
        password = self._target.password_file
        if password is None:
            return found | {"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
        try:
            await asyncio.to_thread(read_secret, password)
        except (OSError, ValueError) as error:
            raise BackupError(Fault.PASSWORD_UNREADABLE, "its password file cannot be read") from error
        return found | {"BORG_PASSCOMMAND": shlex.join(["cat", str(password)])}

    async def _run(
        self,
        command: Sequence[str],
        timeout_s: float | None = None,
        on_line: Callable[[bytes], None] | None = None,
        on_complaint: Callable[[bytes], bool] | None = None,
        folder: Path | None = None,
    ) -> Ended:
        if not self._target.repository:
            raise BackupError(Fault.NOT_CONFIGURED, "no repository is configured")
        await check_mounted(self._target)
        environment = await self._environment()
        try:
            return await run(
                ["borg", "--log-json", "--lock-wait", str(LOCK_WAIT_S), *command],
                timeout_s=timeout_s or self._settings.run_timeout_h * 3600,
                environment=environment,
                folder=folder,
                on_line=on_line,
                on_complaint=on_complaint,
                hidden=[environment["BORG_REPO"], *(environment[name] for name in self._settings.credentials)],
                quiet=timeout_s is None,
            )
        except ProgramError as error:
            raise not_run(error) from error

    async def _done(self, command: Sequence[str], timeout_s: float | None = None, **more: Any) -> Ended:
        ended = await self._run(command, timeout_s, **more)
        if ended.code:
            raise said.refusal(ended.code, ended.complaints)
        return ended

    # what lies in the repository

    async def _own(self, fresh: bool = False) -> list[said.Archive]:
        """The job's archives, oldest first."""
        asked = (self._target.repository, self._target.password_file, self._settings.timeout_s)
        state = self._state if not fresh else lambda: None
        settings = self._settings
        return await _archives.read((*asked, settings.paths, settings.tags, settings.host), state, self._read_own)

    async def _read_own(self) -> list[said.Archive]:
        began = time.monotonic()
        found = await self._list()
        settings = self._settings
        own = [one for one in found if one.belongs(settings.paths, settings.tags, settings.host)]
        if own and own[-1].copy.complete:
            left_s = settings.timeout_s - (time.monotonic() - began)
            own[-1] = replace(own[-1], copy=replace(own[-1].copy, **await self._size(own[-1], left_s)))
        return own

    async def _list(self) -> list[said.Archive]:
        """Without a lock; what another program is about to change may then look damaged, and is only locked."""
        command = ["--bypass-lock", "list", "--json", "--consider-checkpoints", "--format", said.LIST_FORMAT]
        ended = await self._run(command, self._settings.timeout_s)
        if ended.code:
            error = said.refusal(ended.code, ended.complaints)
            if error.fault is Fault.DAMAGED and await asyncio.to_thread(self._is_locked):
                raise BackupError(Fault.LOCKED, "the repository is locked by another program")
            raise error
        return said.archives(ended.output, socket.gethostname())

    async def _archive(self, copy: Copy) -> said.Archive:
        for archive in await self._own():
            if archive.copy.id == copy.id:
                return archive
        raise BackupError(Fault.DAMAGED, "the archive is no longer in the repository")

    async def _size(self, archive: said.Archive, timeout_s: float) -> dict[str, Any]:
        """borg reads all of an archive's entries for that: only of the newest one, and only where there is time."""
        if archive.copy.id not in _counts and timeout_s > 0:
            with suppress(BackupError, KeyError, IndexError, TypeError, ValueError):  # the list is good without it
                ended = await self._done(["--bypass-lock", "info", "--json", f"::{archive.name}"], timeout_s)
                _counts[archive.copy.id] = said.counts(said.said(ended.output)["archives"][0])
        return _counts.get(archive.copy.id, {})

    async def _usual_size(self) -> int | None:
        """Of the newest archive: what there is to read, more or less."""
        with suppress(BackupError):  # the run will say what is wrong
            return next((one.copy.size for one in reversed(await self._own()) if one.copy.size), None)
        return None

    def _is_locked(self) -> bool:
        return self._target.folder is not None and (self._target.folder / "lock.exclusive").exists()

    def _state(self) -> State | None:
        """borg names its index after the transaction it is of."""
        root, password = self._target.folder, self._target.password_file
        try:
            indexes = sorted(root.glob("index.*")) if root is not None else []
        except OSError:
            return None
        if root is None or not indexes:
            return None
        return listed([root / "config", *indexes, *([password] if password else [])])


def _found_problems(ended: Ended, error: BackupError) -> bool:
    """A check ends with 1 where it found something wrong."""
    return ended.code == 1 and error.fault in (Fault.FAILED, Fault.NO_REPOSITORY)

"""borgmatic (>= 1.8): everything through its own commands, so that its configuration file alone says what is backed
up, where to, with which password and what is kept."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds import borg_said as said
from tools.backups.kinds.sources import batches, source_below, there
from tools.backups.kinds.target import Target, check_mounted, complete, credentials, not_run, room
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.program import Ended, ProgramError, run
from tools.settings import BackupSettings

_UNREAD = ("[errno 13]", "permission denied", "[errno 2]", "[errno 5]", "input/output error")
_UNCONFIGURED = (
    "no valid configuration files",
    "error parsing configuration",
    "configuration file",
    "does not match any",
)


class Borgmatic:
    """One repository of a borgmatic configuration: the one that ``repository`` names (path or label), or its only one.

    ``paths`` may name what it backs up; they are looked for before a run and compared with after a restore.
    """

    kind: ClassVar[str] = "borgmatic"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self.destination = target.shown or str(settings.config_file or "borgmatic")

    async def look(self) -> Found:
        archives = await self._archives()
        free, total = await room(self._target.folder)
        return Found(copies=tuple(archive.copy for archive in archives), free=free, total=total)

    async def back_up(self, progress: Progress) -> Copy:
        """borgmatic tells no progress together with what it made."""
        missing = await there(self._settings.paths) if self._settings.paths else 0
        progress(-1.0, "copying")
        ended = await self._run(["create", "--json", *self._settings.options])
        try:
            archive = self._of_repository(ended)["archive"]
            copy = Copy(
                id=str(archive["id"]),
                at=said.seconds(str(archive["start"])),
                duration_s=float(archive["duration"]),
                unread=max(missing, _unread(ended.complaints)),
                paths=self._settings.paths,
                **said.counts(archive),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _refusal(ended) from error
        if ended.code:
            raise _refusal(ended)
        if not copy.files:
            raise BackupError(Fault.SOURCE_MISSING, "nothing of what it backs up is there")
        return copy

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        progress(-1.0, "checking")
        what = ["repository", "data"] if level == "data" else ["archives"]
        only = [option for check in what for option in ("--only", check)]
        ended = await self._run(["check", "--force", *only])
        if ended.code:
            error = _refusal(ended)
            raise BackupError(Fault.DAMAGED, "the repository is damaged") if error.fault is Fault.FAILED else error
        return Verified(level=level, share=1.0 if level == "data" else 0.0)

    async def prune(self, progress: Progress) -> Pruned:
        """By what borgmatic's configuration keeps, and by its names of archives: the job's own ``keep`` is not used."""
        before = {archive.copy.id for archive in await self._archives()}
        progress(-1.0, "removing old archives")
        await self._done(["prune"])
        progress(-1.0, "freeing their space")
        await self._done(["compact"])
        return Pruned(removed=len(before - {archive.copy.id for archive in await self._archives()}))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """Of the names of one file (hard links) the first."""
        found: list[Entry] = []

        def line(raw: bytes) -> None:
            if (entry := said.entry(raw)) is not None:
                found.append(entry)

        name = await self._name(copy)
        fields = "{type}{path}{size}{source}{linktarget}{NL}"
        await self._done(["borg", *self._of(), "list", "--json-lines", "--format", fields, f"::{name}"], on_line=line)
        return found

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        for entry in entries:
            complete(scratch, entry.path)
        await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True)
        command = ["extract", *self._of(), "--archive", await self._name(copy), "--destination", str(scratch)]
        parts = list(batches([f"--path=pf:{entry.path.lstrip('/')}" for entry in entries]))
        for number, part in enumerate(parts):
            progress(number / len(parts), "restoring")
            await self._done([*command, *part])
        progress(1.0, "restored")

    def source(self, entry: Entry) -> Path | None:
        return source_below(entry, self._settings.paths or ("/",))

    def _of(self) -> list[str]:
        """borgmatic's option for one of its repositories."""
        return ["--repository", self._target.repository] if self._target.repository else []

    async def _archives(self) -> list[said.Archive]:
        command = ["rlist", *self._of(), "--json", "--format", said.LIST_FORMAT]
        ended = await self._done(command, self._settings.timeout_s)
        found = said.listed(self._of_repository(ended), socket.gethostname())
        return [one for one in found if one.belongs((), self._settings.tags, self._settings.host)]

    async def _name(self, copy: Copy) -> str:
        for archive in await self._archives():
            if archive.copy.id == copy.id:
                return archive.name
        raise BackupError(Fault.DAMAGED, "the archive is no longer in the repository")

    def _of_repository(self, ended: Ended) -> Mapping[str, Any]:
        """What its JSON says of the job's repository: it is a list with one for each."""
        try:
            told = json.loads(ended.output)
            wanted = self._target.repository
            named = [one for one in told if wanted in (one["repository"].get("label"), one["repository"]["location"])]
            found: Mapping[str, Any] = (named or told)[0]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            if ended.code:
                raise _refusal(ended) from error
            raise BackupError(Fault.NONSENSE, "borgmatic answered with something that is no list") from error
        return found

    async def _run(
        self, command: Sequence[str], timeout_s: float | None = None, on_line: Callable[[bytes], None] | None = None
    ) -> Ended:
        config = self._settings.config_file
        if config is None or not await asyncio.to_thread(config.is_file):
            raise BackupError(Fault.NOT_CONFIGURED, "borgmatic's configuration file is not there")
        await check_mounted(self._target)
        environment = {**await credentials(self._settings), "TZ": "UTC"}
        try:
            return await run(
                ["borgmatic", "--config", str(config), *command],
                timeout_s=timeout_s or self._settings.run_timeout_h * 3600,
                environment=environment,
                on_line=on_line,
                hidden=[environment[name] for name in self._settings.credentials],
                quiet=timeout_s is None,
            )
        except ProgramError as error:
            raise not_run(error) from error

    async def _done(self, command: Sequence[str], timeout_s: float | None = None, **more: Any) -> Ended:
        ended = await self._run(command, timeout_s, **more)
        if ended.code:
            raise _refusal(ended)
        return ended


def _refusal(ended: Ended) -> BackupError:
    """borgmatic tells borg's own words, and ends with 1 whatever it was."""
    text = ended.complaints.casefold()
    if "no such file or directory: 'borg'" in text or "borg: not found" in text:
        return BackupError(Fault.NOT_INSTALLED, "borg is not installed")
    error = said.refusal(ended.code, ended.complaints, "borgmatic")
    if error.fault is Fault.FAILED and any(words in text for words in _UNCONFIGURED):
        return BackupError(Fault.NOT_CONFIGURED, "borgmatic's configuration file is not right")
    return error


def _unread(complaints: str) -> int:
    """borg tells a line for each source that it could not read, and borgmatic calls that a warning."""
    return sum(any(words in line.casefold() for words in _UNREAD) for line in complaints.splitlines())

"""Kind ``command``: any program that keeps to a contract of words, JSON lines and exit codes (docs/backup-commands.md).

A program that knows exit codes only can be used too: what came of its runs is then kept in the file ``report``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds import check_in
from tools.backups.kinds.check_in import CheckIn
from tools.backups.kinds.command_said import Said
from tools.backups.kinds.report import copies_of
from tools.backups.kinds.target import Target, check_mounted, credentials, not_run
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.program import ProgramError, run
from tools.settings import BackupSettings


class Command:
    """See ``port.Kind``; restores single files too, where its program does."""

    kind: ClassVar[str] = "command"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown or " ".join(settings.command[:1])
        self._settings = settings
        self._target = target
        self._run_s = settings.run_timeout_h * 3600.0

    async def look(self) -> Found:
        """What its program lists; for one that does not know the word, what is kept of its runs."""
        try:
            said = await self._ask("look", timeout_s=self._settings.timeout_s)
        except BackupError as error:
            if error.fault is Fault.NOT_CONFIGURED and self._settings.report is not None:
                return await asyncio.to_thread(self._kept)
            raise
        copies = tuple(sorted(said.copies, key=lambda copy: copy.at))
        return Found(copies=copies, free=said.free, total=said.total, warnings=tuple(said.warnings))

    async def back_up(self, progress: Progress) -> Copy:
        """The copy that its program tells of; for one that tells nothing, what is known from here."""
        began = time.time()
        if self._settings.paths and not await asyncio.to_thread(self._any_source):
            raise BackupError(Fault.SOURCE_MISSING, f"{self._settings.paths[0]} is not there")
        try:
            said = await self._ask("back-up", progress=progress, parts_missing=True)
        except BackupError as error:
            await self._keep(CheckIn(at=began, ok=False, message=error.reason))
            raise
        taken = round(time.time() - began, 3)
        plain = Copy(id=str(int(began)), at=began, duration_s=taken, unread=said.unread, paths=self._settings.paths)
        copy = said.copies[-1] if said.copies else plain
        await self._keep(CheckIn(at=copy.at, duration_s=copy.duration_s, size=copy.size, files=copy.files))
        return copy

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """As far as its program says that it went; no further than it was asked."""
        said = await self._ask("verify", level, progress=progress)
        return said.verified or Verified(level=level, share=1.0 if level == "data" else 0.0)

    async def prune(self, progress: Progress) -> Pruned:
        """What the job keeps is in its environment."""
        return (await self._ask("prune", progress=progress)).pruned or Pruned()

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """Raises BackupError not_configured where its program does not know the word."""
        return (await self._ask("entries", copy.id)).entries

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """The paths go by standard input, each ended by a NUL."""
        names = b"".join(os.fsencode(entry.path) + b"\0" for entry in entries)
        await self._ask("restore", copy.id, str(scratch), stdin=names, progress=progress)

    def source(self, entry: Entry) -> Path | None:
        """The file of that path, where the path is absolute and below one that is backed up."""
        path = Path(entry.path)
        return path if any(path.is_relative_to(root) for root in self._settings.paths if root.startswith("/")) else None

    async def _ask(
        self,
        *words: str,
        timeout_s: float | None = None,
        stdin: bytes | None = None,
        progress: Progress | None = None,
        parts_missing: bool = False,
    ) -> Said:
        """Run the program with these words. ``parts_missing``: exit code 3 is a result."""
        if not self._settings.command:
            raise BackupError(Fault.NOT_CONFIGURED, "no command is configured")
        await check_mounted(self._target)
        environment = await self._environment()
        said = Said()

        def note(line: bytes) -> None:
            said.note(line)
            if progress is not None and said.progress is not None:
                progress(*said.progress)
                said.progress = None

        try:
            ended = await run(
                [*self._settings.command, *words],
                timeout_s=self._run_s if timeout_s is None else timeout_s,
                environment=environment,
                stdin=stdin,
                on_line=note,
                quiet=timeout_s is None,
            )
        except ProgramError as error:
            raise not_run(error) from error
        said.check(ended.code, words[0], hidden=await credentials(self._settings), parts_missing=parts_missing)
        return said

    async def _environment(self) -> dict[str, str]:
        own, keep = self._settings, self._settings.keep
        told = {
            "JARVIS_REPOSITORY": self._target.repository,
            "JARVIS_PATHS": "\n".join(own.paths),
            "JARVIS_EXCLUDE": "\n".join(own.exclude),
            "JARVIS_KEEP": " ".join(f"{name}={getattr(keep, name)}" for name in type(keep).model_fields),
            "JARVIS_PASSWORD_FILE": str(self._target.password_file or ""),
        }
        return told | await credentials(own)

    def _any_source(self) -> bool:
        return any(Path(path).exists() for path in self._settings.paths)

    def _kept(self) -> Found:
        """Of a program that cannot be asked."""
        assert self._settings.report is not None  # noqa: S101 - the only caller has looked
        return Found(copies=copies_of(self._settings.report, self._settings.paths, here=True))

    async def _keep(self, run_of_it: CheckIn) -> None:
        if self._settings.report is not None:
            try:
                await asyncio.to_thread(check_in.write, self._settings.report, run_of_it)
            except OSError as error:
                raise BackupError(Fault.FAILED, "its report file cannot be written") from error

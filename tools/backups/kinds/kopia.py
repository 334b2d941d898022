"""kopia, by its command line and JSON. Which repository it is, kopia's own configuration file says (``config_file``);
the password goes by environment."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from tools.backups.kinds import kopia_said as said
from tools.backups.kinds.keeping import superfluous
from tools.backups.kinds.sources import batches, source_below, there
from tools.backups.kinds.target import Target, check_mounted, complete, credentials, not_run, room
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.program import Ended, ProgramError, read_secret, run
from tools.settings import BackupSettings

READ_WHOLE_BYTES = 2 * 10**9
"""A snapshot that is smaller has all of its files read by a check of the data."""

READ_PERCENT = 15
"""Of the files of a larger one, chosen by kopia at random."""

CHECKPOINT_AGE_S = 86_400.0
"""A checkpoint that is older is of a run that broke off."""


class Kopia:
    """The snapshots of one source. Tags as kopia has them: ``key:value``."""

    kind: ClassVar[str] = "kopia"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self._settings = settings
        self._target = target
        self._roots: set[str] = set(settings.paths)
        self._files: dict[str, int] = {}  # how many each copy has
        self.destination = target.shown or "kopia"

    async def look(self) -> Found:
        found = await self._list()
        free, total = await room(self._target.folder)
        return Found(copies=tuple(one.copy for one in found), free=free, total=total)

    async def back_up(self, progress: Progress) -> Copy:
        if len(self._settings.paths) > 1:
            raise BackupError(Fault.NOT_CONFIGURED, "a kopia job backs up one path: make a job of each")
        await there(self._settings.paths)
        await self._ignore()

        def line(raw: bytes) -> bool:
            if (share := said.share_done(raw)) is not None:
                progress(share, "copying")
            return said.is_progress(raw)

        command = ["snapshot", "create", "--json", "--progress-update-interval=1s", *self._settings.options]
        for tag in self._settings.tags:
            command += ["--tags", tag]
        ended = await self._run([*command, *self._settings.paths], on_complaint=line)
        try:
            manifest = json.loads(ended.output)
        except (ValueError, RecursionError) as error:
            if not ended.code:
                raise said.nonsense() from error
            raise said.refusal(ended.code, ended.complaints) from error
        copy = said.snapshot(manifest, socket.gethostname()).copy
        if ended.code and not copy.unread:  # with files unread kopia ends with 1, and the snapshot is there
            raise said.refusal(ended.code, ended.complaints)
        return copy

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Of the newest snapshot: that all it consists of is there; data: files read and decrypted as well."""
        found = [one.copy for one in await self._list() if one.copy.complete]
        if not found:
            raise BackupError(Fault.FAILED, "there is no snapshot to check")
        whole = (found[-1].size or 0) <= READ_WHOLE_BYTES
        percent = 0 if level == "metadata" else 100 if whole else READ_PERCENT
        progress(-1.0, "checking")
        ended = await self._run(["snapshot", "verify", f"--verify-files-percent={percent}", found[-1].id])
        if ended.code:
            error = said.refusal(ended.code, ended.complaints)
            found_errors = error.fault is Fault.FAILED and "encountered" in ended.complaints
            raise BackupError(Fault.DAMAGED, "the repository is damaged") if found_errors else error
        return Verified(level=level, share=percent / 100)

    async def prune(self, progress: Progress) -> Pruned:
        """Not by kopia's own policies, which it applies after each snapshot by itself. What is pinned stays. kopia
        frees the space later, in its maintenance."""
        progress(-1.0, "choosing what goes")
        keep = self._settings.keep.model_copy(update={"days": 0})  # of dumps
        own = await self._list()
        kept = {one.copy.id for one in own if one.pinned or not one.copy.here}
        gone = [
            copy.id
            for copies in _by_source(own)
            for copy in superfluous(copies, keep, time.time(), broken_off_after_s=CHECKPOINT_AGE_S)
            if copy.id not in kept
        ]
        for part in batches(gone):
            await self._done(["snapshot", "delete", "--delete", *part])
        return Pruned(removed=len(gone))

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """Without files whose names are no UTF-8 or have a line break: kopia's list cannot tell them."""
        found: list[Entry] = []

        def line(raw: bytes) -> None:
            if (entry := said.entry(raw, copy.paths[0])) is not None:
                found.append(entry)

        root = await self._root(copy)
        await self._done(["list", "--long", "--recursive", "--no-error-summary", root], on_line=line)
        self._roots |= set(copy.paths)
        self._files[copy.id] = len(found)
        return found

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """One by one, as kopia restores; all of them at once."""
        root, source = await self._root(copy), copy.paths[0].rstrip("/")
        command = ["snapshot", "restore", "--mode=local", "--skip-owners"]
        if len(entries) == self._files.get(copy.id):
            await self._one(command, root, complete(scratch, source) if source else scratch)
        else:
            for number, entry in enumerate(entries):
                progress(number / len(entries), "restoring")
                below = entry.path.removeprefix(f"{source}/")
                await self._one(command, f"{root}/{below}", complete(scratch, entry.path))
        progress(1.0, "restored")

    def source(self, entry: Entry) -> Path | None:
        return source_below(entry, self._roots)

    async def _one(self, command: Sequence[str], what: str, where: Path) -> None:
        try:
            await asyncio.to_thread(where.parent.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise BackupError(Fault.DISK_FULL, "there is no room for the restored files") from error
        await self._done([*command, what, str(where)])

    async def _ignore(self) -> None:
        """kopia has patterns to leave out in its policy of the source, and nowhere else."""
        if self._settings.exclude:
            patterns = [f"--add-ignore={pattern}" for pattern in self._settings.exclude]
            await self._done(["policy", "set", *patterns, *self._settings.paths])

    async def _list(self) -> list[said.Snapshot]:
        ended = await self._done(["snapshot", "list", "--json", "--all", "--incomplete"], self._settings.timeout_s)
        settings = self._settings
        found = said.snapshots(ended.output, socket.gethostname())
        return said.chosen(found, settings.paths, settings.tags, settings.host)

    async def _root(self, copy: Copy) -> str:
        for one in await self._list():
            if one.copy.id == copy.id and one.root:
                return one.root
        raise BackupError(Fault.DAMAGED, "the snapshot is no longer in the repository")

    async def _environment(self) -> dict[str, str]:
        found = await credentials(self._settings)
        found |= {"KOPIA_CHECK_FOR_UPDATES": "false", "TZ": "UTC"}
        if self._settings.config_file is not None:
            found["KOPIA_CONFIG_PATH"] = str(self._settings.config_file)
        if (password := self._target.password_file) is not None:
            try:
                found["KOPIA_PASSWORD"] = await asyncio.to_thread(read_secret, password)
            except (OSError, ValueError) as error:
                raise BackupError(Fault.PASSWORD_UNREADABLE, "its password file cannot be read") from error
        return found

    async def _run(
        self,
        command: Sequence[str],
        timeout_s: float | None = None,
        on_line: Callable[[bytes], None] | None = None,
        on_complaint: Callable[[bytes], bool] | None = None,
    ) -> Ended:
        await check_mounted(self._target)
        environment = await self._environment()
        try:
            return await run(
                ["kopia", *command],
                timeout_s=timeout_s or self._settings.run_timeout_h * 3600,
                environment=environment,
                on_line=on_line,
                on_complaint=on_complaint,
                hidden=[
                    environment.get("KOPIA_PASSWORD", ""),
                    *(environment[key] for key in self._settings.credentials),
                ],
                quiet=timeout_s is None,
            )
        except ProgramError as error:
            raise not_run(error) from error

    async def _done(self, command: Sequence[str], timeout_s: float | None = None, **more: Any) -> Ended:
        ended = await self._run(command, timeout_s, **more)
        if ended.code:
            raise said.refusal(ended.code, ended.complaints)
        return ended


def _by_source(found: Sequence[said.Snapshot]) -> list[list[Copy]]:
    sources: dict[tuple[str, str], list[Copy]] = {}
    for one in found:
        sources.setdefault((one.host, one.copy.paths[0]), []).append(one.copy)
    return list(sources.values())

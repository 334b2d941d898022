"""A kind that copies files into a folder: the least that a backup can be, and on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds import Target
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.settings import BackupSettings


class FakeCopies:
    kind: ClassVar[str] = "command"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown
        self._place = Path(target.repository)
        self._paths = settings.paths

    async def look(self) -> Found:
        if not self._place.is_dir():
            raise BackupError(Fault.UNREACHABLE, "its folder can't be reached")
        return Found(copies=tuple(Copy(id=one.name, at=float(one.name)) for one in sorted(self._place.iterdir())))

    async def back_up(self, progress: Progress) -> Copy:
        copy = Copy(id=repr(time.time()), at=time.time())
        for path in map(Path, self._paths):
            into = self._place / copy.id / str(path).lstrip("/")
            into.parent.mkdir(parents=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, into)
        return copy

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        return Verified(level=level)

    async def prune(self, progress: Progress) -> Pruned:
        return Pruned()

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        root = self._place / copy.id
        files = (path for path in root.rglob("*") if path.is_file())
        return [Entry("/" + str(path.relative_to(root)), path.stat().st_size) for path in files]

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        for entry in entries:
            into = scratch / entry.path.lstrip("/")
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._place / copy.id / entry.path.lstrip("/"), into)

    def source(self, entry: Entry) -> Path | None:
        return Path(entry.path)

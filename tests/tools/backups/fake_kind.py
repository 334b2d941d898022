"""A kind of backup whose destinations are what a test says they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds.target import Target
from tools.backups.port import BackupError, Copy, Entry, Fault, Found, Progress, Pruned, Verified
from tools.settings import BackupSettings

World = dict[str, "Found | BackupError | Callable[[], Awaitable[Found]]"]
"""By the repository of a destination: what a look gives, raises, or does."""

WORLD: World = {}
LOOKS: list[str] = []
"""Repositories, in the order in which they were looked at."""


class FakeKind:
    """It can be looked at; nothing else was asked for."""

    kind: ClassVar[str] = "command"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.repository

    async def look(self) -> Found:
        LOOKS.append(self.destination)
        seen = WORLD[self.destination]
        if isinstance(seen, BackupError):
            raise seen
        return seen if isinstance(seen, Found) else await seen()

    async def back_up(self, progress: Progress) -> Copy:
        raise BackupError(Fault.NOT_CONFIGURED, "it is a fake")

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        raise BackupError(Fault.NOT_CONFIGURED, "it is a fake")

    async def prune(self, progress: Progress) -> Pruned:
        raise BackupError(Fault.NOT_CONFIGURED, "it is a fake")


class RestorableFake(FakeKind):
    """One whose files could be restored."""

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        return ()

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        raise BackupError(Fault.NOT_CONFIGURED, "it is a fake")

    def source(self, entry: Entry) -> Path | None:
        return None

"""The example of docs/backup-commands.md, taken from there and run; and ways to spoil its archives."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.asking import silent
from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, some_files
from tools.backups.kinds import make
from tools.settings import BackupSettings, KeepSettings

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "backup-commands.md"
_HOLD = """
import fcntl, pathlib, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
pathlib.Path(sys.argv[2]).touch()
sys.stdin.read()
"""


def example() -> str:
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


class TheGround:
    kind: ClassVar[str] = "command"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "wrong_password": "the example has none",
        "sources_unread": "the example gives up at a file that it may not read",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "archives"
        self.program = folder / "archive-photos"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="command",
            command=(sys.executable, str(self.program)),
            repository=str(self.place),
            paths=(str(self.source),),
            keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def prepare(self) -> None:
        self.program.write_text(example())
        some_files(self.source)
        self.place.mkdir()
        await self.back_up()

    async def back_up(self) -> None:
        await make(self._settings).back_up(silent)

    async def close(self) -> None:
        await self.spoiling.close()

    @property
    def newest(self) -> Path:
        return max(self.place.glob("*.tar.gz"))

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "locked": self._locked,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self.change(mount=mount, repository=str(mount / "archives"))

    async def _locked(self) -> None:
        held = self.folder / "held"
        argv = [sys.executable, "-c", _HOLD, str(self.place / ".lock"), str(held)]
        await self.spoiling.hold(argv, {}, held.exists)

    async def _damaged(self) -> None:
        flip(self.newest, 100_000)

    async def _truncated(self) -> None:
        cut(self.newest)

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _prune_failed(self) -> None:
        """An old archive that cannot be removed; as if it had been made an hour ago."""
        old = self.place / f"{float(self.newest.name.removesuffix('.tar.gz')) - 3600:.3f}.tar.gz"
        shutil.copy(self.newest, old)
        self.spoiling.irremovable(old)

    async def _disk_full(self) -> None:
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "archives")
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(disk)
        self.change(mount=disk, repository=str(disk / "archives"))

    def change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)

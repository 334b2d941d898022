"""Mirrors by the real rclone at an encrypted remote (``crypt`` over a folder here), and ways to spoil them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.asking import silent
from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, largest, needs, some_files, until_done
from tools.backups.kinds import make
from tools.settings import BackupSettings, KeepSettings

PASSWORD = "correct horse 83514"


class TheGround:
    kind: ClassVar[str] = "rclone"
    cannot: ClassVar[Mapping[Seed, str]] = {"locked": "a remote has no lock"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "cloud"
        self.password = folder / "password"
        self.configuration = folder / "rclone.conf"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="rclone",
            repository="box:",
            config_file=self.configuration,
            credentials={"RCLONE_CONFIG_BOX_PASSWORD": self.password},
            paths=(str(self.source),),
            exclude=("*.tmp",),
            keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def prepare(self) -> None:
        needs("rclone", "apt-get install rclone")
        some_files(self.source)
        self.place.mkdir()
        self.configure(self.place)
        await self.write_password(PASSWORD)
        await self.back_up()

    def configure(self, place: Path) -> None:
        self.configuration.write_text(f"[box]\ntype = crypt\nremote = {place}\n")

    async def write_password(self, password: str) -> None:
        """As rclone takes it: obscured."""
        self.password.write_text(await until_done(["rclone", "obscure", password], {}))

    async def back_up(self) -> None:
        await make(self._settings).back_up(silent)

    async def close(self) -> None:
        await self.spoiling.close()

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "wrong_password": self._wrong_password,
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "sources_unread": self._sources_unread,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def _wrong_password(self) -> None:
        await self.write_password("battery staple")

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self.configure(mount / "cloud")
        self.change(mount=mount)

    async def _damaged(self) -> None:
        flip(largest(self.place))

    async def _truncated(self) -> None:
        cut(largest(self.place))

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        """rclone reads only what has changed."""
        secret = self.source / "notes für später.txt"
        secret.write_text("the combination of the safe")
        secret.chmod(0)
        self.spoiling.unprivileged("rclone")

    async def _prune_failed(self) -> None:
        """Old runs that cannot be removed."""
        await self.back_up()
        self.spoiling.irremovable(*(path for path in self.place.rglob("*") if path.is_file()))

    async def _disk_full(self) -> None:
        """The remote moves to a disk with no room left, and there is something new to back up."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "cloud")
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(disk)
        self.configure(disk / "cloud")
        self.change(mount=disk)

    def change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)

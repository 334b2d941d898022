"""A real borg repository, and ways to spoil it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, largest, needs, some_files, until_done
from tools.settings import BackupSettings, KeepSettings

PASSWORD = f"correct horse {secrets.token_hex(4)}"
"""Nobody else has it in an argv by chance."""


class TheGround:
    kind: ClassVar[str] = "borg"
    cannot: ClassVar[Mapping[Seed, str]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "repository"
        self.password = folder / "the password"
        self.base = folder / "base"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="borg",
            repository=str(self.place),
            password_file=self.password,
            credentials={
                "BORG_BASE_DIR": self.base.with_suffix(".txt")
            },  # its cache, and what it knows of repositories
            paths=(str(self.source),),
            exclude=("*.tmp",),
            keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    @property
    def environment(self) -> dict[str, str]:
        """For borg itself."""
        return {
            "BORG_REPO": str(self.place),
            "BORG_PASSCOMMAND": f"cat '{self.password}'",
            "BORG_BASE_DIR": str(self.base),
        }

    async def borg(self, *arguments: str) -> str:
        return await until_done(["borg", *arguments], self.environment)

    async def back_up(self, name: str = "{now:%Y-%m-%dT%H:%M:%S.%f}") -> None:
        await self.borg("create", f"::{name}", str(self.source))

    async def prepare(self) -> None:
        needs("borg", "apt-get install borgbackup")
        self.password.write_text(PASSWORD + "\n")
        self.base.with_suffix(".txt").write_text(str(self.base))
        some_files(self.source)
        await self.borg("init", "--encryption", "repokey-blake2")
        await self.back_up()

    async def close(self) -> None:
        await self.spoiling.close()

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "wrong_password": self._wrong_password,
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "locked": self._locked,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "sources_unread": self._sources_unread,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def _wrong_password(self) -> None:
        self.password.write_text("battery staple\n")

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self._settings = self._settings.model_copy(update={"mount": mount, "repository": str(mount / "repository")})

    async def _locked(self) -> None:
        lock = self.place / "lock.exclusive"
        await self.spoiling.hold(["borg", "with-lock", str(self.place), "cat"], self.environment, lock.exists)

    async def _damaged(self) -> None:
        flip(largest(self.place / "data"), 100_000)

    async def _truncated(self) -> None:
        cut(largest(self.place / "data"))

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        (self.source / "notes für später.txt").chmod(0)
        self.spoiling.unprivileged("borg")

    async def _prune_failed(self) -> None:
        """Old archives whose space cannot be freed."""
        for number in range(2):
            (self.source / "2024" / "holiday.jpg").write_bytes(os.urandom(600_000 + number))
            await self.back_up()
        self.spoiling.irremovable(*(path for path in (self.place / "data").rglob("*") if path.is_file()))

    async def _disk_full(self) -> None:
        """The repository lies on a disk with no room left, and there is something new to back up."""
        aside = self.folder / "aside"
        self.place.rename(aside)
        self.spoiling.small_disk(self.place, 4)
        shutil.copytree(aside, self.place, dirs_exist_ok=True)
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(self.place)

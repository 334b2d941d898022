"""A stand-in for kopia that says it is one (``kopia_stand_in.py``), its repository, and ways to spoil it. No registry
that the tests may use has kopia itself."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, some_files, until_done
from tools.settings import BackupSettings, KeepSettings

PASSWORD = f"correct horse {secrets.token_hex(4)}"
STAND_IN = Path(__file__).with_name("kopia_stand_in.py")


class TheGround:
    kind: ClassVar[str] = "kopia"
    cannot: ClassVar[Mapping[Seed, str]] = {"locked": "kopia takes no lock on its repository"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "repository"
        self.password = folder / "password"
        self.config = folder / "repository.config"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="kopia",
            repository=str(self.place),
            password_file=self.password,
            config_file=self.config,
            paths=(str(self.source),),
            exclude=("*.tmp",),
            keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def kopia(self, *arguments: str) -> None:
        await until_done(["kopia", *arguments], {"KOPIA_CONFIG_PATH": str(self.config), "KOPIA_PASSWORD": PASSWORD})

    async def back_up(self) -> None:
        await self.kopia("snapshot", "create", "--json", str(self.source))

    async def prepare(self) -> None:
        self.password.write_text(PASSWORD + "\n")
        some_files(self.source)
        self.spoiling.on_path("kopia", f'"{sys.executable}" "{STAND_IN}"')
        await self.kopia("repository", "create", "--path", str(self.place))
        await self.back_up()

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

    def _content(self) -> Path:
        return max(self.place.glob("p*"), key=lambda path: path.stat().st_size)

    async def _wrong_password(self) -> None:
        self.password.write_text("battery staple\n")

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self._settings = self._settings.model_copy(update={"mount": mount, "repository": str(mount / "repository")})

    async def _damaged(self) -> None:
        flip(self._content())

    async def _truncated(self) -> None:
        cut(self._content())

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        (self.source / "notes für später.txt").chmod(0)
        self.spoiling.unprivileged("kopia")

    async def _prune_failed(self) -> None:
        for _ in range(2):
            await self.back_up()
        self.spoiling.irremovable(*self.place.glob("manifest-*"))

    async def _disk_full(self) -> None:
        """The repository lies on a disk with no room left, and there is something new to back up."""
        aside = self.folder / "aside"
        self.place.rename(aside)
        self.spoiling.small_disk(self.place, 4)
        shutil.copytree(aside, self.place, dirs_exist_ok=True)
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(self.place)

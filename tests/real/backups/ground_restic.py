"""A real restic repository, and ways to spoil it."""

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

_initialised: dict[str, bytes] = {}
"""The files of an empty repository, once made: deriving a key takes restic a second, on purpose."""


class TheGround:
    kind: ClassVar[str] = "restic"
    cannot: ClassVar[Mapping[Seed, str]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "repository"
        self.password = folder / "password"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="restic",
            repository=str(self.place),
            password_file=self.password,
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
        """For restic itself."""
        return {
            "RESTIC_REPOSITORY": self._settings.repository or "",
            "RESTIC_PASSWORD_FILE": str(self.password),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }

    async def restic(self, *arguments: str) -> str:
        return await until_done(["restic", *arguments], self.environment)

    async def back_up(self, *options: str) -> None:
        await self.restic("backup", "--quiet", *options, str(self.source))

    async def prepare(self) -> None:
        needs("restic", "apt-get install restic")
        self.password.write_text(PASSWORD + "\n")
        some_files(self.source)
        await self._initialise()
        await self.back_up()

    async def _initialise(self) -> None:
        if not _initialised:
            await self.restic("init", "--quiet")
            files = [path for path in self.place.rglob("*") if path.is_file()]
            _initialised.update((str(path.relative_to(self.place)), path.read_bytes()) for path in files)
            return
        for folder in ("data", "index", "keys", "locks", "snapshots"):
            (self.place / folder).mkdir(parents=True)
        for name, content in _initialised.items():
            (self.place / name).write_bytes(content)

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
        self._change(mount=mount, repository=str(mount / "repository"))

    async def _locked(self) -> None:
        """A check holds restic's exclusive lock, and gets a kilobyte a second to read."""
        locks = self.place / "locks"
        slow = ["restic", "check", "--read-data", "--limit-download", "1"]
        await self.spoiling.hold(slow, self.environment, lambda: _whole(locks))

    async def _damaged(self) -> None:
        flip(largest(self.place / "data"))

    async def _truncated(self) -> None:
        cut(largest(self.place / "data"))

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        (self.source / "notes für später.txt").chmod(0)
        self.spoiling.unprivileged("restic")

    async def _prune_failed(self) -> None:
        """Another backup goes on and on, of a pipe: more can be made meanwhile, and none be checked or removed."""
        self._change(verify="none")
        for _ in range(2):
            await self.back_up()
        locks = self.place / "locks"
        await self.spoiling.hold(["restic", "backup", "--stdin"], self.environment, lambda: _whole(locks))

    async def _disk_full(self) -> None:
        """The repository moves to a disk with no room left, and there is something new to back up."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "repository")
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(disk)
        self._change(mount=disk, repository=str(disk / "repository"))

    def _change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)


def _whole(locks: Path) -> bool:
    """Whether a lock is there, and not only begun to be written."""
    return any("-tmp-" not in lock.name for lock in locks.iterdir())

"""Dated snapshots by the real rsync, over a real sshd or in a folder here, and ways to spoil them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.asking import silent
from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, largest, needs, some_files
from tests.real.backups.ssh_server import SshServer
from tools.backups.kinds import make
from tools.settings import BackupSettings, KeepSettings


class TheGround:
    """Over ssh."""

    kind: ClassVar[str] = "rsync-snapshots"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "wrong_password": "a key opens it, no password",
        "locked": "each run writes into a folder of its own, so nobody has to wait",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "snapshots"
        self.spoiling = Spoiling(folder)
        self.server = SshServer(folder / "ssh")
        self._settings = BackupSettings(
            kind="rsync-snapshots",
            repository=str(self.place),
            paths=(str(self.source),),
            exclude=("*.tmp",),
            keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def prepare(self) -> None:
        needs("rsync", "apt-get install rsync")
        some_files(self.source)
        self.place.mkdir()
        await self.back_up()  # the same folder, with or without ssh
        await self._connect()

    async def _connect(self) -> None:
        await self.server.start(self.spoiling)
        self.change(
            repository=self.at(self.place),
            ssh_key=self.server.key,
            ssh_port=self.server.port,
            known_hosts=self.server.known_hosts,
        )

    def at(self, place: Path) -> str:
        """As the configuration names it."""
        return f"{self.server.host}:{place}"

    async def back_up(self) -> None:
        await make(self._settings).back_up(silent)

    async def close(self) -> None:
        await self.spoiling.close()
        for renamed in self.place.glob(".removing-*/**/notes*"):  # what pruning could not remove has another name now
            subprocess.run(["umount", "-l", str(renamed)], check=False, capture_output=True)  # noqa: ASYNC221

    @property
    def newest(self) -> Path:
        return max(path for path in self.place.iterdir() if not path.name.startswith("."))

    def snapshot_of(self, source: Path) -> Path:
        """A file of the source in the newest snapshot."""
        return self.newest / str(source).lstrip("/")

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "sources_unread": self._sources_unread,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self.change(mount=mount, repository=self.at(mount / "snapshots"))

    async def _damaged(self) -> None:
        """A byte rots on the disk: neither size nor time of the file change."""
        file = largest(self.newest / str(self.source).lstrip("/"))
        before = file.stat()
        flip(file)
        file.chmod(before.st_mode & 0o777)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    async def _truncated(self) -> None:
        cut(largest(self.newest / str(self.source).lstrip("/")))

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        """rsync reads only what has changed."""
        secret = self.source / "notes für später.txt"
        secret.write_text("the combination of the safe")
        secret.chmod(0)
        self.spoiling.unprivileged("rsync")

    async def _prune_failed(self) -> None:
        """An old snapshot that cannot be removed."""
        old = self.newest
        await self.back_up()
        self.spoiling.irremovable(old / str(self.source).lstrip("/") / "notes für später.txt")

    async def _disk_full(self) -> None:
        """The snapshots move to a disk with no room left, and there is something new to back up."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "snapshots")
        (self.source / "new").write_bytes(os.urandom(3_000_000))
        fill(disk)
        self.change(mount=disk, repository=self.at(disk / "snapshots"))

    def change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)


class OnThisMachine(TheGround):
    """In a folder here."""

    async def _connect(self) -> None:
        """Nothing to connect to."""

    def at(self, place: Path) -> str:
        return str(place)

"""A database that an application uses, and its copies by SQLite's online backup; and ways to spoil them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from tests.real.backups.asking import silent
from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip
from tools.backups.kinds import make
from tools.settings import BackupSettings, KeepSettings

_HOLD = """
import sqlite3, sys, pathlib
holding = sqlite3.connect(sys.argv[1], isolation_level=None)
holding.execute("PRAGMA locking_mode = EXCLUSIVE")
holding.execute("BEGIN EXCLUSIVE")
pathlib.Path(sys.argv[2]).touch()
sys.stdin.read()
"""


class TheGround:
    kind: ClassVar[str] = "sqlite"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "wrong_password": "a copy is a plain file",
        "sources_unread": "there is one file, and it can be read or not",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "vault.sqlite3"
        self.place = folder / "copies"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="sqlite",
            repository=str(self.place),
            paths=(str(self.database),),
            keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, days=0),
            timeout_s=2.0,
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def prepare(self) -> None:
        self.place.mkdir()
        with closing(sqlite3.connect(self.database)) as made, made:
            made.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
            made.execute("CREATE TABLE secrets (id INTEGER PRIMARY KEY, user_id REFERENCES users, text BLOB)")
            made.execute("CREATE INDEX by_user ON secrets (user_id)")
            made.executemany("INSERT INTO users VALUES (?, ?)", [(number, f"user {number}") for number in range(20)])
            rows = [(number, number % 20, os.urandom(500)) for number in range(1000)]
            made.executemany("INSERT INTO secrets VALUES (?, ?, ?)", rows)
        await self.back_up()

    async def back_up(self) -> None:
        await make(self._settings).back_up(silent)

    async def close(self) -> None:
        await self.spoiling.close()

    @property
    def newest(self) -> Path:
        return max(self.place.glob("*.sqlite"), key=lambda copy: copy.stat().st_mtime_ns)

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
        self.change(mount=mount, repository=str(mount / "copies"))

    async def _locked(self) -> None:
        """Another program keeps the database to itself."""
        held = self.folder / "held"
        argv = [sys.executable, "-c", _HOLD, str(self.database), str(held)]
        await self.spoiling.hold(argv, {}, held.exists)

    async def _damaged(self) -> None:
        flip(self.newest, 40_000)

    async def _truncated(self) -> None:
        cut(self.newest)

    async def _source_missing(self) -> None:
        self.database.unlink()

    async def _prune_failed(self) -> None:
        """Old copies that cannot be removed."""
        old = self.newest
        await self.back_up()
        self.spoiling.irremovable(old)

    async def _disk_full(self) -> None:
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "copies")
        fill(disk)
        self.change(mount=disk, repository=str(disk / "copies"))

    def change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)

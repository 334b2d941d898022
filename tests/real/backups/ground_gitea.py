"""A Gitea's data, dumps of it in the form of ``gitea dump``, and ways to spoil them.

No program ``gitea`` is installed for the tests: ``gitea_program`` writes the dump, of real git repositories and a real
SQLite database.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from tests.real.backups import gitea_program
from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip, needs, until_done
from tools.backups.kinds.gitea import GiteaDump
from tools.backups.kinds.target import targets
from tools.settings import BackupSettings, KeepSettings

REPOSITORIES = ("anna/recipes", "anna/recipes.wiki", "ben/house")
WHO = {
    "GIT_AUTHOR_NAME": "Anna",
    "GIT_AUTHOR_EMAIL": "anna@example.org",
    "GIT_COMMITTER_NAME": "Anna",
    "GIT_COMMITTER_EMAIL": "anna@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}

TABLES = """
CREATE TABLE `user` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `lower_name` TEXT NOT NULL, `avatar` BLOB NULL);
CREATE UNIQUE INDEX `UQE_user_lower_name` ON `user` (`lower_name`);
CREATE TABLE `repository` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `owner_name` TEXT NULL,
    `lower_name` TEXT NOT NULL, `is_empty` INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE `issue` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `content` TEXT NULL);
"""


class TheGround:
    kind: ClassVar[str] = "gitea-dump"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "wrong_password": "a dump of Gitea has no password",
        "locked": "a folder of dumps has no lock",
        "sources_unread": "gitea dump ends with an error where it cannot read a file: the run fails",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.instance = folder / "gitea"
        self.place = folder / "dumps"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="gitea-dump",
            repository=str(self.place),
            command=(sys.executable, gitea_program.__file__, str(self.instance), "dump"),
            keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {
            "no_repository": self._no_repository,
            "not_mounted": self._not_mounted,
            "damaged": self._damaged,
            "truncated": self._truncated,
            "source_missing": self._source_missing,
            "prune_failed": self._prune_failed,
            "disk_full": self._disk_full,
        }

    async def prepare(self) -> None:
        needs("git", "apt-get install git")
        self.place.mkdir()
        (self.instance / "data").mkdir(parents=True)
        (self.instance / "app.ini").write_text("[database]\nDB_TYPE = sqlite3\n")
        for name in REPOSITORIES:
            await self._repository(name)
        self._database()
        await self.back_up()

    async def back_up(self) -> str:
        """One more dump, by the adapter; its name."""
        kind = GiteaDump(self._settings, targets(self._settings)[0])
        return (await kind.back_up(lambda share, doing: None)).id

    def newest(self) -> Path:
        return max(self.place.glob("*.zip"))

    async def close(self) -> None:
        await self.spoiling.close()

    async def _repository(self, name: str) -> None:
        """A bare repository with two commits, one of them packed."""
        bare, work = self.instance / "repos" / f"{name}.git", self.folder / "work"
        await until_done(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], WHO)
        await until_done(["git", "clone", "--quiet", str(bare), str(work)], WHO)
        for number in range(2):
            (work / f"{number}.md").write_text(f"# {name} {number}\n" * 200)
            await until_done(["git", "-C", str(work), "add", "--all"], WHO)
            await until_done(["git", "-C", str(work), "commit", "--quiet", "--message", f"change {number}"], WHO)
            await until_done(["git", "-C", str(work), "push", "--quiet", "origin", "HEAD:main"], WHO)
            if not number:
                await until_done(["git", "-C", str(bare), "gc", "--quiet"], WHO)
        shutil.rmtree(work)

    def _database(self) -> None:
        with closing(sqlite3.connect(self.instance / "data" / "gitea.db")) as database:
            database.executescript(TABLES)
            for owner in ("anna", "ben"):
                database.execute("INSERT INTO user (lower_name, avatar) VALUES (?, ?)", (owner, b"\x00\xff'"))
            repositories = [("Anna", "recipes", 0), ("ben", "house", 0), ("ben", "never-pushed", 1)]
            statement = "INSERT INTO repository (owner_name, lower_name, is_empty) VALUES (?, ?, ?)"
            database.executemany(statement, repositories)
            text = "It says:\nDROP TABLE user;\n-- it's 'quoted';\n"
            database.executemany("INSERT INTO issue (content) VALUES (?)", [(text + str(n),) for n in range(60)])
            database.commit()

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self._change(mount=mount, repository=str(mount / "dumps"))

    async def _damaged(self) -> None:
        flip(self.newest(), self.newest().stat().st_size // 2)

    async def _truncated(self) -> None:
        cut(self.newest())

    async def _source_missing(self) -> None:
        shutil.rmtree(self.instance)

    async def _prune_failed(self) -> None:
        """Old dumps that cannot be removed."""
        for _ in range(2):
            await self.back_up()
        self.spoiling.irremovable(*self.place.glob("*.zip"))

    async def _disk_full(self) -> None:
        """The dumps move to a disk with no room left."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 2)
        shutil.copytree(self.place, disk / "dumps")
        fill(disk)
        self._change(mount=disk, repository=str(disk / "dumps"))

    def _change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)

"""A configuration folder as Home Assistant has it, encrypted backups of it, and ways to spoil them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling, cut, fill, flip
from tools.backups.kinds.home_assistant import HomeAssistantTar
from tools.backups.kinds.target import targets
from tools.settings import BackupSettings, KeepSettings

KEY = "AB12-CD34-EF56-GH78-IJ90-KL12-MN34"
VERSION = "2025.4.4"
STATES = 3000


class TheGround:
    kind: ClassVar[str] = "home-assistant-tar"
    cannot: ClassVar[Mapping[Seed, str]] = {"locked": "a folder of backups has no lock"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "config"
        self.place = folder / "backups"
        self.key = folder / "key"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(
            kind="home-assistant-tar",
            repository=str(self.place),
            password_file=self.key,
            paths=(str(self.source),),
            keep=KeepSettings(last=2, daily=0, weekly=0, monthly=0, days=0),
            run_timeout_h=0.05,
        )

    @property
    def settings(self) -> BackupSettings:
        return self._settings

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

    async def prepare(self) -> None:
        self.place.mkdir()
        self.key.write_text(KEY + "\n")
        configure(self.source)
        await self.back_up()

    async def back_up(self) -> str:
        """One more backup, by the adapter; its name."""
        kind = HomeAssistantTar(self._settings, targets(self._settings)[0])
        return (await kind.back_up(lambda share, doing: None)).id

    def newest(self) -> Path:
        return max(self.place.glob("*.tar"))

    async def close(self) -> None:
        await self.spoiling.close()

    async def _wrong_password(self) -> None:
        self.key.write_text("XX12-CD34-EF56-GH78-IJ90-KL12-MN34\n")

    async def _no_repository(self) -> None:
        shutil.rmtree(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self._change(mount=mount, repository=str(mount / "backups"))

    async def _damaged(self) -> None:
        flip(self.newest(), self.newest().stat().st_size // 2)

    async def _truncated(self) -> None:
        cut(self.newest())

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

    async def _sources_unread(self) -> None:
        """Its database is no database any more, so that no copy can be made of it."""
        for name in ("home-assistant_v2.db-wal", "home-assistant_v2.db-shm"):
            (self.source / name).unlink(missing_ok=True)
        (self.source / "home-assistant_v2.db").write_bytes(b"nothing of a database" * 500)

    async def _prune_failed(self) -> None:
        """Old backups that cannot be removed."""
        for _ in range(2):
            await self.back_up()
        self.spoiling.irremovable(*self.place.glob("*.tar"))

    async def _disk_full(self) -> None:
        """The backups move to a disk with no room left."""
        disk = self.folder / "full"
        self.spoiling.small_disk(disk, 4)
        shutil.copytree(self.place, disk / "backups")
        fill(disk)
        self._change(mount=disk, repository=str(disk / "backups"))

    def _change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)


def configure(folder: Path) -> None:
    """What Home Assistant keeps: YAML, registries, its database with a log not yet merged, and what it leaves out."""
    (folder / ".storage").mkdir(parents=True)
    (folder / "www").mkdir()
    (folder / "backups").mkdir()
    (folder / ".HA_VERSION").write_text(VERSION)
    (folder / "configuration.yaml").write_text("default_config:\nhttp: !include http.yaml\n")
    (folder / "automations.yaml").write_text("[]\n")
    (folder / "www" / "plan für oben.svg").write_text("<svg/>")
    (folder / "www" / "everywhere").symlink_to("/config/www")
    (folder / "home-assistant.log").write_text("left out")
    (folder / "backups" / "old.tar").write_text("left out")
    registry = {"version": 1, "key": "core.entity_registry", "data": {"entities": []}}
    (folder / ".storage" / "core.entity_registry").write_text(json.dumps(registry))
    with closing(sqlite3.connect(folder / "home-assistant_v2.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE states (state_id INTEGER PRIMARY KEY, state TEXT, last_updated_ts FLOAT)")
        rows = ((f"state {n}", float(n)) for n in range(STATES))
        database.executemany("INSERT INTO states (state, last_updated_ts) VALUES (?, ?)", rows)
        database.commit()

"""A job that is made elsewhere and checks in by a file; and ways to spoil that."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.real.backups.ground import Seed
from tests.real.backups.spoiling import Spoiling
from tools.backups.kinds import check_in
from tools.backups.kinds.check_in import CheckIn
from tools.settings import BackupSettings

_ELSEWHERE = "it is made elsewhere"


class TheGround:
    kind: ClassVar[str] = "report"
    cannot: ClassVar[Mapping[Seed, str]] = {
        "wrong_password": _ELSEWHERE,
        "not_mounted": "its disk is meant to be unplugged",
        "locked": _ELSEWHERE,
        "damaged": "a report that cannot be read is no word at all, and no damage",
        "truncated": "a report that cannot be read is no word at all, and no damage",
        "source_missing": _ELSEWHERE,
        "sources_unread": _ELSEWHERE,
        "prune_failed": _ELSEWHERE,
        "disk_full": _ELSEWHERE,
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "reports" / "hyper-backup.json"
        self.spoiling = Spoiling(folder)
        self._settings = BackupSettings(kind="report", report=self.report, unplugged_within_h=2.0)

    @property
    def settings(self) -> BackupSettings:
        return self._settings

    async def prepare(self) -> None:
        self.report.parent.mkdir()
        check_in.write(self.report, CheckIn(at=self.folder.stat().st_mtime, duration_s=60.0, size=10_000, files=12))

    async def close(self) -> None:
        await self.spoiling.close()

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]:
        return {"no_repository": self._no_repository}

    async def _no_repository(self) -> None:
        shutil.rmtree(self.report.parent)

    def change(self, **changes: object) -> None:
        self._settings = self._settings.model_copy(update=changes)

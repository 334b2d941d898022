"""A real borgmatic over a real borg repository, and ways to spoil it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from tests.real.backups import ground_borg
from tests.real.backups.spoiling import needs
from tools.settings import BackupSettings

PASSWORD = ground_borg.PASSWORD
INSTALLED = Path(__file__).parents[3] / ".real" / "borgmatic" / "bin" / "borgmatic"


class TheGround(ground_borg.TheGround):
    """The repository and its seeds are borg's; what differs is who asks it."""

    kind: ClassVar[str] = "borgmatic"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.config = folder / "borgmatic.yaml"
        self._settings = BackupSettings(
            kind="borgmatic",
            config_file=self.config,
            repository=str(self.place),
            paths=(str(self.source),),
            run_timeout_h=0.05,
        )

    def configure(self, place: Path, more: str = "") -> None:
        self.config.write_text(
            f"source_directories: ['{self.source}']\n"
            f"repositories: [{{path: '{place}', label: here}}]\n"
            f"encryption_passcommand: \"cat '{self.password}'\"\n"
            f"borg_base_directory: '{self.base}'\n"
            f"user_state_directory: '{self.folder / 'state'}'\n"
            f"archive_name_format: '{{hostname}}-{{now:%Y-%m-%dT%H:%M:%S.%f}}'\n"
            "match_archives: '*'\n"
            "exclude_patterns: ['*.tmp']\n"
            "keep_daily: 2\n"
            f"{more}"
        )

    async def prepare(self) -> None:
        if INSTALLED.exists():
            self.spoiling.on_path("borgmatic", f'"{INSTALLED}"')
        needs("borgmatic", "pip install borgmatic")
        await super().prepare()
        self.configure(self.place)

    async def _not_mounted(self) -> None:
        mount = self.folder / "disk"
        mount.mkdir()
        self.configure(mount / "repository")
        self._settings = self._settings.model_copy(update={"mount": mount, "repository": str(mount / "repository")})

    async def _sources_unread(self) -> None:
        (self.source / "notes für später.txt").chmod(0)
        self.spoiling.unprivileged("borgmatic")

    async def _source_missing(self) -> None:
        shutil.rmtree(self.source)

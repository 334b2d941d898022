"""A real restic repository, and an executable that stands in for restic where the real one behaves too well."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tools.backups.records import BackupRecords
from tools.backups.tool import CheckBackups, CheckBackupsArguments
from tools.contract import JsonObject, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.restore_tests import testing
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store


@dataclass(frozen=True)
class Repository:
    """A source, a repository, and the file with its password, all below one folder."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def place(self) -> Path:
        return self.folder / "repository"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    def restic(self, *arguments: str) -> None:
        environment = {**os.environ, "RESTIC_PASSWORD_FILE": str(self.password)}
        command = ["restic", "--no-cache", "--quiet", "--repo", str(self.place), *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def back_up(self, *options: str) -> None:
        self.restic("backup", *options, str(self.source))

    def packs(self) -> list[Path]:
        """Its data files, the largest first."""
        files = [path for path in (self.place / "data").rglob("*") if path.is_file()]
        return sorted(files, key=lambda path: -path.stat().st_size)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository: deriving its key takes restic a second."""
    repository = Repository(tmp_path_factory.mktemp("restic"))
    repository.password.write_text("correct horse")
    repository.restic("init")
    return repository.folder


@pytest.fixture
def repository(initialised: Path, tmp_path: Path) -> Repository:
    """A source with two files, backed up just now."""
    made = Repository(tmp_path / "backup")
    shutil.copytree(initialised, made.folder)
    (made.source / "2024").mkdir(parents=True)
    (made.source / "2024" / "holiday.jpg").write_bytes(os.urandom(200_000))
    (made.source / "notes.txt").write_text("milk, eggs")
    made.back_up()
    return made


@pytest.fixture
def nowhere(tmp_path: Path) -> Repository:
    """A password file, and nothing where the repository should be: for a fake restic."""
    made = Repository(tmp_path / "nowhere")
    made.folder.mkdir()
    made.password.write_text("correct horse")
    return made


@dataclass
class Jobs:
    """Configured jobs over one state folder."""

    state: Path
    store: Store
    settings: dict[str, dict[str, Any]]

    def tool_settings(self) -> ToolSettings:
        return ToolSettings.model_validate({"backups": self.settings})

    def add(self, name: str, at: Repository | None = None, **more: Any) -> None:
        where = {"repository": str(at.place), "password_file": at.password} if at else {}
        self.settings[name] = {"kind": "restic", "paths": (), **where, **more}

    def job(self, name: str) -> BackupSettings:
        return self.tool_settings().backups[name]

    async def check(self, job: str | None = None) -> ToolResult:
        settings = self.tool_settings()
        tool = CheckBackups(settings, NameIndex.from_settings(settings), self.store)
        planned = tool.plan(CheckBackupsArguments(job=job))
        assert isinstance(planned, PlannedCall)
        return await tool.execute(planned)

    async def record_of(self, job: str) -> JsonObject:
        (record,) = (await self.check(job)).data["jobs"]
        found: JsonObject = record
        return found

    async def restore(self, job: str) -> JsonObject:
        report = await testing.test_restore(
            job,
            self.job(job),
            BackupRecords(self.store),
            self.state,
            seed=1,
            max_bytes=10**9,
            progress=lambda _share, _doing: None,
        )
        return report.record


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    state = tmp_path / "state"
    with Store(state / "jarvis.db") as store:
        yield Jobs(state, store, {})


@dataclass(frozen=True)
class FakeRestic:
    """An executable called restic, first on PATH."""

    folder: Path

    def does(self, script: str) -> None:
        program = self.folder / "restic"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def fake_restic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRestic:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return FakeRestic(folder)


def restic_time(at: float) -> str:
    """For ``restic backup --time``, which reads local time."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")

"""The demo homelab with all that it can be made with, and with as little as it starts with."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from assistant.config import Settings
from assistant.demo.homelab import demo_homelab, demo_state, read_homelab
from tests.real.backups.spoiling import needs
from tools.contract import Caller, Door, ToolResult
from tools.server import ToolHouse

pytestmark = pytest.mark.real_server

BUILT_WITHIN_S = 15.0
SAID = (
    "Four of seven backups are proven. The databases dump can't be restored, the config backup is three days old and "
    "gitea was never restored."
)


async def checked(settings: Settings, folder: Path, job: str | None = None) -> ToolResult:
    with ToolHouse(settings, demo_state(folder)) as house:
        outcome = await house.path.call("check_backups", {"job": job} if job else {}, Caller(door=Door.CLI))
    assert outcome.result is not None
    return outcome.result


def programs_without(folder: Path, *names: str) -> Path:
    """All that is on the PATH, but for what begins with one of these."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            if not program.name.startswith(names):
                (folder / program.name).unlink(missing_ok=True)
                (folder / program.name).symlink_to(program)
    return folder


def verdicts(result: ToolResult) -> dict[str, str]:
    return {str(record["job"]): str(record["verdict"]) for record in result.data["jobs"]}


async def test_every_verdict_is_the_one_that_the_file_tells_of(tmp_path: Path) -> None:
    for program, package in (("borg", "borgbackup"), ("pg_dump", "postgresql"), ("rsync", "rsync")):
        needs(program, f"apt-get install {package}")
    began = time.monotonic()
    async with demo_homelab(tmp_path) as settings:
        took = time.monotonic() - began
        result = await checked(settings, tmp_path)
        assert verdicts(result) == {job: one.verdict for job, one in read_homelab().backups.items()}
        assert result.spoken == SAID
        databases = (await checked(settings, tmp_path, "databases")).data["jobs"][0]
        assert "damaged" in databases["detail"]  # bytes of the dump were flipped, and its restore test found it
        config = (await checked(settings, tmp_path, "config")).data["jobs"][0]
        assert 48 < config["age_h"] < 84
    assert took < BUILT_WITHIN_S


async def test_without_borg_and_postgresql_the_demo_starts_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs_without(tmp_path / "bin", "borg", "pg_", "psql", "postgres")))
    said: list[str] = []
    demo = tmp_path / "demo"
    async with demo_homelab(demo, say=said.append) as settings:
        found = verdicts(await checked(settings, demo))
        assert "borgbackup is not installed: documents gets no backup" in said
        assert "postgresql is not installed: databases gets no backup" in said
        documents = await checked(settings, demo, "documents")
    assert (found["documents"], found["databases"], found["photos"]) == ("unknown", "failed", "ok")
    assert "borg is not installed" in documents.spoken

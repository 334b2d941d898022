"""The demo homelab is built from real parts, once, and says what `homelab.yaml` says of them."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from assistant.config import Settings
from assistant.demo.backups import JOBS, missing
from assistant.demo.homelab import YAML, demo_homelab, demo_state, read_homelab
from assistant.errors import StateError
from tests.demo_said import BACKUPS_SAID
from tools.contract import Caller, Door
from tools.server import ToolHouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo folder with everything made, for tests that only look at it."""
    import asyncio

    folder = tmp_path_factory.mktemp("demo")

    async def build() -> None:
        async with demo_homelab(folder):
            pass

    asyncio.run(build())
    return folder


def snapshots(folder: Path) -> list[dict[str, object]]:
    listed = subprocess.run(
        ["restic", "--repo", folder / "backups" / "restic", "--no-cache", "--json", "snapshots"],
        env={**os.environ, "RESTIC_PASSWORD_FILE": str(folder / "backups" / "restic.password")},
        capture_output=True,
        check=True,
    )
    found: list[dict[str, object]] = json.loads(listed.stdout)
    return found


def restore_tests(folder: Path) -> list[tuple[str, int, float]]:
    with sqlite3.connect(demo_state(folder) / "jarvis.db") as db:
        rows = db.execute("SELECT job, ok, json_extract(record, '$.coverage_pct') FROM restore_tests").fetchall()
    db.close()
    return rows


def test_the_shipped_file_has_the_thirteen_services_of_the_demo() -> None:
    homelab = read_homelab()
    assert len(homelab.services) == 13
    assert {name for name, s in homelab.services.items() if s.state != "up"} == {"immich", "minecraft", "nextcloud"}


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "homelab.yaml"
    changed.write_text(YAML.read_text().replace("state: flapping", "state: flapping, colour: red"))
    with pytest.raises(ValidationError, match="colour"):
        read_homelab(changed)


def test_restic_itself_lists_one_snapshot_of_each_job(built: Path) -> None:
    assert sorted(str(tag) for snapshot in snapshots(built) for tag in snapshot["tags"]) == ["gitea", "photos"]  # type: ignore[attr-defined]


def test_photos_is_proven_by_a_restore_that_compared_every_file_and_gitea_is_not(built: Path) -> None:
    tests = {job: (ok, coverage) for job, ok, coverage in restore_tests(built)}
    assert tests["photos"] == (1, 100.0)
    assert "gitea" not in tests


async def test_every_verdict_is_the_one_that_the_file_tells_of_where_its_program_is_installed(built: Path) -> None:
    told = {job: one.verdict for job, one in read_homelab().backups.items()}
    without = {job: verdict for job, verdict in (("documents", "unknown"), ("databases", "failed")) if job in missing()}
    async with demo_homelab(built) as settings:
        with ToolHouse(settings, demo_state(built)) as house:
            outcome = await house.path.call("check_backups", {}, Caller(door=Door.CLI))
    assert outcome.result is not None
    assert {one["job"]: one["verdict"] for one in outcome.result.data["jobs"]} == told | without
    assert outcome.spoken.startswith(BACKUPS_SAID)


def test_the_password_is_random_and_only_the_owner_may_read_it(built: Path) -> None:
    password = built / "backups" / "restic.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert len(password.read_text()) >= 24
    assert stat.S_IMODE(built.stat().st_mode) == 0o700


def test_pictures_are_pictures(built: Path) -> None:
    pictures = sorted((built / "backups" / "data" / "photos").rglob("*.ppm"))
    header = b"P6 96 96 255\n"
    assert pictures
    assert all(p.read_bytes().startswith(header) for p in pictures)
    assert all(p.stat().st_size == len(header) + 3 * 96 * 96 for p in pictures)


async def test_the_settings_name_every_service_with_its_aliases_and_every_job(built: Path) -> None:
    async with demo_homelab(built, Settings(engine="sentences")) as settings:
        assert settings.services["jellyfin"].aliases == ("jelly fin", "the media server")
        assert not settings.local_engines
        assert set(settings.backups) == set(read_homelab().backups) == set(JOBS)
        assert {job: one.kind for job, one in settings.backups.items()} == {
            job: one.kind for job, one in read_homelab().backups.items()
        }
        assert settings.backups["photos"].aliases == ("the photo library", "pictures")
        assert settings.state_dir == demo_state(built)
        assert settings.engine == "sentences"


async def test_a_second_start_finds_everything_there_and_runs_no_program(
    built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    restic = tmp_path / "restic"
    restic.write_text("#!/bin/sh\nexit 99\n")
    restic.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    async with demo_homelab(built, say=said.append):
        assert said == []


async def test_backups_older_than_a_day_are_made_anew_and_a_persons_own_restic_variables_do_not_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTIC_REPOSITORY", str(tmp_path / "theirs"))
    monkeypatch.setenv("RESTIC_PASSWORD_COMMAND", "echo theirs")
    demo = tmp_path / "demo"
    async with demo_homelab(demo):
        pass
    marker = demo / "backups" / "built.json"
    yesterday = marker.stat().st_mtime - 25 * 3600
    os.utime(marker, (yesterday, yesterday))
    said: list[str] = []
    async with demo_homelab(demo, say=said.append):
        assert any("backing up photos" in line for line in said)
    assert not (tmp_path / "theirs").exists()
    monkeypatch.delenv("RESTIC_REPOSITORY")
    monkeypatch.delenv("RESTIC_PASSWORD_COMMAND")
    assert len(snapshots(demo)) == 4
    assert [entry for entry in restore_tests(demo) if entry[0] == "photos"] == [("photos", 1, 100.0)] * 2


async def test_without_restic_the_error_has_the_line_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StateError) as caught:
        async with demo_homelab(tmp_path / "demo"):
            pass
    assert caught.value.code == "restic_missing"
    assert "apt-get install restic" in caught.value.mend


async def test_a_restic_that_fails_is_quoted_and_the_way_out_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restic = tmp_path / "bin" / "restic"
    restic.parent.mkdir()
    restic.write_text("#!/bin/sh\necho no space left on device >&2\nexit 1\n")
    restic.chmod(0o755)
    monkeypatch.setenv("PATH", str(restic.parent), prepend=os.pathsep)
    with pytest.raises(StateError) as caught:
        async with demo_homelab(tmp_path / "demo"):
            pass
    assert "no space left on device" in caught.value.detail
    assert "--reset" in caught.value.mend

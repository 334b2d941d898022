"""deploy/upgrade.sh with real git and stand-ins for systemctl, jarvis and the set-up: forward, back, and not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "upgrade.sh"
UNIT = '[Service]\nEnvironment=JARVIS_STATE={state}\nEnvironment="JARVIS_CONFIG=/etc/my jarvis.toml"\n'


class House:
    """A checkout with two versions, and a user's unit."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout, self.state = folder, folder / "checkout", folder / "state"
        self.log = folder / "calls"
        self.log.touch()
        self.state.mkdir()
        (folder / "bin").mkdir()
        unit = folder / ".config" / "systemd" / "user" / "jarvis.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(UNIT.format(state=self.state), encoding="utf-8")
        origin = folder / "origin"
        (origin / "deploy").mkdir(parents=True)
        (origin / ".gitignore").write_text(".venv/\n")
        shutil.copy(SCRIPT, origin / "deploy")
        self.program(origin / "deploy" / "setup.sh", "setup")
        self.git(origin, "init", "--quiet", "--initial-branch=main")
        for version in ("old", "new"):
            (origin / "version").write_text(version)
            self.git(origin, "add", "-A")
            self.git(origin, "commit", "--quiet", "-m", version)
            self.git(origin, "tag", version)
        self.git(folder, "clone", "--quiet", str(origin), str(self.checkout))
        self.git(self.checkout, "checkout", "--quiet", "--detach", "old")
        self.program(self.checkout / ".venv" / "bin" / "jarvis", "jarvis")
        self.program(folder / "bin" / "systemctl", "systemctl")

    def program(self, path: Path, name: str, script: str = "") -> None:
        """It logs what it is told, and at which version."""
        path.parent.mkdir(parents=True, exist_ok=True)
        known = '[ -e version ] && at="$(cat version) " || at=""\n'
        path.write_text(f'#!/bin/sh\n{known}echo "${{at}}{name} $*" >>{self.log}\n{script}\n')
        path.chmod(0o755)

    def git(self, where: Path, *words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *who, *words], cwd=where, capture_output=True, text=True, check=True).stdout

    def upgrade(self, version: str) -> subprocess.CompletedProcess[str]:
        """To that version."""
        environment = {
            "HOME": str(self.folder), "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "BACKUPS": str(self.folder), "SYSTEM_UNITS": str(self.folder / "none"),
        }  # fmt: skip
        command = [str(self.checkout / "deploy" / "upgrade.sh"), version]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()

    @property
    def version(self) -> str:
        return (self.checkout / "version").read_text()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_state_is_backed_up_before_the_new_version_is_installed_and_started(house: House) -> None:
    done = house.upgrade("new")
    assert done.returncode == 0, done.stderr
    assert house.version == "new"
    backup, *rest = house.calls()
    assert backup.startswith(f"old jarvis state backup {house.folder}/jarvis-state-before-")
    assert rest == [
        "new setup run", "new jarvis version", "new jarvis models pull", "new systemctl --user restart jarvis.service",
    ]  # fmt: skip


def test_a_version_that_does_not_start_goes_back_with_the_database(house: House) -> None:
    house.program(house.folder / "bin" / "systemctl", "systemctl", 'case "$*" in *restart*) exit 1 ;; esac')
    done = house.upgrade("new")
    assert done.returncode == 1
    assert "The old version runs again." in done.stderr
    assert house.version == "old"
    assert house.calls()[-5:] == [
        "new systemctl --user stop jarvis.service", "old setup run", "old jarvis state rollback",
        "old systemctl --user reset-failed jarvis.service", "old systemctl --user start jarvis.service",
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["no backup", "no such version", "own changes", "the same version"])
def test_where_it_cannot_be_done_nothing_is(house: House, what: str) -> None:
    if what == "no backup":
        house.program(house.checkout / ".venv" / "bin" / "jarvis", "jarvis", "exit 1")
    if what == "own changes":
        (house.checkout / "version").write_text("mine")
    done = house.upgrade({"no such version": "newest", "the same version": "old"}.get(what, "new"))
    assert done.returncode == 2, done.stderr
    assert house.version == ("mine" if what == "own changes" else "old")
    assert not [call for call in house.calls() if "systemctl" in call or "setup" in call]

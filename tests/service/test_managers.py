"""`jarvis service` on a PATH of stand-ins for systemctl and launchctl, which log what they are told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assistant.cli.main import app
from assistant.config import Settings
from assistant.config_file import Loaded
from assistant.errors import ServiceError
from assistant.service.launchd import LABEL, LaunchdService, agent
from assistant.service.plan import Wishes, plan
from assistant.service.systemd import SystemdService
from assistant.service.unit import MARK, NAME, address_lines

SHOWN = """ActiveState=active
SubState=running
UnitFileState=enabled
MainPID=4711
NRestarts=2
StatusText=serves http://127.0.0.1:8765; ears, mouth and model are ready
MemoryCurrent=[not set]
"""


class Desk:
    """Stand-ins on PATH, a folder for units, and a house."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.bin, self.units = folder / "calls", folder / "bin", folder / "units"
        self.log.touch()
        self.bin.mkdir()
        self.loaded = Loaded(
            Settings.model_validate({"state_dir": str(folder / "state"), "models_dir": str(folder / "models")}),
            None,
            (),
        )
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}{os.environ['PATH']}")
        self.program("systemctl", f'case "$*" in *show*ActiveState*) printf %s "{SHOWN}" ;; esac')
        self.service = SystemdService("user", self.units)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "$*" >>{self.log}\n{script}\n')
        path.chmod(0o755)

    def install(self, **wishes: Any) -> list[str]:
        """The changes."""
        made = plan(self.loaded, Wishes("user", **wishes), folder=self.units)
        return list(self.service.install(made).values())

    def told(self) -> list[str]:
        """What systemctl was told since the last look, without what only asks."""
        said = [line.removeprefix("--user ") for line in self.log.read_text().splitlines()]
        self.log.write_text("")
        return [line for line in said if not line.startswith("show")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_an_install_writes_enables_and_starts_and_again_restarts_only_what_has_changed(desk: Desk) -> None:
    assert desk.install() == ["new"]
    assert desk.told() == ["daemon-reload", f"enable --quiet {NAME}", f"reset-failed {NAME}", f"start {NAME}"]
    assert desk.install() == ["unchanged"]
    assert desk.told()[-1] == f"start {NAME}"
    assert desk.install(listen=True) == ["changed"]
    assert desk.told()[-1] == f"restart {NAME}"


def test_somebody_elses_unit_is_left_alone(desk: Desk) -> None:
    desk.units.mkdir()
    (desk.units / NAME).write_text("[Service]\nExecStart=/mine\n")
    with pytest.raises(ServiceError) as refused:
        desk.install()
    assert refused.value.code == "not_ours"
    desk.service.uninstall()
    assert (desk.units / NAME).read_text() == "[Service]\nExecStart=/mine\n"


def test_a_service_that_does_not_start_is_told_with_its_last_words(desk: Desk) -> None:
    desk.program("systemctl", f'case "$*" in *" start {NAME}") exit 1 ;; esac')
    desk.program("journalctl", "echo Config error: the key is wrong")
    with pytest.raises(ServiceError, match="the key is wrong") as failed:
        desk.install()
    assert failed.value.code == "does_not_start"


def test_the_status_is_what_systemd_says(desk: Desk) -> None:
    assert not desk.service.status().installed
    desk.install()
    found = desk.service.status()
    assert (found.running, found.pid, found.restarts, found.memory_bytes) == (True, 4711, 2, None)
    assert found.status is not None
    assert found.status.startswith("serves http://127.0.0.1:8765; ears")


def test_a_refresh_replaces_the_whole_list_and_reloads_only_where_it_has_changed(desk: Desk) -> None:
    desk.install()
    desk.told()
    assert desk.service.refresh(["203.0.113.7"]) == "new"
    assert desk.told() == ["daemon-reload"]
    assert desk.service.refresh(["203.0.113.7"]) == "unchanged"
    assert desk.told() == []
    drop_in = desk.units / f"{NAME}.d" / "addresses.conf"
    assert drop_in.read_text() == address_lines(["203.0.113.7"])
    assert MARK in drop_in.read_text()


def test_an_uninstall_leaves_no_file_and_is_idempotent(desk: Desk) -> None:
    desk.install()
    desk.service.refresh(["203.0.113.7"])
    desk.told()
    assert [path.name for path in desk.service.uninstall()] == [NAME, "addresses.conf"]
    assert list(desk.units.iterdir()) == []
    told = desk.told()
    assert told[0] == f"kill --kill-who=all --signal=TERM {NAME}"
    assert f"disable --now --quiet {NAME}" in told
    assert f"clean --what=cache,runtime {NAME}" in told
    assert told[-1] == "daemon-reload"
    assert desk.service.uninstall() == []
    assert desk.told() == []


def test_without_systemd_it_says_so(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.service.systemd.BOOTED", tmp_path / "nowhere")
    with pytest.raises(ServiceError) as refused:
        desk.service.check()
    assert refused.value.code == "no_systemd"
    assert "jarvis serve" in refused.value.mend


def test_launchd_is_told_to_load_it_anew_and_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.program("launchctl", '[ "$1" != print ] || printf "\\tstate = running\\n\\tpid = 99\\n\\truns = 3\\n"')
    folder, log = tmp_path / "agents", tmp_path / "log"
    mac = LaunchdService(folder, log)
    assert mac.install(agent(desk.loaded, folder=folder, log=log)) == "new"
    told = [line.split()[0] for line in desk.told()]
    assert told == ["bootout", "bootstrap"]
    found = mac.status()
    assert (found.running, found.pid, found.restarts, found.sub) == (True, 99, 2, "running")
    assert mac.logs_command(lines=5, follow=True)[-1] == str(log)
    log.write_text("x")
    assert [path.name for path in mac.uninstall(purge=True)] == [f"{LABEL}.plist", "log"]
    assert mac.uninstall() == []


def jarvis(*words: str, user_input: str | None = None) -> Result:
    return CliRunner().invoke(app, ["service", *words], input=user_input)


@pytest.fixture
def at_home(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The command line finds those folders."""
    monkeypatch.setattr("assistant.service.plan.FOLDERS", {"user": desk.units, "system": tmp_path / "system"})
    monkeypatch.setattr("assistant.service.systemd.FOLDERS", {"user": desk.units, "system": tmp_path / "system"})
    monkeypatch.setattr("assistant.service.systemd.BOOTED", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("JARVIS_STATE", str(tmp_path / "state"))
    return desk


def test_a_dry_run_shows_the_unit_and_writes_nothing(at_home: Desk) -> None:
    shown = jarvis("install", "--user", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "WatchdogSec=60" in shown.stdout
    assert not at_home.units.exists()


def test_the_exit_code_says_how_it_is(at_home: Desk) -> None:
    missing = jarvis("status", "--json")
    assert (missing.exit_code, json.loads(missing.stdout)["installed"]) == (4, False)
    assert jarvis("install", "--user").exit_code == 0
    running = jarvis("status", "--json")
    assert (running.exit_code, json.loads(running.stdout)["running"]) == (0, True)
    at_home.program("systemctl", 'case "$*" in *show*) echo ActiveState=failed ;; esac')
    assert jarvis("status").exit_code == 3


def test_a_system_unit_is_roots(at_home: Desk) -> None:
    refused = jarvis("install", "--system")
    assert refused.exit_code == ServiceError.exit_code
    assert "sudo" in refused.output


def test_the_state_is_only_removed_when_it_is_asked_for_and_confirmed(at_home: Desk, tmp_path: Path) -> None:
    state = tmp_path / "state"
    at_home.program("systemctl", f'case "$*" in *show*) echo FragmentPath={at_home.units / NAME} ;; esac')
    jarvis("install", "--user")
    (state / "lock").touch()
    assert jarvis("uninstall", "--user", "--purge", user_input="n\n").exit_code == 1
    assert (at_home.units / NAME).exists()
    assert jarvis("uninstall", "--user").exit_code == 0
    assert state.exists()
    jarvis("install", "--user")
    assert jarvis("uninstall", "--user", "--purge", user_input="y\n").exit_code == 0
    assert not state.exists()

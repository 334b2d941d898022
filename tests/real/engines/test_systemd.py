"""A real systemd: what it says of units, their journal, and starting, stopping and restarting by the tools."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.engines.systemd_machine import NAMESPACES, Machine, machine
from tools.contract import PlannedCall, ToolResult
from tools.engines.port import EngineError, Unit
from tools.engines.systemd import Systemd
from tools.names import NameIndex
from tools.services.logs import ServiceLogs
from tools.services.power import ServicePower
from tools.settings import ToolSettings
from tools.settings_house import EngineSettings

pytestmark = pytest.mark.real_server

SLEEP = "exec sleep 1000"


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("systemd") / "log") as running:
        yield running


@pytest.fixture
def systemd(booted: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """``systemctl`` and ``journalctl`` are those of the booted system, reached by a line of shell each."""
    enter = f"exec nsenter --target={booted.leader} {' '.join(NAMESPACES)}"
    (tmp_path / "bin").mkdir()
    for program in ("systemctl", "journalctl"):
        script = tmp_path / "bin" / program
        script.write_text(f'#!/bin/sh\n{enter} env LC_ALL="$LC_ALL" TZ="$TZ" {program} "$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Systemd("nuc", EngineSettings(kind="systemd", timeout_s=10.0))


async def until(systemd: Systemd, name: str, *, running: bool) -> Unit:
    deadline = time.monotonic() + 20.0
    while (unit := await systemd.find(name)).running is not running:
        assert time.monotonic() < deadline, unit
    return unit


async def power(systemd: Systemd, action: str, name: str) -> ToolResult:
    settings = ToolSettings.model_validate({"services": {name: {}}})
    tool = ServicePower(settings, NameIndex.from_settings(settings), {"nuc": systemd})
    return await tool.execute(PlannedCall(tool=tool.name, arguments={"service": name, "action": action}))


async def test_units_are_told_with_their_state_and_since_when(booted: Machine, systemd: Systemd) -> None:
    booted.service("paperless", SLEEP)
    asleep = await systemd.find("paperless")
    assert (asleep.name, asleep.running) == ("paperless", False)
    before = time.time()
    await systemd.start(asleep)
    awake = await until(systemd, "paperless", running=True)
    assert awake.since is not None
    assert before - 2 <= awake.since <= time.time() + 1
    assert "paperless" in {unit.name for unit in await systemd.units()}
    await systemd.stop(awake)
    assert not (await until(systemd, "paperless", running=False)).running


async def test_what_failed_tells_its_exit_code(booted: Machine, systemd: Systemd) -> None:
    booted.service("broken", "exit 3")
    await systemd.start(await systemd.find("broken"))
    deadline = time.monotonic() + 20.0
    while (unit := await systemd.find("broken")).exit_code is None:
        assert time.monotonic() < deadline, unit
    assert (unit.running, unit.exit_code) == (False, 3)


async def test_the_journal_is_read_with_what_is_an_error(booted: Machine, systemd: Systemd) -> None:
    booted.service("talker", 'echo hello; echo "<3>the disk is gone"; exec sleep 1000')
    await systemd.start(await systemd.find("talker"))
    deadline = time.monotonic() + 20.0
    lines: dict[str, bool] = {}
    while "the disk is gone" not in lines:
        assert time.monotonic() < deadline, lines
        found = await systemd.logs(await systemd.find("talker"), 50)
        lines = {line.text: line.error for line in found}
    assert (lines["hello"], lines["the disk is gone"]) == (False, True)
    assert all(line.at is not None and abs(line.at - time.time()) < 60 for line in found)
    settings = ToolSettings.model_validate({"services": {"talker": {}}})
    tool = ServiceLogs(settings, NameIndex.from_settings(settings), {"nuc": systemd})
    said = await tool.execute(PlannedCall(tool=tool.name, arguments={"service": "talker"}))
    assert said.tainted
    assert "the disk is gone" in said.spoken


async def test_the_tools_start_restart_and_stop_and_say_what_is_true_then(booted: Machine, systemd: Systemd) -> None:
    booted.service("wiki", SLEEP)
    assert "running" in (await power(systemd, "start", "wiki")).spoken
    first = await until(systemd, "wiki", running=True)
    again = await power(systemd, "restart", "wiki")
    assert "running again" in again.spoken
    second = await until(systemd, "wiki", running=True)
    assert second.since is not None
    assert first.since is not None
    assert second.since >= first.since
    assert "stopped" in (await power(systemd, "stop", "wiki")).spoken
    assert not (await systemd.find("wiki")).running


async def test_a_unit_that_does_not_come_up_is_not_said_to_run(booted: Machine, systemd: Systemd) -> None:
    booted.service("crasher", "exit 7")
    said = await power(systemd, "start", "crasher")
    assert "running" not in said.spoken.replace("not running", "")
    assert said.findings


async def test_masked_and_unknown_units_are_told_apart(booted: Machine, systemd: Systemd) -> None:
    booted.service("sealed", SLEEP)
    sealed = await systemd.find("sealed")
    booted.run("sh", "-c", "rm /etc/systemd/system/sealed.service && systemctl mask sealed && systemctl daemon-reload")
    with pytest.raises(EngineError) as masked:
        await systemd.start(sealed)
    assert "masked" in masked.value.reason
    with pytest.raises(EngineError) as unknown:
        await systemd.find("nothing-like-it")
    assert unknown.value.unknown

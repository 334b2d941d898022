"""systemd by stand-ins for ``systemctl`` and ``journalctl`` that print what the manual pages document.

The refusals, and the journal's lines, are as the real programs of version 252 printed them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.engines.commands import Commands, commands_in
from tools.engines.port import EngineError, LogLine, Unit
from tools.engines.systemd import Systemd
from tools.engines.systemd_said import PROPERTIES, blocks, journal_line, moment, unit_of
from tools.settings_house import EngineSettings

SHOWN = """\
Id=jellyfin.service
LoadState=loaded
ActiveState=active
SubState=running
NRestarts=1
ExecMainCode=0
ExecMainStatus=0
ExecMainExitTimestamp=
ActiveEnterTimestamp=Sun 2026-11-22 00:23:21 UTC
InactiveEnterTimestamp=n/a
StateChangeTimestamp=Sun 2026-11-22 00:23:21 UTC

Id=broken.service
LoadState=loaded
ActiveState=failed
SubState=failed
NRestarts=0
ExecMainCode=1
ExecMainStatus=3
ExecMainExitTimestamp=Sat 2026-11-21 10:00:00 UTC
ActiveEnterTimestamp=Sat 2026-11-21 09:00:00 UTC
InactiveEnterTimestamp=Sat 2026-11-21 10:00:00 UTC
StateChangeTimestamp=Sat 2026-11-21 10:00:00 UTC

Id=gone.service
LoadState=not-found
ActiveState=inactive
SubState=dead
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return commands_in(tmp_path / "bin", monkeypatch)


@pytest.fixture
def systemd() -> Systemd:
    return Systemd("systemd", EngineSettings(kind="systemd"))


def block(**more: str) -> dict[str, str]:
    return {**next(blocks(SHOWN)), **more}


async def test_it_tells_of_all_services_that_are_loaded(commands: Commands, systemd: Systemd) -> None:
    commands.put("systemctl", f"[ $LC_ALL$TZ = CUTC ] && cat <<'END'\n{SHOWN}END")
    runs, broken = await systemd.units()

    assert (runs.id, runs.name, runs.running, runs.since, runs.restarts) == (
        "jellyfin.service", "jellyfin", True, 1795307001.0, 1,
    )  # fmt: skip
    assert (broken.name, broken.running, broken.exit_code, broken.said) == ("broken", False, 3, "failed")
    assert broken.since == 1795255200.0
    assert commands.calls == [f"systemctl --system --no-pager show --property={','.join(PROPERTIES)} -- *.service"]


@pytest.mark.parametrize(
    "more, expected",
    [
        ({"ActiveState": "activating", "SubState": "start"}, (False, "starting", "starting", None)),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, (False, None, "restarting", None)),
        ({"ActiveState": "deactivating", "SubState": "stop-sigterm"}, (False, None, "stopping", None)),
        ({"ActiveState": "reloading", "SubState": "reload"}, (True, None, "reloading", None)),
        ({"ActiveState": "inactive", "LoadState": "masked"}, (False, None, "masked", None)),
        ({"ActiveState": "inactive", "LoadState": "bad-setting"}, (False, None, "wrongly configured", None)),
        ({"ActiveState": "failed", "ExecMainCode": "2", "ExecMainStatus": "9", "ExecMainExitTimestamp": "n/a x"},
         (False, None, "failed", 137)),
    ],
)  # fmt: skip
def test_its_states(more: dict[str, str], expected: tuple[object, ...]) -> None:
    unit = unit_of(block(**more))
    assert (unit.running, unit.health, unit.said, unit.exit_code) == expected


async def test_a_unit_is_found_with_and_without_its_ending(commands: Commands, systemd: Systemd) -> None:
    commands.put("systemctl", f"cat <<'END'\n{SHOWN}END")

    assert (await systemd.find("jellyfin")).id == (await systemd.find("jellyfin.service")).id == "jellyfin.service"
    assert [call.rsplit(" ", 1)[1] for call in commands.calls] == ["jellyfin.service"] * 2


@pytest.mark.parametrize("name", ["gone", "*", "", "a b", "../x", "-.slice/x"])
async def test_what_is_no_unit_is_not_found(name: str, commands: Commands, systemd: Systemd) -> None:
    commands.put("systemctl", "printf 'Id=gone.service\\nLoadState=not-found\\nActiveState=inactive\\n'")
    with pytest.raises(EngineError) as caught:
        await systemd.find(name)
    assert caught.value.unknown
    assert len(commands.calls) == (1 if name == "gone" else 0)


async def test_orders_are_queued_and_ask_nobody_for_a_password(commands: Commands, systemd: Systemd) -> None:
    commands.put("systemctl", "exit 0")
    unit = Unit(id="jellyfin.service", name="jellyfin", running=True)
    await systemd.start(unit)
    await systemd.stop(unit)
    await systemd.restart(unit)
    assert commands.calls == [
        f"systemctl --system --no-pager --no-ask-password --no-block {verb} -- jellyfin.service"
        for verb in ("start", "stop", "restart")
    ]


async def test_the_units_of_the_user_are_asked_for_as_such(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    commands.put("systemctl", '[ "$XDG_RUNTIME_DIR" = /run/user/1000 ]')
    commands.put("journalctl", "exit 0")
    own = Systemd("own", EngineSettings(kind="systemd", user=True))
    unit = Unit(id="notes.service", name="notes", running=True)
    await own.start(unit)
    await own.logs(unit, 7)
    assert commands.calls[0].startswith("systemctl --user ")
    assert commands.calls[1].startswith("journalctl --user-unit=notes.service --lines=7 ")


@pytest.mark.parametrize(
    "said, reason, unknown",
    [
        ("Failed to start jellyfin.service: Interactive authentication required.\n"
         "See system logs and 'systemctl status jellyfin.service' for details.",
         "systemd does not let this user do that; a polkit rule can allow it", False),
        ("Failed to start jellyfin.service: Access denied", "systemd does not let this user do that; a polkit rule can "
         "allow it", False),
        ("Failed to start jellyfin.service: Unit jellyfin.service is masked.",
         "it is masked; systemctl unmask would free it", False),
        ("Failed to start jellyfin.service: Unit jellyfin.service not found.", "it has no such unit", True),
        ("Failed to start x.service: Operation refused, unit x.service may be requested by dependency only (it is "
         "configured to refuse manual start/stop).", "systemd does not start or stop it by hand", False),
        ("System has not been booted with systemd as init system (PID 1). Can't operate.\n"
         "Failed to connect to bus: Host is down", "systemd cannot be asked here", False),
        ("something new", "systemctl ended with code 4", False),
    ],
)  # fmt: skip
async def test_why_it_refuses_is_said_in_words(
    said: str, reason: str, unknown: bool, commands: Commands, systemd: Systemd
) -> None:
    commands.put("systemctl", f"cat >&2 <<'END'\n{said}\nEND\nexit 4")
    with pytest.raises(EngineError) as caught:
        await systemd.start(Unit(id="jellyfin.service", name="jellyfin", running=False))
    assert (caught.value.reason, caught.value.unknown) == (reason, unknown)


async def test_one_that_hangs_is_given_up_in_time(commands: Commands) -> None:
    commands.put("systemctl", "exec sleep 30")
    with pytest.raises(EngineError, match="it does not answer in time"):
        await Systemd("systemd", EngineSettings(kind="systemd", timeout_s=0.1)).units()


async def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="systemctl is not installed"):
        await Systemd("systemd", EngineSettings(kind="systemd")).units()


async def test_the_journal_is_read_with_times_and_priorities(commands: Commands, systemd: Systemd) -> None:
    entries = [
        {"PRIORITY": "6", "__REALTIME_TIMESTAMP": "1795307485163764", "MESSAGE": "Started jellyfin.service."},
        {"PRIORITY": "3", "__REALTIME_TIMESTAMP": "1795307485200823", "MESSAGE": [98, 97, 100, 255]},
        {"PRIORITY": "4", "__REALTIME_TIMESTAMP": "1795307485220044", "MESSAGE": None},
        {"__REALTIME_TIMESTAMP": "1795307486000000", "MESSAGE": "no priority"},
    ]
    lines = "\n".join(map(json.dumps, entries))
    commands.put("journalctl", f"cat <<'END'\n{lines}\nnonsense\nEND")
    found = await systemd.logs(Unit(id="jellyfin.service", name="jellyfin", running=True), 100)

    assert found == [
        LogLine(1795307485.163764, "Started jellyfin.service."),
        LogLine(1795307485.200823, "bad\ufffd", error=True),
        LogLine(1795307486.0, "no priority"),
    ]


async def test_a_journal_that_this_user_may_not_read_is_not_taken_for_an_empty_one(
    commands: Commands, systemd: Systemd
) -> None:
    commands.put("journalctl", "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1")
    with pytest.raises(EngineError, match="is in the group systemd-journal"):
        await systemd.logs(Unit(id="x.service", name="x", running=True), 10)
    commands.put("journalctl", "echo '-- No entries --' >&2")
    assert await systemd.logs(Unit(id="x.service", name="x", running=True), 10) == []


@given(st.text(max_size=40))
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text) is None or "-" in text


@given(st.binary(max_size=100))
def test_no_line_breaks_the_reader(raw: bytes) -> None:
    assert journal_line(raw) is None

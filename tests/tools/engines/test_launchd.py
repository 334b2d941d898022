"""launchd by a stand-in for ``launchctl`` that prints what is documented of it. It was not tried on a Mac."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools.engines.commands import Commands, commands_in
from tools.engines.launchd import Launchd
from tools.engines.port import EngineError, LogLine
from tools.settings_house import EngineSettings

LABEL = "homebrew.mxcl.caddy"
DOMAIN = f"gui/{os.getuid()}"

RUNNING = """\
%s = {
\tactive count = 1
\tpath = /Users/me/Library/LaunchAgents/homebrew.mxcl.caddy.plist
\ttype = LaunchAgent
\tstate = running

\tprogram = /opt/homebrew/opt/caddy/bin/caddy
\targuments = {
\t\t/opt/homebrew/opt/caddy/bin/caddy
\t\tstate = stopped
\t}

\tstdout path = %s/out.log
\tstderr path = %s/err.log
\truns = 3
\tpid = 543
\tlast exit code = 78: EX_CONFIG
}
"""

DOMAIN_PRINTED = """\
gui/501 = {
\ttype = login
\tservices = {
\t\t       0      - \tcom.apple.one
\t\t     543      0 \thomebrew.mxcl.caddy
\t\t       0     78 \tcom.example.broken
\t\t       0    (pe) \tcom.apple.two
\t}

\tunmanaged processes = {
\t\t     999      0 \tnot.a.service
\t}
}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Library" / "LaunchAgents").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return commands_in(tmp_path / "bin", monkeypatch)


@pytest.fixture
def launchd(home: Path) -> Launchd:
    return Launchd("launchd", EngineSettings(kind="launchd", user=True))


def printing(commands: Commands, text: str) -> None:
    commands.put("launchctl", f"[ $1 = print ] && cat <<'END'\n{text}END\nexit 0")


def not_loaded(commands: Commands) -> None:
    commands.put(
        "launchctl",
        f'[ $1 != print ] && exit 0; echo "Could not find service \\"{LABEL}\\" in domain for user" >&2; exit 113',
    )


async def test_a_service_that_runs(commands: Commands, launchd: Launchd, home: Path) -> None:
    printing(commands, RUNNING % (f"{DOMAIN}/{LABEL}", home, home))
    unit = await launchd.find(LABEL)

    assert (unit.name, unit.running, unit.restarts, unit.exit_code, unit.said) == (LABEL, True, 2, None, "running")
    assert commands.calls == [f"launchctl print {DOMAIN}/{LABEL}"]


async def test_one_that_has_ended_tells_its_exit_code(commands: Commands, launchd: Launchd, home: Path) -> None:
    printing(commands, (RUNNING % (LABEL, home, home)).replace("state = running", "state = not running"))
    unit = await launchd.find(LABEL)
    assert (unit.running, unit.exit_code, unit.said) == (False, 78, "not running")


async def test_all_services_of_a_domain(commands: Commands, launchd: Launchd) -> None:
    printing(commands, DOMAIN_PRINTED)
    assert [(unit.name, unit.running, unit.exit_code) for unit in await launchd.units()] == [
        ("com.apple.one", False, None), (LABEL, True, None), ("com.example.broken", False, 78),
        ("com.apple.two", False, None),
    ]  # fmt: skip


async def test_one_that_is_not_loaded_is_known_by_its_plist_and_loaded_to_be_started(
    commands: Commands, launchd: Launchd, home: Path
) -> None:
    not_loaded(commands)
    with pytest.raises(EngineError) as caught:
        await launchd.find(LABEL)
    assert caught.value.unknown

    plist = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    plist.touch()
    unit = await launchd.find(LABEL)
    assert (unit.running, unit.said) == (False, "not loaded")
    await launchd.start(unit)
    assert commands.calls[-2:] == [f"launchctl bootstrap {DOMAIN} {plist}", f"launchctl kickstart {DOMAIN}/{LABEL}"]


async def test_stopping_unloads_and_restarting_kicks(commands: Commands, launchd: Launchd, home: Path) -> None:
    printing(commands, RUNNING % (LABEL, home, home))
    unit = await launchd.find(LABEL)
    commands.put("launchctl", "exit 0")
    await launchd.stop(unit)
    await launchd.restart(unit)
    assert commands.calls[1:] == [f"launchctl bootout {DOMAIN}/{LABEL}", f"launchctl kickstart -k {DOMAIN}/{LABEL}"]


async def test_the_daemons_of_the_system_are_in_its_domain(commands: Commands, home: Path) -> None:
    printing(commands, RUNNING % (LABEL, home, home))
    await Launchd("launchd", EngineSettings(kind="launchd")).find(LABEL)
    assert commands.calls == [f"launchctl print system/{LABEL}"]


async def test_its_log_is_in_the_files_of_its_plist(commands: Commands, launchd: Launchd, home: Path) -> None:
    printing(commands, RUNNING % (LABEL, home, home))
    unit = await launchd.find(LABEL)
    with pytest.raises(EngineError, match="its log file cannot be read"):
        await launchd.logs(unit, 2)
    (home / "out.log").write_text("one\ntwo\nthree\n")
    (home / "err.log").write_text("bad\n")
    assert await launchd.logs(unit, 2) == [LogLine(None, "two"), LogLine(None, "three"), LogLine(None, "bad", True)]


async def test_one_without_files_has_no_log(commands: Commands, launchd: Launchd, home: Path) -> None:
    printing(commands, f"{LABEL} = {{\n\tstate = running\n}}\n")
    with pytest.raises(EngineError, match="launchd keeps no log of it"):
        await launchd.logs(await launchd.find(LABEL), 2)


@pytest.mark.parametrize(
    "said, reason",
    [
        ("Could not kickstart service \"x\": 1: Operation not permitted",
         "launchd does not let this user do that; the system's daemons are for root"),
        ("Boot-out failed: 150: Operation not permitted while System Integrity Protection is engaged",
         "launchd does not let this user do that; the system's daemons are for root"),
        ("Could not kickstart service: service is disabled", "it is disabled; launchctl enable would free it"),
        ("Bootstrap failed: 5: Input/output error", "launchctl ended with code 5"),
    ],
)  # fmt: skip
async def test_why_it_refuses_is_said_in_words(
    said: str, reason: str, commands: Commands, launchd: Launchd, home: Path
) -> None:
    printing(commands, RUNNING % (LABEL, home, home))
    unit = await launchd.find(LABEL)
    commands.put("launchctl", f"echo '{said}' >&2; exit 5")
    with pytest.raises(EngineError) as caught:
        await launchd.restart(unit)
    assert caught.value.reason == reason


async def test_where_there_is_no_launchd_that_is_said(
    launchd: Launchd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="launchctl is not installed"):
        await launchd.units()

"""This machine's disks, memory and load."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.alerts.answering import look
from tools.alerts import here
from tools.alerts.here import ThisMachine, memory_used
from tools.contract import Severity
from tools.settings_house import AlertSettings


class Stat:
    """Of a file system with a thousand blocks, some of them only for root."""

    def __init__(self, free: int, available: int) -> None:
        self.f_blocks, self.f_bfree, self.f_bavail = 1000, free, available


def statvfs(monkeypatch: pytest.MonkeyPatch, free: int, available: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: Stat(free, available))


@pytest.mark.parametrize(
    "free, severity, said",
    [
        (500, None, "The disk is 50 per cent full"),
        (150, Severity.WARNING, "The disk is 85 per cent full."),
        (50, Severity.CRITICAL, "The disk is 95 per cent full."),
        (0, Severity.CRITICAL, "The disk is 100 per cent full."),
    ],
)
async def test_a_disk_is_judged_by_the_configured_limits(
    monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity | None, said: str
) -> None:
    statvfs(monkeypatch, free, free)
    result = await look(alerts={"disks": ["/"]})
    assert said in result.spoken
    assert [finding.severity for finding in result.findings] == ([severity] if severity else [])


async def test_what_is_reserved_for_root_does_not_count_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    statvfs(monkeypatch, 100, 50)  # df: 900 of 950
    result = await look(alerts={"disks": ["/"]})
    assert "the disk is 95 per cent full" in result.spoken.casefold()


async def test_several_disks_are_said_by_the_fullest_and_named_when_they_fill_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = {"/": 600, str(tmp_path): 400}
    monkeypatch.setattr(os, "statvfs", lambda path: Stat(fill[str(path)], fill[str(path)]))
    disks = {"disks": ["/", str(tmp_path)]}
    assert "The fullest of two disks is 60 per cent full" in (await look(alerts=disks)).spoken
    fill[str(tmp_path)] = 20
    result = await look(alerts=disks)
    assert result.spoken.endswith("is 98 per cent full.")
    assert not result.tainted


async def test_a_disk_that_is_not_there_is_said(tmp_path: Path) -> None:
    result = await look(alerts={"disks": [str(tmp_path / "usb")]})
    assert result.spoken.endswith("because it is not there.")
    assert [finding.severity for finding in result.findings] == [Severity.UNKNOWN]


async def test_a_disk_that_hangs_costs_its_own_answer_and_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, asked = threading.Event(), []

    def hang(path: Any) -> Stat:
        asked.append(path)
        if str(path) == "/net":
            waiting.wait(20)
        return Stat(500, 500)

    monkeypatch.setattr(os, "statvfs", hang)
    monkeypatch.setattr(here, "DISK_S", 0.1)
    machine = ThisMachine(AlertSettings(disks=(Path("/"), Path("/net"))))
    try:
        for _ in range(2):
            disk, net, *_rest = await machine.alerts()
            assert (disk.severity, net.severity) == (Severity.OK, Severity.UNKNOWN)
            assert net.said == "I couldn't look at the disk /net, because it does not answer in time"
        assert asked.count(Path("/net")) == 1
    finally:
        waiting.set()
    for thread in threading.enumerate():
        if thread.name == "disk /net":
            thread.join(10)
    assert [alert.severity for alert in (await machine.alerts())[:2]] == [Severity.OK, Severity.OK]  # it has come back


@pytest.mark.parametrize("load, said", [(3.9, False), (4.0, True)])
async def test_load_is_told_by_core(monkeypatch: pytest.MonkeyPatch, load: float, said: bool) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, load * (os.cpu_count() or 1)))
    result = await look(alerts={"load_warning": 4})
    assert ("The load of this machine is 4.0 per core." in result.spoken) is said


async def test_memory_that_runs_out_is_a_warning(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:     60 kB\n")
    alerts = await ThisMachine(AlertSettings(disks=()), meminfo).alerts()
    assert alerts[0].severity is Severity.WARNING
    assert alerts[0].said == "94 per cent of the memory of this machine is used"


async def test_what_the_system_does_not_tell_is_left_out(tmp_path: Path) -> None:
    alerts = await ThisMachine(AlertSettings(disks=()), tmp_path / "none", tmp_path).alerts()
    assert [alert.origin for alert in alerts] == ["load"]


def sensor(root: Path, number: int, degrees: str, critical: str | None = None) -> None:
    chip = root / f"hwmon{number}"
    chip.mkdir(parents=True)
    (chip / "temp1_input").write_text(f"{degrees}\n")
    if critical is not None:
        (chip / "temp1_crit").write_text(f"{critical}\n")


@pytest.mark.parametrize(
    "readings, severity, degrees",
    [
        ([("41000", None), ("52000", "100000")], Severity.OK, 52),
        ([("41000", None), ("86000", "100000")], Severity.WARNING, 86),
        ([("84000", None), ("71000", "70000")], Severity.CRITICAL, 71),
        ([("50000", "0"), ("-273150", None), ("255000", None), ("broken", None)], Severity.OK, 50),
    ],
)
async def test_heat_is_judged_by_our_limit_and_by_the_parts_own(
    tmp_path: Path, readings: list[tuple[str, str | None]], severity: Severity, degrees: int
) -> None:
    for number, (reading, critical) in enumerate(readings):
        sensor(tmp_path, number, reading, critical)
    machine = ThisMachine(AlertSettings(disks=()), tmp_path / "none", tmp_path)
    _load, heat = await machine.alerts()
    assert (heat.severity, heat.value, heat.origin) == (severity, degrees, "temperature")


lines = st.tuples(st.sampled_from(["MemTotal", "MemAvailable", "Mem"]), st.integers(-5, 10**6) | st.text(max_size=5))


@given(st.lists(lines.map(lambda line: f"{line[0]}: {line[1]} kB"), max_size=4))
def test_whatever_meminfo_says_it_is_a_share_or_nothing(text: list[str]) -> None:
    used = memory_used("\n".join(text))
    assert used is None or 0 <= used <= 100

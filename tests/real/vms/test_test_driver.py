"""The real binding and libvirt's own test driver: no daemon, every question in a child process of its own.

Its machines live as long as one connection, which is one question here; so each test acts once on a machine.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.vms.rig import Rig, settings_of
from tools.store import Store
from tools.vms.hypervisors import make_all
from tools.vms.libvirt import Libvirt
from tools.vms.port import HypervisorError, VmState

pytestmark = pytest.mark.real_server

LAB = """
<node>
  <domain type='test'><name>endeavour</name><memory>8192</memory><os><type>hvm</type></os></domain>
  <domain type='test'><name>windows</name><memory>8192</memory><os><type>hvm</type></os></domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <name>sandbox</name><memory>8192</memory><os><type>hvm</type></os><test:runstate>5</test:runstate>
  </domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <name>router</name><memory>8192</memory><os><type>hvm</type></os><test:runstate>3</test:runstate>
  </domain>
</node>
"""

Make = Callable[..., Rig]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    file = tmp_path / "lab.xml"
    file.write_text(LAB)
    return f"test://{file}"


@pytest.fixture
def make(tmp_path: Path, uri: str) -> Iterator[Make]:
    with Store(tmp_path / "jarvis.db") as store:

        def build(**vms: object) -> Rig:
            settings = settings_of({"lab": {"url": uri}}, **vms)
            return Rig(store, tmp_path, settings, make_all(settings))

        yield build


async def test_all_machines_are_told(make: Make) -> None:
    outcome = await make().check()
    assert outcome.spoken == "Router is paused. Two of four machines are running: endeavour and windows."


async def test_a_machine_is_known_by_two_lines_of_configuration(make: Make) -> None:
    rig = make()
    outcome = await rig.power("the sandbox", "start")
    assert outcome.spoken == "Sandbox is running."
    assert rig.names.names("vm") == ("endeavour", "router", "sandbox", "windows")


@pytest.mark.parametrize(
    "vm, action, said",
    [
        ("windows", "shutdown", "Windows is off."),
        ("windows", "force-off", "Windows is off."),
        ("windows", "reboot", "Windows is rebooting."),
        ("windows", "start", "Windows is running already."),
        ("sandbox", "shutdown", "Sandbox is off already."),
        ("router", "start", "Router is running."),
        ("router", "shutdown", "Router is paused and can't hear that; start it first, or say force off."),
    ],
)
async def test_acts(make: Make, vm: str, action: str, said: str) -> None:
    assert (await make().power(vm, action)).spoken == said


async def test_a_snapshot_comes_first(make: Make) -> None:
    assert (await make(windows={"snapshot_before": True}).power("windows", "shutdown")).spoken == "Windows is off."


async def test_one_question_takes_a_fraction_of_a_second(uri: str) -> None:
    lab = make_all(settings_of({"lab": {"url": uri}}))["lab"]
    await lab.machines()
    started = time.perf_counter()
    for _ in range(5):
        await lab.machines()
    took_ms = (time.perf_counter() - started) / 5 * 1000
    print(f"\nlibvirt, one question in a child of its own: {took_ms:.0f} ms")  # noqa: T201 - a measurement
    assert took_ms < 1000


@pytest.mark.parametrize(
    "url, reason",
    [
        ("qemu:///system?socket=/nonexistent/sock", "libvirt is not running there"),
        ("qemu+ssh://nobody@127.0.0.1:9/system", "the connection is refused"),
    ],
)
async def test_what_cannot_be_reached_is_said(url: str, reason: str) -> None:
    hypervisor = make_all(settings_of({"x": {"url": url}}))["x"]
    with pytest.raises(HypervisorError, match=reason):
        await hypervisor.machines()


async def test_a_machine_that_is_not_there_is_gone(uri: str) -> None:
    lab = make_all(settings_of({"lab": {"url": uri}}))["lab"]
    assert isinstance(lab, Libvirt)
    assert await lab.force_off("windows") is VmState.OFF
    with pytest.raises(HypervisorError, match="the machine is gone"):
        await lab.find("windoze")


async def test_a_host_that_is_silent_over_ssh_costs_its_time_and_leaves_no_ssh_behind() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        lab = settings_of({"x": {"url": f"qemu+ssh://nobody@127.0.0.1:{port}/system", "timeout_s": 2.0}})
        started = time.perf_counter()
        with pytest.raises(HypervisorError, match="it does not answer in time"):
            await make_all(lab)["x"].machines()
        assert time.perf_counter() - started < 10
        assert _programs_with(str(port)) == []


def _programs_with(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [command] if word in command else []
    return found

"""A real libvirtd with real guests under QEMU: what is said of them is what is true of them."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.real.vms.guest import Guest, build
from tests.real.vms.libvirtd import Daemon, libvirtd
from tests.tools.vms.rig import Rig, settings_of
from tools.store import Store
from tools.vms.hypervisors import make_all

pytestmark = pytest.mark.real_server

READY_S = 60.0
Make = Callable[..., Rig]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="lv") as folder, libvirtd(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def guest(daemon: Daemon) -> Guest:
    built = build(daemon.folder)
    for file in (built.kernel, built.initrd, built.deaf_initrd):
        file.chmod(0o644)
    return built


@pytest.fixture
def make(tmp_path: Path, daemon: Daemon) -> Iterator[Make]:
    with Store(tmp_path / "jarvis.db") as store:

        def build(shutdown_wait_s: float = 60.0, answer_within_s: float = 5.0, **vms: object) -> Rig:
            settings = settings_of({"lab": {"url": daemon.uri, "shutdown_wait_s": shutdown_wait_s}}, **vms)
            return Rig(store, tmp_path, settings, make_all(settings), answer_within_s=answer_within_s, pause_s=0.3)

        yield build


async def up(console: Path) -> None:
    await until(lambda: asyncio.to_thread(_says, console, b"guest: ready"))
    await asyncio.sleep(0.5)  # it says so a moment before it listens to its power button


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            if await true():
                return
            await asyncio.sleep(0.1)


def _says(console: Path, words: bytes) -> bool:
    return console.exists() and words in console.read_bytes()


async def test_a_guest_is_started_and_shuts_itself_down(daemon: Daemon, guest: Guest, make: Make) -> None:
    console = daemon.define("endeavour", guest.kernel, guest.initrd)
    rig = make()
    assert (await rig.check("endeavour")).spoken == "Endeavour is off."
    assert (await rig.power("endeavour", "start")).spoken == "Endeavour is running."
    await up(console)
    assert (await rig.power("endeavour", "start")).spoken == "Endeavour is running already."
    outcome = await rig.power("endeavour", "shutdown")
    if outcome.spoken != "Endeavour is off.":  # a busy machine
        assert outcome.spoken == "Endeavour is shutting down."
        assert await rig.told() == ["Endeavour is off."]
    assert _says(console, b"acpid: PWRF/00000080")  # it went by itself: nobody pulled its plug
    assert "shutdown" in daemon.virsh("domstate", "endeavour", "--reason")
    print(f"\nACPI shutdown, from the yes to the answer: {outcome.duration_ms:.0f} ms")  # noqa: T201 - a measurement


async def test_a_guest_that_does_not_hear_is_said_to_be_still_at_it_and_can_be_forced_off(
    daemon: Daemon, guest: Guest, make: Make
) -> None:
    console = daemon.define("windows", guest.kernel, guest.deaf_initrd)
    rig = make(shutdown_wait_s=6.0, answer_within_s=4.0)
    assert (await rig.power("windows", "start")).spoken == "Windows is running."
    await up(console)
    assert (await rig.power("windows", "shutdown")).spoken == "Windows is shutting down."
    assert (await rig.power("windows", "shutdown")).spoken == "Windows is shutting down, since before."
    assert await rig.told() == ["Windows is still shutting down after a few seconds. Say force off to pull its plug."]
    assert (await rig.check("windows")).spoken == "Windows is running."
    assert (await rig.power("windows", "force-off")).spoken == "Windows is off."
    assert "destroyed" in daemon.virsh("domstate", "windows", "--reason")


async def test_a_snapshot_of_a_running_guest_comes_first_or_nothing_happens(
    daemon: Daemon, guest: Guest, make: Make
) -> None:
    daemon.define("keeper", guest.kernel, guest.deaf_initrd, disk="qcow2")
    daemon.define("rawly", guest.kernel, guest.deaf_initrd, disk="raw")
    rig = make(keeper={"snapshot_before": True}, rawly={"snapshot_before": True}, answer_within_s=60.0)
    for vm in ("keeper", "rawly"):
        assert (await rig.power(vm, "start")).ok
    assert (await rig.power("keeper", "force-off")).spoken == "Keeper is off."
    assert "jarvis-" in daemon.virsh("snapshot-list", "keeper", "--name")
    outcome = await rig.power("rawly", "force-off")
    assert outcome.spoken == (
        "Rawly was not forced off, because its snapshot could not be taken: "
        "one of its disks is of a kind that has no snapshots, so I did nothing."
    )
    assert daemon.virsh("domstate", "rawly").strip() == "running"


async def test_a_guest_whose_process_dies_has_crashed(daemon: Daemon, guest: Guest, make: Make) -> None:
    daemon.define("fragile", guest.kernel, guest.deaf_initrd)
    rig = make()
    await rig.power("fragile", "start")
    (pid_file,) = daemon.folder.rglob("fragile.pid")
    os.kill(int(pid_file.read_text()), signal.SIGKILL)

    async def crashed() -> bool:
        return (await rig.check("fragile")).spoken == "Fragile has crashed."

    await until(crashed)
    assert (await rig.power("fragile", "start")).spoken == "Fragile is running."
    assert (await rig.power("fragile", "reboot")).spoken == "Fragile is rebooting."


async def test_machines_that_come_and_go_are_known_by_name(
    daemon: Daemon, guest: Guest, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.vms.inventory.NAMES_FOR_S", 0.0)
    monkeypatch.setattr("tools.vms.inventory.FRESH_S", 0.0)
    monkeypatch.setattr("tools.vms.inventory.NEWER_NAMES_WITHIN_S", 10.0)
    rig = make()
    daemon.define("newcomer", guest.kernel, guest.initrd)
    assert (await rig.check("the newcomer")).spoken == "Newcomer is off."
    daemon.virsh("undefine", "newcomer")
    assert (await rig.check("the newcomer")).error == "unknown_name"

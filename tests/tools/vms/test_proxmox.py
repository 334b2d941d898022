"""Proxmox, by a server that speaks its documented shapes and is not the real one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.vms.fake_proxmox import TOKEN, FakeProxmox, serving
from tools.settings_house import HypervisorSettings
from tools.vms import proxmox as proxmox_module
from tools.vms.hypervisors import make
from tools.vms.port import Hypervisor, HypervisorError, VmState

WINDOWS, ROUTER, FILES = "pve/qemu/100", "pve/qemu/101", "nas/lxc/200"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxmox_module, "TASK_PAUSE_S", 0.01)


@pytest.fixture
def server() -> Iterator[FakeProxmox]:
    machines: dict[str, dict[str, Any]] = {
        WINDOWS: {"name": "windows", "qmpstatus": "paused", "uptime": 50},
        ROUTER: {"name": "router", "qmpstatus": "running", "uptime": 7200, "onboot": 1},
        FILES: {"name": "files", "qmpstatus": "stopped"},
        "pve/qemu/900": {"name": "golden", "qmpstatus": "stopped", "template": 1},
    }
    with serving(FakeProxmox(machines)) as fake:
        yield fake


def connected(server: FakeProxmox, tmp_path: Path, token: str = TOKEN, **settings: object) -> Hypervisor:
    file = tmp_path / "token"
    file.write_text(token + "\n")
    options = {"kind": "proxmox", "url": server.url, "token_file": file, "timeout_s": 5.0, **settings}
    return make("pve", HypervisorSettings.model_validate(options))


async def test_all_machines_are_read_without_templates_and_paused_ones_are_told_apart(
    server: FakeProxmox, tmp_path: Path
) -> None:
    machines = await connected(server, tmp_path).machines()
    assert {one.key: (one.name, one.state) for one in machines} == {
        WINDOWS: ("windows", VmState.PAUSED),
        ROUTER: ("router", VmState.RUNNING),
        FILES: ("files", VmState.OFF),
    }
    since = {one.name: one.since for one in machines}
    assert since["windows"] is since["files"] is None
    assert since["router"] == pytest.approx(time.time() - 7200, abs=5)


async def test_one_node_can_be_chosen(server: FakeProxmox, tmp_path: Path) -> None:
    assert [one.name for one in await connected(server, tmp_path, node="nas").machines()] == ["files"]


async def test_one_machine_tells_whether_it_starts_with_its_host(server: FakeProxmox, tmp_path: Path) -> None:
    hypervisor = connected(server, tmp_path)
    assert (await hypervisor.find(ROUTER)).autostart is True
    assert (await hypervisor.find(FILES)).autostart is False


async def test_acts_wait_for_their_task_and_read_back(server: FakeProxmox, tmp_path: Path) -> None:
    hypervisor = connected(server, tmp_path)
    assert await hypervisor.start(FILES) is VmState.RUNNING
    assert await hypervisor.start(WINDOWS) is VmState.RUNNING
    assert await hypervisor.reboot(WINDOWS) is VmState.RUNNING
    assert await hypervisor.force_off(WINDOWS) is VmState.OFF
    assert await hypervisor.shutdown(ROUTER) is VmState.OFF
    posted = [path.removeprefix("/api2/json/nodes/") for method, path, _ in server.asked if method == "POST"]
    assert posted == [
        f"{FILES}/status/start", f"{WINDOWS}/status/resume", f"{WINDOWS}/status/reboot", f"{WINDOWS}/status/stop",
        f"{ROUTER}/status/shutdown",
    ]  # fmt: skip


async def test_a_shutdown_is_not_waited_for(server: FakeProxmox, tmp_path: Path) -> None:
    server.stubborn = True
    assert await connected(server, tmp_path).shutdown(ROUTER) is VmState.RUNNING


async def test_a_snapshot_is_there_when_it_comes_back(server: FakeProxmox, tmp_path: Path) -> None:
    await connected(server, tmp_path).snapshot(WINDOWS, "jarvis-20260513-100000")
    assert server.machines[WINDOWS]["snapshots"] == ["jarvis-20260513-100000"]
    assert any("/tasks/UPID" in path for _, path, _ in server.asked)


async def test_a_task_that_fails_is_an_error_with_its_words_apart(server: FakeProxmox, tmp_path: Path) -> None:
    server.exit_status = "can't lock file '/var/lock/qemu-server/lock-200.conf'\x07"
    with pytest.raises(HypervisorError, match=r"^its task failed$") as caught:
        await connected(server, tmp_path).start(FILES)
    assert caught.value.detail == "can't lock file '/var/lock/qemu-server/lock-200.conf'"


async def test_a_task_that_does_not_end_is_given_up(server: FakeProxmox, tmp_path: Path) -> None:
    server.slow_tasks = 1_000_000
    with pytest.raises(HypervisorError, match="it was not done in time"):
        await connected(server, tmp_path, timeout_s=0.3).start(FILES)


async def test_a_wrong_token_is_refused_and_never_shown(server: FakeProxmox, tmp_path: Path) -> None:
    secret = "jarvis@pve!home=not-that-one"
    with pytest.raises(HypervisorError, match=r"^it refuses the credentials$") as caught:
        await connected(server, tmp_path, secret).machines()
    assert secret not in repr(caught.value) + caught.value.detail


async def test_without_a_token_file_that_is_said(server: FakeProxmox) -> None:
    hypervisor = make("pve", HypervisorSettings(kind="proxmox", url=server.url))
    with pytest.raises(HypervisorError, match="no token_file is configured"):
        await hypervisor.machines()


@pytest.mark.parametrize(
    "raw, status",
    [
        (b"<html>hello</html>", 200), (b"", 200), (b"[]", 200), (b"{}", 200), (b'{"data":null}', 200),
        (b'{"data":{"a":1}}', 200), (b'{"data":"UPID:"}', 200), (b"{}", 500), (b"{}", 596), (b"[" * 100_000, 200),
    ],
)  # fmt: skip
async def test_nonsense_is_an_error_and_nothing_else(
    server: FakeProxmox, tmp_path: Path, raw: bytes, status: int
) -> None:
    server.raw, server.status = raw, status
    hypervisor = connected(server, tmp_path)
    with pytest.raises(HypervisorError):
        await hypervisor.machines()
    for ask in (hypervisor.find, hypervisor.start, hypervisor.shutdown, hypervisor.reboot, hypervisor.force_off):
        with pytest.raises(HypervisorError):
            await ask(FILES)


@pytest.mark.parametrize("raw", [b'{"data":[]}', b'{"data":[1,"x",null]}', b'{"data":[{"vmid":"../../x"}]}'])
async def test_rows_that_are_no_machines_are_passed_over(server: FakeProxmox, tmp_path: Path, raw: bytes) -> None:
    server.raw = raw
    assert await connected(server, tmp_path).machines() == []


async def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(HypervisorError, match="refused"):
        await connected(FakeProxmox(url="http://127.0.0.1:9"), tmp_path).machines()


async def test_only_keys_of_its_own_are_ever_asked_for(server: FakeProxmox, tmp_path: Path) -> None:
    with pytest.raises(HypervisorError, match="the machine is gone"):
        await connected(server, tmp_path).force_off("pve/qemu/100/../../..")
    assert server.asked == []

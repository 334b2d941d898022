"""The libvirt adapter around its child, which is a script of the tests' own here; the real one: tests/real/vms."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.settings_house import HypervisorSettings
from tools.vms import libvirt as libvirt_module
from tools.vms.libvirt import Libvirt, why, without_prompts
from tools.vms.port import HypervisorError, VmState

ONE = {"machines": [{"name": "windows", "state": "off", "why": "", "autostart": None}]}


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script that is run in the child's place; it keeps what it was asked in ``asked``."""
    script = tmp_path / "child.py"
    monkeypatch.setattr(libvirt_module, "CHILD", script)
    return script


def says(child: Path, answer: object, before: str = "") -> None:
    child.write_text(
        f"import sys, time\nopen({str(child.with_name('asked'))!r}, 'a').write(sys.stdin.read() + '\\n')\n"
        f"{before}\nsys.stdout.write({answer if isinstance(answer, str) else json.dumps(answer)!r})\n"
    )


def hypervisor(**settings: object) -> Libvirt:
    return Libvirt("nuc", HypervisorSettings.model_validate({"timeout_s": 20.0, **settings}))


async def test_machines_and_acts_are_asked_of_a_child_by_standard_input(child: Path) -> None:
    says(child, ONE)
    nuc = hypervisor(url="qemu+ssh://me@nuc/system")
    assert [(m.key, m.state, m.autostart) for m in await nuc.machines()] == [("windows", VmState.OFF, None)]
    assert await nuc.force_off("windows") is VmState.OFF
    asked = [json.loads(line) for line in child.with_name("asked").read_text().splitlines()]
    assert [(one["do"], one["key"]) for one in asked] == [("machines", ""), ("force_off", "windows")]
    assert asked[0]["uri"] == "qemu+ssh://me@nuc/system?no_tty=1"


async def test_one_that_hangs_is_ended_within_its_time(child: Path) -> None:
    note = child.with_name("pid")
    says(child, ONE, before=f"import os; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(3600)")
    started = time.monotonic()
    with pytest.raises(HypervisorError, match="it does not answer in time"):
        await hypervisor(timeout_s=1.0).machines()
    assert time.monotonic() - started < 4
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


async def test_the_loop_goes_on_meanwhile(child: Path) -> None:
    says(child, ONE, before="time.sleep(0.3)")
    asking = asyncio.create_task(hypervisor().machines())
    ticks = 0
    while not asking.done():
        await asyncio.sleep(0)
        ticks += 1
    assert ticks > 10
    assert len(await asking) == 1


async def test_without_the_binding_it_is_said_how_to_get_it(child: Path) -> None:
    says(child, {"missing": True})
    with pytest.raises(HypervisorError, match="apt install python3-libvirt"):
        await hypervisor().machines()


async def test_the_first_python_that_has_the_binding_is_kept(child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt_module, "_pythons", lambda: ("/nonexistent/python", "/usr/bin/env"))
    with pytest.raises(HypervisorError, match="cannot be asked from here"):
        await hypervisor().machines()


@pytest.mark.parametrize(
    "answer",
    ["", "[", "[]", "{}", '{"machines": 1}', '{"machines": [{}]}', '{"machines": [{"name": "x", "state": "q"}]}'],
)
async def test_nonsense_is_an_error_and_nothing_else(child: Path, answer: str) -> None:
    says(child, f"{answer!r}")
    with pytest.raises(HypervisorError):
        await hypervisor().machines()
    with pytest.raises(HypervisorError):
        await hypervisor().find("x")


async def test_a_child_that_breaks_is_an_error(child: Path) -> None:
    says(child, ONE, before="sys.exit('boom')")
    with pytest.raises(HypervisorError, match="libvirt's client broke") as caught:
        await hypervisor().machines()
    assert caught.value.detail == "boom"


@pytest.mark.parametrize(
    "said, clause",
    [
        ("Cannot recv data: Host key verification failed.: Connection reset", "its ssh host key is not known here"),
        ("Cannot recv data: me@nuc: Permission denied (publickey).", "it does not let this user in"),
        ("authentication unavailable: no polkit agent", "it does not let this user in"),
        ("Cannot recv data: ssh: connect to host nuc port 22: Connection refused", "the connection is refused"),
        ("Failed to connect socket to '/run/libvirt/libvirt-sock': No such file", "libvirt is not running there"),
        ("Domain not found: no domain with matching name 'x'", "the machine is gone"),
        ("something else", "libvirt refuses it"),
    ],
)
def test_what_libvirt_says_becomes_a_clause(said: str, clause: str) -> None:
    error = why(said)
    assert str(error).startswith(clause)
    assert error.detail == said


@given(st.text())
def test_whatever_libvirt_says_is_one_short_line_in_the_detail(said: str) -> None:
    error = why(said)
    assert error.detail.isprintable()
    assert len(error.detail) <= 200


def test_ssh_is_told_to_ask_nobody() -> None:
    assert without_prompts("qemu+ssh://nuc/system") == "qemu+ssh://nuc/system?no_tty=1"
    assert without_prompts("qemu+ssh://nuc/system?keyfile=/k") == "qemu+ssh://nuc/system?keyfile=/k&no_tty=1"
    assert without_prompts("qemu+ssh://nuc/system?no_tty=0") == "qemu+ssh://nuc/system?no_tty=0"
    assert without_prompts("qemu:///system") == "qemu:///system"

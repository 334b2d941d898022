"""libvirt by any of its URIs, asked by a child process for each question.

A child costs some 60 ms and can be ended with its ssh whatever libvirt waits for; a thread could not.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.program import ProgramError, run
from tools.settings_house import HypervisorSettings
from tools.vms.port import HypervisorError, Machine, VmState
from tools.vms.printable import printable

CHILD = Path(__file__).with_name("libvirt_child.py")

SYSTEM_PYTHONS = ("/usr/bin/python3", "/opt/homebrew/bin/python3", "/usr/local/bin/python3")
"""Where a system's own package puts libvirt's binding, if our Python does not have it."""

NOT_INSTALLED = (
    "libvirt's Python binding is not installed here (Debian: apt install python3-libvirt; else: pip install "
    "libvirt-python)"
)

SNAPSHOT_TIMEOUT_S = 300.0
"""A snapshot of a running machine writes its memory to the disk."""

MAX_MACHINES = 500

_SAID: tuple[tuple[str, str], ...] = (
    ("host key verification failed", "its ssh host key is not known here; connect once by ssh as this user"),
    ("permission denied", "it does not let this user in"),
    ("authentication", "it does not let this user in"),
    ("access denied", "it does not let this user in"),
    ("could not resolve hostname", "its name cannot be found"),
    ("name or service not known", "its name cannot be found"),
    ("connection refused", "the connection is refused"),
    ("no route to host", "it cannot be reached"),
    ("timed out", "it does not answer in time"),
    ("failed to connect socket", "libvirt is not running there"),
    ("cannot recv data", "the connection breaks off"),
    ("command not found", "it has no libvirt client"),
    ("domain not found", "the machine is gone"),
    ("failed to get domain", "the machine is gone"),
    ("no space left", "its disk is full"),
    ("cannot allocate memory", "it has no memory left"),
    ("unsupported for storage type raw", "one of its disks is of a kind that has no snapshots"),
    ("snapshot is not supported", "it cannot take snapshots of that machine"),
    ("no connection driver available", "libvirt here has no driver for that URI"),
)
"""What libvirt and ssh say, in their words and ours; the first that fits."""


class Libvirt:
    """Implements :class:`tools.vms.port.Hypervisor`."""

    def __init__(self, name: str, settings: HypervisorSettings) -> None:
        self.name = name
        self._uri = without_prompts(settings.url)
        self._timeout_s = settings.timeout_s
        self._python: str | None = None

    async def machines(self) -> list[Machine]:
        """See the port."""
        return _machines(await self._ask("machines"))

    async def find(self, key: str) -> Machine:
        """See the port."""
        return await self._one("find", key)

    async def start(self, key: str) -> VmState:
        """See the port."""
        return (await self._one("start", key)).state

    async def shutdown(self, key: str) -> VmState:
        """See the port."""
        return (await self._one("shutdown", key)).state

    async def reboot(self, key: str) -> VmState:
        """See the port."""
        return (await self._one("reboot", key)).state

    async def force_off(self, key: str) -> VmState:
        """See the port."""
        return (await self._one("force_off", key)).state

    async def snapshot(self, key: str, label: str) -> None:
        """See the port."""
        await self._one("snapshot", key, label=label, timeout_s=SNAPSHOT_TIMEOUT_S)

    async def _one(self, do: str, key: str, *, label: str = "", timeout_s: float | None = None) -> Machine:
        found = _machines(await self._ask(do, key=key, label=label, timeout_s=timeout_s))
        if len(found) != 1:
            raise HypervisorError("its answer is not one of libvirt's")
        return found[0]

    async def _ask(self, do: str, *, key: str = "", label: str = "", timeout_s: float | None = None) -> Any:
        """The child's answer, by the first Python that has the binding. Raises HypervisorError."""
        request = {"uri": self._uri, "do": do, "key": key, "label": label}
        for python in (self._python,) if self._python else _pythons():
            told = await _child(python, request, timeout_s or self._timeout_s)
            if told.get("missing"):
                continue
            self._python = python
            if "error" in told:
                raise why(str(told["error"]))
            return told
        raise HypervisorError(NOT_INSTALLED)


async def _child(python: str, request: dict[str, str], timeout_s: float) -> dict[str, Any]:
    folders = {key: os.environ[key] for key in ("XDG_RUNTIME_DIR", "LIBVIRT_AUTH_FILE") if key in os.environ}
    try:
        ended = await run(
            [python, "-I", str(CHILD)], timeout_s=timeout_s, stdin=json.dumps(request).encode(), environment=folders
        )
    except ProgramError as error:
        if error.why == "timeout":
            raise HypervisorError("it does not answer in time") from error
        raise HypervisorError("libvirt cannot be asked from here", str(error)) from error
    try:
        told = json.loads(ended.output)
    except ValueError as error:
        raise HypervisorError("libvirt's client broke", printable(ended.complaints[-300:])) from error
    if not isinstance(told, dict):
        raise HypervisorError("its answer is not one of libvirt's")
    return told


def _pythons() -> tuple[str, ...]:
    return (sys.executable, *(python for python in SYSTEM_PYTHONS if Path(python).exists()))


def _machines(told: Any) -> list[Machine]:
    try:
        return [
            Machine(
                key=str(one["name"]),
                name=str(one["name"]),
                state=VmState(one["state"]),
                autostart=one["autostart"],
                why=str(one["why"]),
            )
            for one in told["machines"][:MAX_MACHINES]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise HypervisorError("its answer is not one of libvirt's") from error


def why(said: str) -> HypervisorError:
    """What libvirt complained of, as a clause; its own words stay in the detail."""
    lower = said.casefold()
    clause = next((clause for words, clause in _SAID if words in lower), "libvirt refuses it")
    return HypervisorError(clause, printable(said))


def without_prompts(uri: str) -> str:
    """With ssh told to ask nobody (libvirt's ``no_tty``): there is nobody at a terminal."""
    if not urlsplit(uri).scheme.endswith("+ssh") or "no_tty=" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}no_tty=1"

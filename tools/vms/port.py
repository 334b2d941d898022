"""What runs virtual machines, seen from here: a few questions and a few acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class VmState(StrEnum):
    """Of a machine, worst first."""

    CRASHED = "crashed"
    PAUSED = "paused"
    ASLEEP = "asleep"
    SHUTTING_DOWN = "shutting down"
    OFF = "off"
    RUNNING = "running"
    UNKNOWN = "unknown"


STOPPED = frozenset({VmState.OFF, VmState.CRASHED})
"""Nothing of it runs any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine as its hypervisor tells of it.

    ``key``: how it is addressed there; ``name``: as it stands there, not cleaned; ``since``: Unix seconds from which it
    runs, where that is known; ``autostart``: whether it starts with its host, where that is known; ``why``: the
    hypervisor's reason for a state that needs one ("the disk has an error").
    """

    key: str
    name: str
    state: VmState
    since: float | None = None
    autostart: bool | None = None
    why: str = ""


class HypervisorError(Exception):
    """It could not be asked, or did not do it. The text is the end of "because …"; ``detail`` is what it said itself,
    one cleaned line, for the evidence and never for the voice."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class Hypervisor(Protocol):
    """Every method is bounded in time and raises HypervisorError only. An act gives the state that was read after it,
    which for :meth:`shutdown` is mostly still *running*: the machine decides when it goes."""

    name: str

    async def machines(self) -> list[Machine]:
        """All it has, running or not."""
        ...

    async def find(self, key: str) -> Machine:
        """One of them, as it is now."""
        ...

    async def start(self, key: str) -> VmState:
        """Switch it on; one that is paused or asleep goes on."""
        ...

    async def shutdown(self, key: str) -> VmState:
        """Press its power button (ACPI, or the agent in it); comes back at once."""
        ...

    async def reboot(self, key: str) -> VmState:
        """Ask it to restart."""
        ...

    async def force_off(self, key: str) -> VmState:
        """Pull its plug."""
        ...

    async def snapshot(self, key: str, label: str) -> None:
        """Take a snapshot of that name; it is there when this comes back."""
        ...

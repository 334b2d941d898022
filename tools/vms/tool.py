"""``check_vms`` and ``vm_power``: the virtual machines."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.tool import Arguments, UnavailableError, resolve_optional, resolve_required

_READBACK = {
    "start": "start {vm}",
    "shutdown": "shut down {vm}",
    "reboot": "reboot {vm}",
    "force-off": "force {vm} off, like pulling its plug",
}


class CheckVmsArguments(Arguments):
    """Input of ``check_vms``."""

    vm: str | None = Field(default=None, description="omit for all")


class VmPowerArguments(Arguments):
    """Input of ``vm_power``."""

    vm: str
    action: Literal["start", "shutdown", "reboot", "force-off"]


class CheckVms:
    """Which virtual machines run."""

    name: ClassVar[str] = "check_vms"
    description: ClassVar[str] = "Whether virtual machines are running."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckVmsArguments
    deadline_s = 10.0

    def __init__(self, names: NameIndex) -> None:
        self._names = names

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the machine's name; none is all of them."""
        wanted = CheckVmsArguments.model_validate(arguments.model_dump())
        vm = resolve_optional(self._names, "vm", "a virtual machine", wanted.vm)
        if isinstance(vm, Candidates):
            return vm
        return PlannedCall(tool=self.name, arguments={"vm": vm} if vm else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no hypervisor is connected."""
        raise UnavailableError("I can't look at the virtual machines yet; no hypervisor is connected.")


class VmPower:
    """Start, shut down, reboot, force off."""

    name: ClassVar[str] = "vm_power"
    description: ClassVar[str] = "Start, shut down, reboot or force off a virtual machine."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = VmPowerArguments
    deadline_s = 90.0

    def __init__(self, settings: ToolSettings, names: NameIndex) -> None:
        self._settings = settings
        self._names = names

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the machine. Starting operates; anything that ends what runs in it is destructive."""
        wanted = VmPowerArguments.model_validate(arguments.model_dump())
        vm = resolve_required(self._names, "vm", "a virtual machine", wanted.vm)
        if isinstance(vm, Candidates):
            return vm
        return PlannedCall(
            tool=self.name,
            arguments={"vm": vm, "action": wanted.action},
            level=Level.OPERATE if wanted.action == "start" else Level.DESTRUCTIVE,
            protected=self._settings.vms[vm].protected,
            readback=_READBACK[wanted.action].format(vm=vm),
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no hypervisor is connected."""
        raise UnavailableError("I can't switch virtual machines yet; no hypervisor is connected.")

"""``check_vms`` and ``vm_power``: the virtual machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field

from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.names import NameIndex
from tools.settings import ToolSettings
from tools.tool import Arguments, UnavailableError, resolve_optional, resolve_required
from tools.vms.acts import Acts, Order
from tools.vms.inventory import Inventory
from tools.vms.naming import assigned
from tools.vms.sayings import View, evidence, findings, not_there, of_all, of_one
from tools.vms.screen import link
from tools.wording import sentence

_READBACK = {
    "start": "start {vm}",
    "shutdown": "shut down {vm}",
    "reboot": "reboot {vm}",
    "force-off": "force {vm} off, like pulling its plug",
}

FRIENDS_MAY = ("start", "shutdown")
"""What the friends of a machine may do to it; pulling its plug is not among it."""


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

    def __init__(
        self, settings: ToolSettings, names: NameIndex, inventory: Inventory, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._names = names
        self._inventory = inventory
        self._clock = clock

    async def ready(self) -> None:
        """Live names."""
        await self._inventory.ready()

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the machine's name; none is all of them."""
        wanted = CheckVmsArguments.model_validate(arguments.model_dump())
        vm = resolve_optional(self._names, "vm", "a virtual machine", wanted.vm)
        if isinstance(vm, Candidates):
            return vm
        return PlannedCall(tool=self.name, arguments={"vm": vm} if vm else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no hypervisor is connected."""
        if not self._inventory.hypervisors:
            raise UnavailableError("I can't look at the virtual machines yet; no hypervisor is connected.")
        readings = await self._inventory.look()
        wanted = call.arguments.get("vm")
        found = assigned(self._inventory.configured, readings)
        if wanted is not None:
            found = {wanted: found.get(wanted, ())}
        views = [View(name, spots, self._inventory.settings_of(name)) for name, spots in found.items()]
        spoken = of_one(views[0], readings, self._clock()) if wanted is not None else of_all(views, readings)
        unknown = any(view.name not in self._inventory.configured for view in views)
        return ToolResult(
            spoken=spoken,
            data=evidence(views, readings, self._screens(views)),
            findings=findings(views, readings),
            tainted=wanted is None and unknown,  # names that stand in no configuration of ours
        )

    def _screens(self, views: list[View]) -> dict[str, str]:
        screens = {}
        for view in views:
            if view.settings.guacamole and len(view.spots) == 1:
                url = self._settings.hypervisors[view.spots[0].hypervisor].guacamole_url
                if url is not None:
                    screens[view.name] = link(str(url), view.settings.guacamole)
        return screens


class VmPower:
    """Start, shut down, reboot, force off."""

    name: ClassVar[str] = "vm_power"
    description: ClassVar[str] = "Start, shut down, reboot or force off a virtual machine."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = VmPowerArguments
    deadline_s = 30.0

    def __init__(self, settings: ToolSettings, names: NameIndex, inventory: Inventory, acts: Acts) -> None:
        self._settings = settings
        self._names = names
        self._inventory = inventory
        self._acts = acts

    async def ready(self) -> None:
        """Live names."""
        await self._inventory.ready()

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the machine. Starting operates; anything that ends what runs in it is destructive."""
        wanted = VmPowerArguments.model_validate(arguments.model_dump())
        vm = resolve_required(self._names, "vm", "a virtual machine", wanted.vm)
        if isinstance(vm, Candidates):
            return vm
        settings = self._inventory.settings_of(vm)
        return PlannedCall(
            tool=self.name,
            arguments={"vm": vm, "action": wanted.action},
            level=Level.OPERATE if wanted.action == "start" else Level.DESTRUCTIVE,
            protected=settings.protected,
            readback=_READBACK[wanted.action].format(vm=vm),
            allowed=settings.friends if wanted.action in FRIENDS_MAY else (),
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no hypervisor is connected, or none that answers has the machine."""
        if not self._inventory.hypervisors:
            raise UnavailableError("I can't switch virtual machines yet; no hypervisor is connected.")
        vm, action = str(call.arguments["vm"]), str(call.arguments["action"])
        settings = self._inventory.settings_of(vm)
        spots, readings = await self._inventory.spots(vm)
        if len(spots) != 1:
            raise UnavailableError(sentence(f"{not_there(View(vm, spots, settings), readings)}, so I did nothing"))
        spot = spots[0]
        order = Order(
            vm=vm,
            action=action,
            key=spot.machine.key,
            snapshot_first=settings.snapshot_before,
            settings=self._settings.hypervisors[spot.hypervisor],
        )
        return await self._acts.do(self._inventory.hypervisors[spot.hypervisor], order)

"""A hypervisor of the tests' own, and the call path over the two tools of virtual machines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.contract import Caller, CallOutcome, Door, Speech
from tools.names import NameIndex
from tools.notify.messages import Messages
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.settings import ToolSettings
from tools.store import Store
from tools.vms.acts import Acts
from tools.vms.inventory import Inventory
from tools.vms.port import Hypervisor, HypervisorError, Machine, VmState
from tools.vms.tool import CheckVms, VmPower

OWNER = Caller(name="anna", door=Door.REPL, speech=Speech.ORDER, turn_id="t1", conversation="c1", room="study")


@dataclass
class FakeHypervisor:
    """Machines in memory. ``broken``: what asking it fails with; ``breaks``: what one of its methods fails with;
    ``stubborn``: it does not shut down; ``hangs``: it never answers; ``answers``: it does not before that; ``did``: the
    acts, in order."""

    name: str = "nuc"
    has: dict[str, Machine] = field(default_factory=dict)
    broken: HypervisorError | None = None
    breaks: dict[str, HypervisorError] = field(default_factory=dict)
    stubborn: bool = False
    hangs: bool = False
    answers: asyncio.Event | None = None
    did: list[str] = field(default_factory=list)
    looks: int = 0

    @classmethod
    def of(cls, name: str = "nuc", **machines: VmState) -> FakeHypervisor:
        return cls(name, {key: Machine(key=key, name=key, state=state) for key, state in machines.items()})

    async def machines(self) -> list[Machine]:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.answers is not None:
            await self.answers.wait()
        if self.broken is not None:
            raise self.broken
        return list(self.has.values())

    async def find(self, key: str) -> Machine:
        if self.broken is not None:
            raise self.broken
        if key not in self.has:
            raise HypervisorError("the machine is gone")
        return self.has[key]

    async def start(self, key: str) -> VmState:
        return self._act("start", key, VmState.RUNNING)

    async def shutdown(self, key: str) -> VmState:
        return self._act("shutdown", key, VmState.RUNNING if self.stubborn else VmState.OFF)

    async def reboot(self, key: str) -> VmState:
        return self._act("reboot", key, VmState.RUNNING)

    async def force_off(self, key: str) -> VmState:
        return self._act("force_off", key, VmState.OFF)

    async def snapshot(self, key: str, label: str) -> None:
        assert label.startswith("jarvis-")
        self._act("snapshot", key, self.has[key].state)

    def set(self, key: str, state: VmState) -> None:
        self.has[key] = replace(self.has[key], state=state)

    def _act(self, what: str, key: str, after: VmState) -> VmState:
        self.did.append(f"{what} {key}")
        if what in self.breaks:
            raise self.breaks[what]
        self.set(key, after)
        return after


class Rig:
    """Real plan, policy, confirmations and messages; only the hypervisors are the tests' own."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        settings: ToolSettings,
        hypervisors: Mapping[str, Hypervisor],
        *,
        answer_within_s: float = 5.0,
        pause_s: float = 0.01,
    ) -> None:
        self.names = NameIndex.from_settings(settings)
        self.messages = Messages(store)
        self.inventory = Inventory(settings, self.names, hypervisors)
        self.acts = Acts(self.messages, answer_within_s=answer_within_s, pause_s=pause_s)
        tools = (
            CheckVms(settings, self.names, self.inventory),
            VmPower(settings, self.names, self.inventory, self.acts),
        )
        self.path = CallPath(tools, store, Outbox(folder / "outbox"))

    async def check(self, vm: str | None = None, caller: Caller = OWNER) -> CallOutcome:
        return await self.path.call("check_vms", {"vm": vm} if vm else {}, caller)

    async def power(self, vm: str, action: str, caller: Caller = OWNER) -> CallOutcome:
        """With the yes, where it is asked for."""
        arguments = {"vm": vm, "action": action}
        outcome = await self.path.call("vm_power", arguments, caller)
        if outcome.confirmation is None:
            return outcome
        yes = caller.model_copy(update={"confirmation": outcome.confirmation.nonce})
        return await self.path.call("vm_power", arguments, yes)

    async def told(self) -> list[str]:
        """What is said once all that is under way has ended."""
        async with asyncio.timeout(30):
            await self.acts.settled()
        return [message.text for message in self.messages.unannounced()]


def settings_of(hypervisors: Mapping[str, Any] | None = None, **vms: Any) -> ToolSettings:
    return ToolSettings.model_validate({"vms": vms, "hypervisors": hypervisors or {"nuc": {}}})

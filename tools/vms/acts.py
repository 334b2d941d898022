"""Acts on machines: what is looked at before, done, and looked at again; an act that takes longer goes on by itself.

A shutdown takes as long as the machine likes. The answer waits a few seconds for it; the end is told where it was asked
for. Jarvis keeps no act over a restart: what is true then, ``check_vms`` reads anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tools.calling import current_caller
from tools.contract import Caller, JsonObject, ToolResult
from tools.notify.messages import HIGH, NORMAL, Messages
from tools.settings_house import HypervisorSettings
from tools.store import StoreError
from tools.vms.port import STOPPED, Hypervisor, HypervisorError, Machine, VmState
from tools.vms.sayings import is_
from tools.wording import duration, sentence

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 5.0
"""What an answer waits for the end of an act; longer, and people ask again."""

PAUSE_S = 0.5
"""Between two looks at a machine that shuts down."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to which machine."""

    vm: str
    action: str
    key: str
    snapshot_first: bool
    settings: HypervisorSettings


@dataclass
class Act:
    """One that is under way: ``doing`` says it, as a clause after the name."""

    order: Order
    doing: str = ""
    superseded: bool = False
    pressed: bool = False
    task: asyncio.Task[ToolResult] | None = field(default=None, repr=False)


class Acts:
    """All that is under way, one act a machine."""

    def __init__(
        self,
        messages: Messages,
        *,
        push: bool = False,
        answer_within_s: float = ANSWER_WITHIN_S,
        pause_s: float = PAUSE_S,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """``push``: an end that somebody has to do something about goes to the phone as well."""
        self._messages = messages
        self._push = push
        self._answer_within_s = answer_within_s
        self._pause_s = pause_s
        self._ticks = ticks
        self._under_way: dict[tuple[str, str], Act] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def do(self, hypervisor: Hypervisor, order: Order) -> ToolResult:
        """What is true after it, or what it is at when the answer has to be given."""
        place = (hypervisor.name, order.key)
        before = self._under_way.get(place)
        if before is not None:
            if not (before.pressed and order.action == "force-off"):
                return _result(order, f"{order.vm} {before.doing}, since before", done=False)
            before.superseded = True  # whoever waits for it to go by itself hears of the plug instead
        act = Act(order)
        act.task = asyncio.create_task(self._carry_out(hypervisor, act), name=f"{order.action} {order.vm}")
        self._under_way[place] = act
        act.task.add_done_callback(lambda _: self._over(place, act))
        caller = current_caller()
        done, _ = await asyncio.wait({act.task}, timeout=self._answer_within_s)
        if done:
            return act.task.result()
        later = asyncio.create_task(self._tell(act, caller), name=f"tell of {order.vm}")
        self._telling.add(later)
        later.add_done_callback(self._telling.discard)
        return _result(order, f"{order.vm} {act.doing}", done=False)

    async def settled(self) -> None:
        """Until what is under way has ended and was told."""
        while self._telling:
            await asyncio.wait(self._telling)

    def _over(self, place: tuple[str, str], act: Act) -> None:
        if self._under_way.get(place) is act:
            del self._under_way[place]

    async def _tell(self, act: Act, caller: Caller) -> None:
        """The end, at the door where it was asked for."""
        assert act.task is not None  # noqa: S101 - set before this is called
        result = await act.task
        if act.superseded:
            return
        well = bool(result.data.get("done"))
        try:
            await asyncio.to_thread(
                self._messages.add,
                result.spoken,
                caller,
                title="Virtual machines",
                priority=NORMAL if well else HIGH,
                push=self._push and not well,
            )
        except StoreError as error:
            log.warning("the end of an act on a virtual machine could not be told: %s", error)

    async def _carry_out(self, hypervisor: Hypervisor, act: Act) -> ToolResult:
        """The whole of it; every failure is a result that says what is true."""
        order = act.order
        act.doing = "is being looked at"
        try:
            machine = await hypervisor.find(order.key)
            if (settled := _needless(order, machine)) is not None:
                return settled
            if order.snapshot_first and order.action != "start":
                act.doing = "gets its snapshot first"
                await self._snapshot(hypervisor, order)
        except HypervisorError as error:
            return _failed(order, error, "so I did nothing")
        try:
            return await self._act(hypervisor, act)
        except HypervisorError as error:
            return await _after_failure(hypervisor, order, error)

    async def _snapshot(self, hypervisor: Hypervisor, order: Order) -> None:
        """Raises HypervisorError, which says that it was about the snapshot."""
        label = f"jarvis-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
        try:
            await hypervisor.snapshot(order.key, label)
        except HypervisorError as error:
            raise HypervisorError(f"its snapshot could not be taken: {error}", error.detail) from error

    async def _act(self, hypervisor: Hypervisor, act: Act) -> ToolResult:
        order, key = act.order, act.order.key
        match order.action:
            case "start":
                act.doing = "is starting"
                state = await hypervisor.start(key)
                return _read_back(order, state, wanted=frozenset({VmState.RUNNING}), said="is running")
            case "reboot":
                act.doing = "is being restarted"
                state = await hypervisor.reboot(key)
                return _read_back(order, state, wanted=frozenset({VmState.RUNNING}), said="is rebooting")
            case "force-off":
                act.doing = "is being forced off"
                state = await hypervisor.force_off(key)
                return _read_back(order, state, wanted=STOPPED, said="is off")
        act.doing = "is shutting down"
        act.pressed = True
        state = await hypervisor.shutdown(key)
        return await self._wait_until_off(hypervisor, order, state)

    async def _wait_until_off(self, hypervisor: Hypervisor, order: Order, state: VmState) -> ToolResult:
        """A look that fails is no end: the next one may not."""
        until = self._ticks() + order.settings.shutdown_wait_s
        unseen: HypervisorError | None = None
        while state not in STOPPED and self._ticks() < until:
            await asyncio.sleep(self._pause_s)
            try:
                state, unseen = (await hypervisor.find(order.key)).state, None
            except HypervisorError as error:
                unseen = error
        if state in STOPPED:
            return _read_back(order, state, wanted=STOPPED, said="is off")
        if unseen is not None:
            spoken = f"{order.vm} was told to shut down, and I can't see whether it is off: {unseen}"
            return _result(order, spoken, done=False, said=unseen.detail)
        waited = duration(order.settings.shutdown_wait_s).replace("one ", "a ", 1)
        spoken = f"{order.vm} is still shutting down after {waited}. Say force off to pull its plug"
        return _result(order, spoken, done=False, state=state)


def _needless(order: Order, machine: Machine) -> ToolResult | None:
    """What is so already, or cannot be: nothing is done then."""
    state, vm = machine.state, order.vm
    if order.action == "start":
        if state is VmState.RUNNING:
            return _result(order, f"{vm} is running already", done=True, state=state)
        if state is VmState.SHUTTING_DOWN:
            return _result(order, f"{vm} is shutting down just now; start it when it's off", done=False, state=state)
        return None
    if state is VmState.CRASHED and order.action == "force-off":
        return None  # what is left of it may still be held
    if state in STOPPED:
        if order.action == "reboot":
            return _result(order, f"{vm} {is_(state)}, so it can't be rebooted; say start", done=False, state=state)
        already = " already" if state is VmState.OFF else ""
        return _result(order, f"{vm} {is_(state)}{already}", done=True, state=state)
    if order.action in ("shutdown", "reboot") and state in (VmState.PAUSED, VmState.ASLEEP):
        spoken = f"{vm} {is_(state)} and can't hear that; start it first, or say force off"
        return _result(order, spoken, done=False, state=state)
    return None


def _read_back(order: Order, state: VmState, *, wanted: frozenset[VmState], said: str) -> ToolResult:
    if state in wanted:
        return _result(order, f"{order.vm} {said}", done=True, state=state)
    return _result(order, f"{order.vm} {is_(state)}, although I told it otherwise", done=False, state=state)


async def _after_failure(hypervisor: Hypervisor, order: Order, error: HypervisorError) -> ToolResult:
    """Whatever went wrong: how is it now?"""
    try:
        state = (await hypervisor.find(order.key)).state
    except HypervisorError:
        return _failed(order, error, "and I can't tell how it is now")
    return _failed(order, error, f"and it {is_(state)}", state)


_DONE = {"start": "started", "shutdown": "shut down", "reboot": "rebooted", "force-off": "forced off"}


def _failed(order: Order, error: HypervisorError, then: str, state: VmState | None = None) -> ToolResult:
    spoken = f"{order.vm} was not {_DONE[order.action]}, because {error}, {then}"
    return _result(order, spoken, done=False, state=state, said=error.detail)


def _result(order: Order, spoken: str, *, done: bool, state: VmState | None = None, said: str = "") -> ToolResult:
    data: JsonObject = {"vm": order.vm, "action": order.action, "done": done, "state": state.value if state else None}
    if said:
        data["said"] = said
    return ToolResult(spoken=sentence(spoken), data=data, tainted=bool(said))

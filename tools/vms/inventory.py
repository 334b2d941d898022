"""What the hypervisors have, read side by side, and the names that follow from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from tools.names import NameIndex
from tools.settings import ToolSettings, VmSettings
from tools.vms.naming import Reading, Spot, assigned
from tools.vms.port import Hypervisor, HypervisorError

NAMES_WITHIN_S = 1.5
"""What a plan waits for the first live names."""

NEWER_NAMES_WITHIN_S = 0.3
"""What it waits for newer ones: time for a hypervisor of this machine. One that takes longer, over ssh say, is read
behind the turn's back, and what is new there is known the next time."""

NAMES_FOR_S = 30.0
"""Names that are so old are read again: machines are made and removed by hand."""

FRESH_S = 1.0
"""A reading this young answers a check: it was made for the plan of the same call."""


class Inventory:
    """One for all the tools of virtual machines."""

    def __init__(
        self,
        settings: ToolSettings,
        names: NameIndex,
        hypervisors: Mapping[str, Hypervisor],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hypervisors = hypervisors
        self.configured = settings.vms
        self._names = names
        self._ticks = ticks
        self._readings: tuple[Reading, ...] = ()
        self._read_at = float("-inf")
        self._refresh: asyncio.Task[tuple[Reading, ...]] | None = None
        self._lists: dict[str, Reading] = {}

    def settings_of(self, name: str) -> VmSettings:
        """As configured; the defaults for a machine that is only on a hypervisor."""
        return self.configured.get(name, VmSettings())

    async def ready(self) -> None:
        """Live names, as far as they can be had soon. Raises nothing but for cancellation."""
        if not self.hypervisors or self._ticks() - self._read_at < NAMES_FOR_S:
            return
        reading = self._reading_now()
        await asyncio.wait({reading}, timeout=NEWER_NAMES_WITHIN_S if self._lists else NAMES_WITHIN_S)
        if not reading.done():
            self._read_at = self._ticks()  # a hypervisor that hangs holds up one call in thirty seconds, not every one

    async def look(self) -> tuple[Reading, ...]:
        """All hypervisors, now."""
        if self._readings and self._ticks() - self._read_at < FRESH_S and self._refresh is None:
            return self._readings
        return await asyncio.shield(self._reading_now())

    async def spots(self, name: str) -> tuple[tuple[Spot, ...], tuple[Reading, ...]]:
        """Where the machine of that name is, and what was read for it."""
        readings = await self.look()
        return assigned(self.configured, readings).get(name, ()), readings

    def _reading_now(self) -> asyncio.Task[tuple[Reading, ...]]:
        """One reading at a time serves all who wait for it."""
        if self._refresh is None or self._refresh.get_loop() is not asyncio.get_running_loop():
            self._refresh = asyncio.create_task(self._read(), name="virtual machines")
            self._refresh.add_done_callback(self._over)
        return self._refresh

    def _over(self, task: asyncio.Task[tuple[Reading, ...]]) -> None:
        if task is self._refresh:
            self._refresh = None

    async def _read(self) -> tuple[Reading, ...]:
        readings = tuple(await asyncio.gather(*(_reading(one) for one in self.hypervisors.values())))
        self._readings, self._read_at = readings, self._ticks()
        for reading in readings:
            if not reading.failure:
                self._lists[reading.hypervisor] = reading
        live = assigned(self.configured, list(self._lists.values()))  # one that is silent keeps the names it had
        self._names.replace("vm", {name: self.settings_of(name).aliases for name in live})
        return readings


async def _reading(hypervisor: Hypervisor) -> Reading:
    try:
        return Reading(hypervisor.name, tuple(await hypervisor.machines()))
    except HypervisorError as error:
        return Reading(hypervisor.name, failure=str(error), detail=error.detail)

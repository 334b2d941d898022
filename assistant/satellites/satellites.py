"""All satellites of the house."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from assistant.config import SatelliteSettings
from assistant.satellites.contest import Contest
from assistant.satellites.discovery import Announcement, found_satellites
from assistant.satellites.house import House
from assistant.satellites.satellite import Satellite, SatelliteState

log = logging.getLogger(__name__)

MOST = 32
"""Satellites at once, found ones included: each has ears of its own."""


class Satellites:
    """Those of the configuration, and those that announce themselves where that is wanted (``find_satellites``)."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._contest = Contest(house.settings.wake.together_ms / 1000)
        self._running: dict[str, tuple[Satellite, asyncio.Task[None]]] = {}

    @property
    def states(self) -> list[SatelliteState]:
        """By name."""
        return [satellite.state for _, (satellite, _) in sorted(self._running.items())]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected, as far as they are there, until the context ends."""
        finding: asyncio.Task[None] | None = None
        for name, settings in self._house.settings.satellites.items():
            self._start(name, settings)
        if self._house.settings.find_satellites:
            finding = asyncio.create_task(self._find(), name="find-satellites")
        try:
            yield
        finally:
            tasks = [task for _, task in self._running.values()] + ([finding] if finding is not None else [])
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            self._running.clear()

    async def _find(self) -> None:
        async for announced in found_satellites():
            if announced.gone:
                self._stop(announced)
            else:
                self._add(announced)

    def _add(self, announced: Announcement) -> None:
        if any(satellite.settings.url in announced.urls for satellite, _ in self._running.values()):
            return
        if len(self._running) >= MOST:
            log.warning("there are %d satellites already: %s is left out", MOST, announced.urls[0])
            return
        self._start(free_name(announced.name, self._running), SatelliteSettings(url=announced.urls[0]), found=True)

    def _stop(self, announced: Announcement) -> None:
        for name, (satellite, task) in list(self._running.items()):
            if satellite.state.found and satellite.settings.url in announced.urls:
                task.cancel()
                del self._running[name]

    def _start(self, name: str, settings: SatelliteSettings, *, found: bool = False) -> None:
        satellite = Satellite(name, settings, self._house, self._contest, found=found)
        self._running[name] = satellite, asyncio.create_task(satellite.run(), name=f"satellite-{name}")


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name, or with a number where it is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name

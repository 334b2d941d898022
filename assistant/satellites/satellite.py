"""One satellite as long as it is configured: connected to again and again, with what is known about it."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from wyoming.info import Describe

from assistant.config import SatelliteSettings
from assistant.errors import AudioError, JarvisError
from assistant.ports import Listener
from assistant.satellites.about import About, read_about
from assistant.satellites.backoff import Backoff
from assistant.satellites.contest import Contest
from assistant.satellites.house import House
from assistant.satellites.link import SatelliteLink, satellite_link
from assistant.satellites.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SatelliteState:
    """What ``jarvis satellites`` shows. Times are ISO 8601, UTC."""

    name: str
    url: str
    room: str | None
    wake: str
    state: Literal["connected", "connecting"]
    since: str | None
    last_heard: str | None
    software: str
    version: str
    found: bool
    problem: str


class Satellite:
    """``run`` until it is cancelled. ``found``: by its own announcement in the network, not in the configuration."""

    def __init__(
        self, name: str, settings: SatelliteSettings, house: House, contest: Contest, *, found: bool = False
    ) -> None:
        self.name = name
        self.settings = settings
        self._found = found
        self._house = house
        self._contest = contest
        self._backoff = Backoff(random.random)
        self._about = About()
        self._link: SatelliteLink | None = None
        self._session: Session | None = None
        self._since: datetime | None = None
        self._last_heard: datetime | None = None
        self._problem = ""

    @property
    def state(self) -> SatelliteState:
        """As of now."""
        connected = self._session is not None
        if self._link is not None:
            silent_s = asyncio.get_running_loop().time() - self._link.last_heard_s
            self._last_heard = datetime.fromtimestamp(datetime.now(UTC).timestamp() - silent_s, UTC)
        return SatelliteState(
            name=self.name,
            url=self.settings.url,
            room=self.settings.room or self._about.room,
            wake=self.settings.wake,
            state="connected" if connected else "connecting",
            since=_iso(self._since) if connected else None,
            last_heard=_iso(self._last_heard),
            software=self._about.software,
            version=self._about.version,
            found=self._found,
            problem=self._session.problem if self._session is not None else self._problem,
        )

    async def run(self) -> None:
        """Nothing of it gets out: a satellite that is not there costs nobody anything."""
        with ExitStack() as stack:
            listener: Listener | None = None
            while True:
                began = asyncio.get_running_loop().time()
                try:
                    if listener is None:
                        listener = stack.enter_context(self._house.room_listener())
                    await self._connected(listener)
                except JarvisError as error:
                    self._fails(f"{error.detail} {error.mend}".strip())
                except Exception as error:  # a bug of ours with one satellite is not to cost the others
                    log.exception("the satellite %s failed inside", self.name)
                    self._fails(f"{type(error).__name__} inside; the log has the rest.")
                await asyncio.sleep(self._backoff.wait_s(asyncio.get_running_loop().time() - began))

    async def _connected(self, listener: Listener) -> None:
        """Raises AudioError when it is gone, or is no satellite; EgressError; WakeWordError, ModelFilesError."""
        async with satellite_link(self.name, self.settings.url) as link:
            await link.send(Describe().event())
            while (event := await link.receive()).type != "info":
                pass
            about = read_about(event.data)
            if not about.satellite:
                mend = f"Mend `url` in [satellites.{self.name}], or see docs/satellites.md."
                raise AudioError("no_satellite", f"{self.settings.url} is no satellite.", mend=mend)
            session = Session(self.name, self.settings, about, self._house, listener, self._contest, link)
            self._about, self._link, self._session = about, link, session
            self._since, self._problem = datetime.now(UTC), ""
            log.info("the satellite %s is connected", self.name)
            try:
                await session.run()
            finally:
                _ = self.state  # when it was heard last stays known
                self._link = self._session = None

    def _fails(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("the satellite %s: %s", self.name, problem)
        self._problem = problem


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None

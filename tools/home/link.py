"""The connection to Home Assistant, kept up by itself: names and states by subscription, orders over the same socket.

While it is down, or while Home Assistant starts, no state is believed; the names stay known, also over our restarts.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.breaker import Attempt, Breaker
from tools.home.faults import NAME, RESTARTING, GoodbyeError, RefusedTokenError
from tools.home.kept import Names, keep, remembered
from tools.home.port import Entity, HomeError, Place, State
from tools.home.session import Session
from tools.home.socket import HomeSocket, home_socket
from tools.settings_house import HomeAssistantSettings

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.5
SOON_WAIT_S = 2.0
LONGEST_WAIT_S = 30.0
"""Between two tries to connect, the first while it may be a restart (RESTART_S after it was there); each is shortened
by chance, to half of it at most, so that not all knock at once."""
REFUSED_WAIT_S = 300.0
"""After a refused token: Home Assistant tells its owner of each try, and bans who tries often where it is told to."""
RESTART_S = 180.0
"""How long after a goodbye a restart is the likely reason that nobody answers."""
STEADY_S = 10.0
"""A connection that lasted that long ends the row of failures."""
KEEP_AFTER_S = 2.0

_WORD = re.compile(r"[a-z0-9_]{1,64}")
_TARGETS = frozenset({"entity_id", "device_id", "area_id", "floor_id", "label_id"})


def open_link(settings: HomeAssistantSettings, kept: Path) -> HomeAssistantLink:
    """Not connected yet: that begins with ``run`` or the first ``ready``. ``kept``: the file for the names."""
    return HomeAssistantLink(settings, kept)


class HomeAssistantLink:
    """A HomeLink, and a Background. For one event loop at a time."""

    name = "home assistant"

    def __init__(self, settings: HomeAssistantSettings, kept: Path) -> None:
        self._settings, self._kept = settings, kept
        self._home = f"{settings.url.host}:{settings.url.port}{settings.url.path or ''}"
        self._names = remembered(kept, self._home, exposed_only=settings.exposed_only)
        self._version = 1
        self._trouble = f"{NAME} is not connected yet"
        self.breaker = Breaker(NAME, time.monotonic)
        """Tells how it is: the tries go by the timetable above, and nobody waits for one for longer than a moment."""
        self._trying: Attempt | None = None
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._wake, self._outcome = asyncio.Event(), asyncio.Event()
        self._refused_token: tuple[int, int] | None = None
        self._said_goodbye = self._there = float("-inf")

    @property
    def trouble(self) -> str:
        return "" if self._session is not None else self._trouble

    @property
    def version(self) -> int:
        return self._version

    @property
    def entities(self) -> Mapping[str, Entity]:
        return self._names.entities

    @property
    def areas(self) -> Mapping[str, Place]:
        return self._names.areas

    @property
    def floors(self) -> Mapping[str, Place]:
        return self._names.floors

    def state(self, entity: str) -> State | None:
        if self._session is None or entity not in self._names.entities:
            return None
        return self._session.states.get(entity)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        self._start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def ready(self, timeout_s: float) -> None:
        self._start()
        if self._session is not None:
            self._session.refresh()
            return
        if self._refused_token is not None and self._refused_token == self._token_stamp():
            return  # asking makes it no better; another file does
        self._outcome.clear()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._outcome.wait()

    async def call(
        self, domain: str, service: str, entities: Sequence[str], data: Mapping[str, Any] | None = None
    ) -> None:
        session = self._live()
        if not _WORD.fullmatch(domain) or not _WORD.fullmatch(service) or _TARGETS & set(data or {}):
            raise HomeError(f"{domain[:40]}.{service[:40]} is no order that I give")
        for entity in entities:
            if entity not in self._names.entities or session.states.get(entity) is None:
                raise HomeError(f"{NAME} has nothing called {entity[:100]}, or does not let me use it")
        await session.call(domain, service, entities, data or {})

    async def settled(self, entities: Sequence[str], wanted: Callable[[str, State], bool], timeout_s: float) -> bool:
        session = self._live()

        def all_are() -> bool:
            return all((now := self.state(entity)) is not None and wanted(entity, now) for entity in entities)

        try:
            async with asyncio.timeout(timeout_s):
                return await session.until(entities, all_are)
        except TimeoutError:
            return False

    async def close(self) -> None:
        for task in (self._task, self._keeping):
            if task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop():
                task.cancel()
                await asyncio.wait([task])
        if self._keeping is not None:
            await self._keep()
        self._task = self._keeping = None
        self._session = None
        self._trouble = f"{NAME} is not connected any more"

    def _live(self) -> Session:
        if self._session is None:
            raise HomeError(self._trouble)
        return self._session

    def _start(self) -> None:
        """Connecting goes on in a task of this loop; an earlier loop may have ended with its task."""
        loop = asyncio.get_running_loop()
        if self._task is not None and not self._task.done() and self._task.get_loop() is loop:
            return
        self._session, self._keeping = None, None
        self._wake, self._outcome = asyncio.Event(), asyncio.Event()
        self._task = loop.create_task(self._stay_connected(), name=self.name)

    async def _stay_connected(self) -> None:
        failures, self._there = 0, time.monotonic()
        while True:
            began = time.monotonic()
            self._refused_token, stamp = None, self._token_stamp()
            self._trying = self.breaker.probe()
            try:
                await self._connect_once()
            except RefusedTokenError as error:
                self._refused_token = stamp
                self._note(error)
            except HomeError as error:
                self._note(error)
            except Exception:  # the edge of a task that nobody waits for: it goes on, and says that it broke
                log.exception("the connection to %s broke", NAME)
                self._trouble = f"the connection to {NAME} broke for a reason that stands in the log"
            finally:
                self._tried()
            self._outcome.set()
            failures = 0 if self._there > began else failures + 1
            longest_s = SOON_WAIT_S if time.monotonic() - self._there < RESTART_S else LONGEST_WAIT_S
            await self._pause(min(longest_s, FIRST_WAIT_S * 2 ** min(failures, 10)))

    def _tried(self, *, well: bool = False) -> None:
        """The first verdict on a try counts: a connection that ends later was one."""
        trying, self._trying = self._trying, None
        if trying is None:
            return
        if well:
            trying.succeeded()
        else:
            trying.failed()

    async def _connect_once(self) -> None:
        """Until the connection ends. Raises HomeError."""
        async with home_socket(self._settings) as socket:
            admitted = time.monotonic()
            reading = asyncio.create_task(socket.read(), name="home assistant reader")
            try:
                await self._open_session(socket)
                await asyncio.shield(reading)
            finally:
                if time.monotonic() - admitted > STEADY_S:
                    self._there = time.monotonic()
                session, self._session = self._session, None
                if session is not None:
                    reason = _reason(reading)
                    self._trouble = reason.reason
                    await session.close(reason)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _open_session(self, socket: HomeSocket) -> None:
        session = Session(socket, self._settings, self._names_changed)
        await session.wait_until_started(self._say_starting)
        await session.load()
        log.info("%s %s is connected: %d entities", NAME, socket.version, len(session.entities))
        self._session = session
        self._tried(well=True)
        self._take_names(session)
        self._outcome.set()

    def _say_starting(self, reason: str) -> None:
        self._trouble = reason
        self._outcome.set()

    def _note(self, error: HomeError) -> None:
        """Why it is down now; a goodbye explains the silence that follows."""
        if isinstance(error, GoodbyeError):
            self._said_goodbye = time.monotonic()
        restarting = time.monotonic() - self._said_goodbye < RESTART_S and self._refused_token is None
        trouble = RESTARTING if restarting else error.reason
        if trouble != self._trouble:
            log.warning("%s", error.reason)
        self._trouble = trouble

    async def _pause(self, longest_s: float) -> None:
        """Less than that where somebody asks."""
        self._wake.clear()
        wait_s = longest_s if self._refused_token is None else REFUSED_WAIT_S
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s * random.uniform(0.5, 1.0)):  # noqa: S311 - spread, not secrecy
                await self._wake.wait()

    def _token_stamp(self) -> tuple[int, int]:
        try:
            found = self._settings.token_file.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def _names_changed(self) -> None:
        if self._session is not None:
            self._take_names(self._session)

    def _take_names(self, session: Session) -> None:
        entities, areas, floors = session.entities, session.registry.areas, session.registry.floors
        names = Names(entities, areas, floors)
        if names == self._names:
            return
        self._names = names
        self._version += 1
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_soon(), name="home assistant names")

    async def _keep_soon(self) -> None:
        """Once for the many changes that come together."""
        kept = 0
        while kept != self._version:
            await asyncio.sleep(KEEP_AFTER_S)
            kept = self._version
            await self._keep()

    async def _keep(self) -> None:
        try:
            await asyncio.to_thread(keep, self._kept, self._home, self._names)
        except OSError as error:
            log.warning("the names of the home cannot be kept in %s: %s", self._kept, error.strerror)


def _reason(reading: asyncio.Task[Any]) -> HomeError:
    error = None if not reading.done() or reading.cancelled() else reading.exception()
    return error if isinstance(error, HomeError) else HomeError(f"the connection to {NAME} was closed")

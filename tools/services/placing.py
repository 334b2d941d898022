"""Which unit of which engine a service is: by its settings, else by its names. Asks engines; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tools.engines.docker_said import COMPOSE_SERVICE
from tools.engines.port import Engine, EngineError, Unit
from tools.names import plain
from tools.settings import ServiceSettings
from tools.wording import listing, sentence

T = TypeVar("T")

WITHIN_S = 10.0
"""What the engines get together; they are asked at the same time, and keep time limits of their own."""


ALIKE = 2
"""Rank of a unit that is not called as the service is, only nearly so."""


class NotPlacedError(Exception):
    """No unit, or several: the text is the sentence to say. ``tainted``: names from outside stand in it."""

    def __init__(self, spoken: str, *, tainted: bool = False) -> None:
        super().__init__(spoken)
        self.spoken = spoken
        self.tainted = tainted


@dataclass(frozen=True, slots=True)
class Place:
    """A service's unit, and the engine that runs it."""

    engine: Engine
    unit: Unit


async def place(
    name: str, service: ServiceSettings, engines: Mapping[str, Engine], within_s: float = WITHIN_S
) -> Place:
    """The one unit that runs the service. Raises NotPlacedError.

    The best match of all engines counts, and there has to be one of it: what is stopped must be the right one.
    """
    asked = _asked(name, service, engines)
    called = {one: service.unit or service.watched_as.get(one) for one in asked}

    async def look(one: str) -> list[tuple[int, Unit]]:
        exact = called[one]
        if exact is not None:
            return [(0, await asked[one].find(exact))]
        return matching(await asked[one].units(), (name, *service.aliases)) or await _by_name(asked[one], name)

    found, failed = await _of_all(asked, look, within_s)
    places = [(rank, Place(asked[one], unit)) for one, units in found.items() for rank, unit in units]
    if failed:  # who could not be asked may have the one that is called just so
        places = [(rank, one) for rank, one in places if rank < ALIKE]
    best = [one for rank, one in places if rank == min(rank for rank, _ in places)]
    if len(best) == 1:
        return best[0]
    if best:
        raise NotPlacedError(_several(name, best), tainted=True)
    raise NotPlacedError(_nowhere(name, service, asked, failed))


def _asked(name: str, service: ServiceSettings, engines: Mapping[str, Engine]) -> Mapping[str, Engine]:
    if service.engine is None:
        return engines
    if service.engine not in engines:
        said = f"{name} is said to run on {service.engine}, and no engine of that name is configured"
        raise NotPlacedError(sentence(said))
    return {service.engine: engines[service.engine]}


def matching(units: Iterable[Unit], names: Sequence[str]) -> list[tuple[int, Unit]]:
    """The units that one of the names means, each with its rank: 0 called just so, 1 the compose service, 2 called
    alike ("Pi-hole", "pihole"). The first name is the service's own; others count where that one fits nothing."""
    known = list(units)
    for name in names:
        alike = _key(name)
        found: list[tuple[int, Unit]] = []
        for unit in known:
            if unit.name == name:
                found.append((0, unit))
            elif unit.labels.get(COMPOSE_SERVICE) == name:
                found.append((1, unit))
            elif alike and alike in (_key(unit.name), _key(unit.labels.get(COMPOSE_SERVICE, ""))):
                found.append((ALIKE, unit))
        if found:
            return found
    return []


async def _by_name(engine: Engine, name: str) -> list[tuple[int, Unit]]:
    """What an engine does not list while it does not run: units of systemd, services of launchd."""
    if engine.kind not in ("systemd", "launchd"):
        return []
    for spelled in dict.fromkeys((name, "-".join(plain(name)), "".join(plain(name)))):
        try:
            return [(ALIKE, await engine.find(spelled))]
        except EngineError as error:
            if not error.unknown:
                raise
    return []


async def _of_all(
    engines: Mapping[str, Engine], look: Callable[[str], Awaitable[list[tuple[int, Unit]]]], within_s: float
) -> tuple[dict[str, list[tuple[int, Unit]]], dict[str, str]]:
    """What each engine found, and why others could not be asked."""
    found: dict[str, list[tuple[int, Unit]]] = {}
    failed: dict[str, str] = {}

    async def one(name: str) -> None:
        try:
            async with asyncio.timeout(within_s):
                found[name] = await look(name)
        except TimeoutError:
            failed[name] = "it does not answer in time"
        except EngineError as error:
            if not error.unknown:
                failed[name] = error.reason

    async with asyncio.TaskGroup() as group:
        for name in engines:
            group.create_task(one(name))
    return found, failed


def _several(name: str, places: Sequence[Place]) -> str:
    where = listing([f"{one.unit.name[:60]} in {one.engine.name}" for one in places[:4]])
    return f"More than one thing could be {name}: {where}. Set its engine and unit in the configuration."


def _nowhere(name: str, service: ServiceSettings, asked: Mapping[str, Engine], failed: Mapping[str, str]) -> str:
    if failed:
        reasons = listing([f"{one}: {reason}" for one, reason in failed.items()])
        return f"I can't tell what runs {name}. I couldn't ask {reasons}."
    verb = "has" if len(asked) == 1 else "have"
    called = service.unit or name
    return f"I don't know what runs {name}: {listing(list(asked))} {verb} nothing called {called}."


def _key(text: str) -> str:
    return "".join(plain(text))

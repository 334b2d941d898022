"""After an order: look until what was wanted is so, or clearly will not be, or the time is over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Literal

from tools.engines.port import EngineError, Unit
from tools.services.answering import answers
from tools.services.placing import Place
from tools.settings import ServiceSettings

Action = Literal["start", "stop", "restart"]

SETTLE_S = 1.5
"""What has no address to ask has to run this long to count as running, and what does not run has to lie still this long
to count as fallen over: systemd queues orders, and many a broken program ends within a second."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 1.0
"""Between two looks; each pause is half as long again."""

ANSWER_S = 2.0
"""One look at the service's address."""

MOVING = frozenset({"starting", "stopping", "restarting", "removing"})
"""What units say while they are on their way."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last look. ``answers``: None where the service has no address; ``why_not``: a clause; ``took_s``: since the
    order; ``settled``: it is clear what came of the order."""

    unit: Unit
    answers: bool | None
    why_not: str
    took_s: float
    settled: bool


async def look_until(
    place: Place, service: ServiceSettings, action: Action, *, before: Unit, ordered: float, until: float
) -> Seen:
    """``ordered``, ``until``: time.monotonic() of the order, and of the last look. Raises EngineError where the engine
    cannot be asked any more."""
    pause, still_since, state = FIRST_PAUSE_S, time.monotonic(), ""
    while True:
        unit = await _again(place, action, until)
        now = time.monotonic()
        if state != (state := f"{unit.running} {unit.said} {unit.since} {unit.restarts}"):
            still_since = now
        answering, why_not = await _answer(service, action, unit, until)
        took = time.monotonic() - ordered
        if _settled(action, before, unit, answering, now - still_since):
            return Seen(unit, answering, why_not, took, settled=True)
        if time.monotonic() + pause >= until:
            return Seen(unit, answering, why_not, took, settled=False)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


async def _again(place: Place, action: Action, until: float) -> Unit:
    """An engine that fails once is asked again. What is gone once it was stopped (``docker run --rm``) is stopped."""
    while True:
        try:
            return await place.engine.find(place.unit.name)
        except EngineError as error:
            if error.unknown and action == "stop":
                return replace(place.unit, running=False, health=None, said="gone")
            if time.monotonic() + FIRST_PAUSE_S >= until:
                raise
            await asyncio.sleep(FIRST_PAUSE_S)


async def _answer(service: ServiceSettings, action: Action, unit: Unit, until: float) -> tuple[bool | None, str]:
    if action != "stop" and not unit.running:
        return None, ""
    return await answers(service, min(ANSWER_S, max(until - time.monotonic(), 0.1)))


def _settled(action: Action, before: Unit, unit: Unit, answering: bool | None, still_s: float) -> bool:
    if action == "stop":
        return not unit.running and unit.said not in MOVING
    if not unit.running:
        return unit.said not in MOVING and still_s >= SETTLE_S
    if unit.health == "starting" or (action == "restart" and not renewed(before, unit)):
        return False
    return bool(answering) or (answering is None and still_s >= SETTLE_S)


def renewed(before: Unit, unit: Unit) -> bool:
    """Whether it has been started since. Where an engine does not tell when, it is believed that it was."""
    if before.since is None or unit.since is None or not before.running:
        return True
    return unit.since != before.since

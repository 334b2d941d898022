"""``service_power``: start, stop, restart; then a look, and the answer says what is true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, cast

from tools.contract import Candidates, Finding, JsonObject, Level, PlannedCall, Severity, ToolResult
from tools.engines.port import Engine, EngineError, Unit
from tools.names import NameIndex
from tools.services.answering import answers
from tools.services.coming_back import ANSWER_S, Action, Seen, look_until
from tools.services.placing import NotPlacedError, Place, place
from tools.services.power_sayings import came_of_it, so_already, told_already
from tools.settings import ServiceSettings, ToolSettings
from tools.tool import Arguments, UnavailableError, resolve_required

NO_ENGINE = "I can't start or stop services; set up an engine that runs them, as Docker or systemd, under [engines]."

ANSWER_WITHIN_S: Mapping[str, float] = {"start": 4.5, "stop": 30.0, "restart": 30.0}
"""A start is told within five seconds, done or not; what stops gets ten seconds from its engine, and whoever asked for
a restart wants to know whether it is back."""


PLACING_SHARE = 0.6
"""Of that time, at most, to find out which engine has it."""


class ServicePowerArguments(Arguments):
    """Input of ``service_power``."""

    service: str
    action: Literal["start", "stop", "restart"]


class ServicePower:
    """Start, stop, restart."""

    name: ClassVar[str] = "service_power"
    description: ClassVar[str] = "Start, stop or restart a service."
    level: ClassVar[Level] = Level.DESTRUCTIVE
    arguments: ClassVar[type[Arguments]] = ServicePowerArguments
    deadline_s = 90.0

    def __init__(self, settings: ToolSettings, names: NameIndex, engines: Mapping[str, Engine]) -> None:
        self._settings = settings
        self._names = names
        self._engines = engines

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service. Starting operates; stopping, also for a moment, is destructive."""
        wanted = ServicePowerArguments.model_validate(arguments.model_dump())
        service = resolve_required(self._names, "service", "a service", wanted.service)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(
            tool=self.name,
            arguments={"service": service, "action": wanted.action},
            level=Level.OPERATE if wanted.action == "start" else Level.DESTRUCTIVE,
            protected=self._settings.services[service].protected,
            readback=f"{wanted.action} {service}",
        )

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises UnavailableError: no engine is set up. Whatever else goes wrong is said, and found."""
        if not self._engines:
            raise UnavailableError(NO_ENGINE)
        name, action = str(call.arguments["service"]), cast(Action, call.arguments["action"])
        service = self._settings.services[name]
        started = time.monotonic()
        try:
            found = await place(name, service, self._engines, ANSWER_WITHIN_S[action] * PLACING_SHARE)
        except NotPlacedError as error:
            return _failed(name, error.spoken, {"action": action}, tainted=error.tainted)
        unit = found.unit
        if so_already(action, unit):
            return await _told_already(name, service, action, found)
        return await self._act(name, service, action, found, started)

    async def _act(
        self, name: str, service: ServiceSettings, action: Action, found: Place, started: float
    ) -> ToolResult:
        until = started + ANSWER_WITHIN_S[action]
        try:
            # cancelled at the end of the time: an engine that has the order carries it out all the same
            async with asyncio.timeout(max(until - time.monotonic(), 0.5)):
                before = await _order(found, action)
        except TimeoutError:
            spoken = f"I told {found.engine.name} to {action} {name}; it had not finished when I stopped waiting."
            return ToolResult(spoken=spoken, data=_data(action, found, found.unit, acted=True, settled=False))
        except EngineError as error:
            spoken = f"I couldn't {action} {name}: {error.reason}."
            return _failed(name, spoken, _data(action, found, found.unit, acted=False))
        try:
            seen = await look_until(found, service, action, before=before, ordered=started, until=until)
        except EngineError as error:
            spoken = f"I told {found.engine.name} to {action} {name}, and can't see what came of it: {error.reason}."
            return _failed(name, spoken, _data(action, found, found.unit, acted=True), Severity.UNKNOWN)
        return _told(name, action, found, seen)


async def _told_already(name: str, service: ServiceSettings, action: Action, found: Place) -> ToolResult:
    """It runs, or is stopped, already. What runs is asked whether it answers: that may be why somebody wants it."""
    unit = found.unit
    answering, why_not = await answers(service, ANSWER_S / 2) if action == "start" else (None, "")
    spoken, well = told_already(name, action, unit, answering, why_not)
    data = _data(action, found, unit, acted=False) | {"answers": answering}
    return ToolResult(spoken=spoken, data=data, findings=() if well else (_finding(name, spoken),))


async def _order(found: Place, action: Action) -> Unit:
    """Give it, and say how the unit was just before: the list it was found in may know less."""
    before = await found.engine.find(found.unit.name)
    orders = {"start": found.engine.start, "stop": found.engine.stop, "restart": found.engine.restart}
    await orders[action](before)
    return before


def _told(name: str, action: Action, found: Place, seen: Seen) -> ToolResult:
    spoken, well = came_of_it(
        name, action, seen.unit, answers=seen.answers, why_not=seen.why_not, took_s=seen.took_s, settled=seen.settled
    )
    data = _data(action, found, seen.unit, acted=True, settled=seen.settled) | {
        "as_wanted": well,
        "answers": seen.answers,
        "took_s": round(seen.took_s, 1),
    }
    under_way = seen.unit.health == "starting" or (not seen.settled and seen.unit.said != "restarting")
    severity = Severity.NOTICE if under_way else Severity.WARNING
    return ToolResult(spoken=spoken, data=data, findings=() if well else (_finding(name, spoken, severity),))


def _data(action: str, found: Place, unit: Unit, **more: Any) -> JsonObject:
    return {
        "action": action,
        "engine": found.engine.name,
        "unit": unit.name[:100],
        "running": unit.running,
        "state": unit.said[:40],
        "health": unit.health,
        "exit_code": unit.exit_code,
        "restarts": unit.restarts,
        **more,
    }


def _finding(name: str, message: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(severity=severity, subject=name, message=message)


def _failed(
    name: str, spoken: str, data: JsonObject, severity: Severity = Severity.WARNING, *, tainted: bool = False
) -> ToolResult:
    return ToolResult(spoken=spoken, data=data, findings=(_finding(name, spoken, severity),), tainted=tainted)

"""An engine that runs services, as a watcher: what runs, and the health that it checks itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tools.engines.docker_said import COMPOSE_SERVICE
from tools.engines.port import Engine, EngineError, Unit
from tools.services.evidence import CHANGES_TO_FLAP
from tools.services.port import Observation, WatcherError

SERVICE_UNIT = ".service"


class EngineWatcher:
    """One engine."""

    def __init__(self, engine: Engine, window_s: float) -> None:
        self.name = engine.name
        self._engine = engine
        self._window_s = window_s

    async def look(self) -> list[Observation]:
        """All its units. Raises WatcherError."""
        try:
            units = await self._engine.units()
        except EngineError as error:
            raise WatcherError(error.reason) from error
        return read_units(units, self._engine.kind, time.time() - self._window_s)


def read_units(units: Sequence[Unit], kind: str, window_from: float) -> list[Observation]:
    """Units as observations. Pure."""
    noun = "unit" if kind in ("systemd", "launchd") else "container"
    return [_unit(unit, noun, window_from) for unit in units]


def _unit(unit: Unit, noun: str, window_from: float) -> Observation:
    up, reason = _state(unit, noun)
    restarting = (unit.restarts or 0) >= CHANGES_TO_FLAP and unit.since is not None and unit.since >= window_from
    return Observation(
        service=unit.name,
        also=_also(unit),
        up=up,
        since=unit.since if up is not None else None,
        changes=unit.restarts or 0 if restarting else 0,
        reason=reason,
        vantage="process",
        hold="pending" if up is None else None,
    )


def _state(unit: Unit, noun: str) -> tuple[bool | None, str]:
    if not unit.running:
        if unit.exit_code:
            return False, f"its {noun} ended with code {unit.exit_code}"
        return False, f"its {noun} is stopped"
    if unit.health == "unhealthy":
        return False, "its health check fails"
    return (None, f"its {noun} is starting") if unit.health == "starting" else (True, f"its {noun} runs")


def _also(unit: Unit) -> tuple[str, ...]:
    """Without the suffix of a service unit, and as the compose file calls it."""
    bare = unit.name.removesuffix(SERVICE_UNIT) if unit.name.endswith(SERVICE_UNIT) else ""
    return tuple(name for name in (bare, unit.labels.get(COMPOSE_SERVICE, "")) if name)

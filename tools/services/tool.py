"""``check_services``: HTTP probes of the catalogue, all at once, within one deadline."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

import httpx
from pydantic import Field

from tools.contract import Candidates, Finding, JsonObject, Level, PlannedCall, Severity, ToolResult
from tools.names import NameIndex
from tools.services.probe import Attempt, probe
from tools.services.states import ServiceState, State, judge, say_all, say_one
from tools.settings import ToolSettings
from tools.store import Store
from tools.tool import Arguments, resolve_optional

_SEVERITY = {
    State.DOWN: Severity.CRITICAL,
    State.FLAPPING: Severity.WARNING,
    State.UNKNOWN: Severity.UNKNOWN,
    State.UP: Severity.OK,
}


class CheckServicesArguments(Arguments):
    """Input of ``check_services``."""

    service: str | None = Field(default=None, description="omit for all")


class CheckServices:
    """Up, down since when, flapping or unknown, for one service or all."""

    name: ClassVar[str] = "check_services"
    description: ClassVar[str] = "Whether services (apps, servers) are up or down."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckServicesArguments

    def __init__(self, settings: ToolSettings, names: NameIndex, store: Store) -> None:
        self._settings = settings
        self._names = names
        self._store = store
        self.deadline_s = settings.services_deadline_s + 2.0

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service's name; none is all of them."""
        said = arguments.service if isinstance(arguments, CheckServicesArguments) else None
        service = resolve_optional(self._names, "service", "a service", said)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(tool=self.name, arguments={"service": service} if service else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Probe, remember, judge, say. Raises StoreError."""
        only = call.arguments.get("service")
        chosen = {name: s for name, s in self._settings.services.items() if only in (None, name)}
        attempts = await self._look(chosen)
        now = time.time()
        states = await asyncio.to_thread(self._judge_and_remember, attempts, now)
        spoken = say_one(states[0], now) if only and states else say_all(states)
        return ToolResult(spoken=spoken, data=_data(states), findings=_findings(states))

    async def _look(self, chosen: Mapping[str, Any]) -> dict[str, tuple[Attempt, ...]]:
        """Attempts per service; none for those that had not answered at the deadline."""
        attempts: dict[str, list[Attempt]] = {name: [] for name in chosen}
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_checking()) as strict,
            httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_not_checking()) as lenient,
        ):
            try:
                async with asyncio.timeout(self._settings.services_deadline_s), asyncio.TaskGroup() as group:
                    for name, service in chosen.items():
                        client = strict if service.verify_tls else lenient
                        group.create_task(probe(client, service, attempts[name]))
            except TimeoutError:
                pass  # what was seen until then is what is judged
        return {name: tuple(made) for name, made in attempts.items()}

    def _judge_and_remember(self, attempts: Mapping[str, tuple[Attempt, ...]], now: float) -> list[ServiceState]:
        history = self._store.observations(now - self._settings.flapping_window_s)
        self._store.observe(now, [(name, a.up, a.reason) for name, looks in attempts.items() for a in looks])
        return [
            judge(name, looks, history.get(name, ()), self._store.down_since(name), now)
            for name, looks in attempts.items()
        ]


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None


def _data(states: list[ServiceState]) -> JsonObject:
    return {
        "services": [
            {
                "name": s.name,
                "state": s.state.value,
                "since": _iso(s.since),
                "status_code": s.status_code,
                "latency_ms": s.latency_ms,
                "reason": s.reason,
            }
            for s in states
        ],
        "counts": {state.value: sum(s.state is state for s in states) for state in State},
    }


def _findings(states: list[ServiceState]) -> tuple[Finding, ...]:
    return tuple(
        Finding(severity=_SEVERITY[s.state], subject=s.name, message=f"{s.state}: {s.reason}", since=_iso(s.since))
        for s in states
        if s.state is not State.UP
    )


@cache
def _checking() -> ssl.SSLContext:
    """Made once: reading the certificates of the system takes longer than asking all services."""
    return httpx.create_ssl_context()


@cache
def _not_checking() -> ssl.SSLContext:
    """For services with ``verify_tls = false``."""
    return httpx.create_ssl_context(verify=False)

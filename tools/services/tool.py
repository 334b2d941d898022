"""``check_services``: the services of the catalogue, and every watcher that knows them, asked at once.

``docs/services.md`` has what is asked, how the answers are joined and what they come to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from tools.breaker import Breaker
from tools.contract import Candidates, Level, PlannedCall, ToolResult
from tools.engines import make as make_engine
from tools.engines.port import Engine
from tools.names import NameIndex
from tools.services.evidence import Trouble
from tools.services.judging import Judged, Past, failure, heard, judge
from tools.services.looking import Seen, look_everywhere
from tools.services.reporting import data_of, findings_of
from tools.services.states import State, say_all, say_one
from tools.services.watchers import Watchers
from tools.settings import ServiceSettings, ToolSettings
from tools.store import Store
from tools.tool import Arguments, resolve_optional

SAYING_S = 2.0
"""Beyond the deadline of the looks: to judge, to remember and to say it."""


class CheckServicesArguments(Arguments):
    """Input of ``check_services``."""

    service: str | None = Field(default=None, description="omit for all")


class CheckServices:
    """Up, down since when, degraded, flapping, in maintenance or unknown, for one service or all."""

    name: ClassVar[str] = "check_services"
    description: ClassVar[str] = "Whether services (apps, servers) are up or down."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckServicesArguments

    def __init__(
        self, settings: ToolSettings, names: NameIndex, store: Store, engines: Mapping[str, Engine] | None = None
    ) -> None:
        """``engines``: those of the configuration, where somebody has made them already. What merely is at hand on
        this machine is no watcher: a unit that happens to have a service's name proves nothing about it."""
        self._settings = settings
        self._names = names
        self._store = store
        made = engines or {}
        self._watchers = Watchers(
            settings, {name: made.get(name) or make_engine(name, one) for name, one in settings.engines.items()}
        )
        self.deadline_s = settings.services_deadline_s + SAYING_S

    @property
    def breakers(self) -> Sequence[Breaker]:
        """Of the watchers."""
        return self._watchers.breakers

    async def aclose(self) -> None:
        """Close the connections that are kept open to the watchers; they are opened again when needed."""
        await self._watchers.aclose()

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """Resolve the service's name; none is all of them."""
        said = arguments.service if isinstance(arguments, CheckServicesArguments) else None
        service = resolve_optional(self._names, "service", "a service", said)
        if isinstance(service, Candidates):
            return service
        return PlannedCall(tool=self.name, arguments={"service": service} if service else {}, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Look, judge, remember, say. Raises StoreError."""
        only = call.arguments.get("service")
        chosen = {name: s for name, s in self._settings.services.items() if only in (None, name)}
        watchers = self._watchers.all if chosen else []
        seen = await look_everywhere(chosen, watchers, self._settings.services_deadline_s)
        now = time.time()
        judged = await asyncio.to_thread(self._judge_and_remember, chosen, seen, now)
        failed = {name: failure(name, reason) for name, reason in seen.failed.items()}
        troubles = _in_order([watcher.name for watcher in watchers], [*failed.values(), *judged.troubles])
        states = judged.states
        spoken = say_one(states[0], now, troubles) if only and states else say_all(states, troubles)
        return ToolResult(
            spoken=spoken,
            data=data_of(judged, seen.failed, in_full=bool(only)),
            findings=findings_of(states, troubles, seen.failed),
        )

    def _judge_and_remember(self, chosen: Mapping[str, ServiceSettings], seen: Seen, now: float) -> Judged:
        window_s, engines = self._settings.flapping_window_s, self._watchers.engines
        history = self._store.observations(now - window_s, chosen)
        kept = [(name, made.up, made.reason) for name, attempts in seen.attempts.items() for made in attempts]
        self._store.observe(now, kept)
        past = {name: Past(history.get(name, ()), self._store.down_since(name)) for name in chosen}
        said = heard(self._settings, self._names, engines, seen.observed, now)
        judged = judge(chosen, seen.attempts, said, past, engines, now, window_s)
        self._remember_others(judged, seen, past, now)
        return judged

    def _remember_others(self, judged: Judged, seen: Seen, past: Mapping[str, Past], now: float) -> None:
        """What only watchers see is remembered as it was judged, for the start of an outage that they do not tell."""
        others = [
            (s.name, s.state is State.UP, s.reason)
            for s in judged.states
            if s.name not in seen.attempts and s.state in (State.UP, State.DOWN)
        ]
        if others:
            self._store.observe(now, others)
        judged.states[:] = [
            replace(s, since=past[s.name].down_since or now) if s.state is State.DOWN and s.since is None else s
            for s in judged.states
        ]


def _in_order(watchers: Sequence[str], troubles: Sequence[Trouble]) -> list[Trouble]:
    """As in the configuration, so that the same things are said in the same words."""
    return sorted(troubles, key=lambda trouble: watchers.index(trouble.watcher))

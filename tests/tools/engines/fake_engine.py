"""An engine whose units do what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from tools.engines.port import EngineError, LogLine, Unit


@dataclass
class FakeEngine:
    """``after``: by verb, what a unit becomes: states that are seen one after another, the last one for good; none: it
    is gone."""

    name: str = "docker"
    known: dict[str, Unit] = field(default_factory=dict)
    lines: Sequence[LogLine] = ()
    after: dict[str, Sequence[Callable[[Unit], Unit]]] = field(default_factory=dict)
    error: EngineError | None = None
    refusal: EngineError | None = None
    hangs: bool = False
    orders: list[tuple[str, str]] = field(default_factory=list)
    _coming: list[Unit] = field(default_factory=list)
    kind: ClassVar[str] = "docker"

    def add(self, name: str, *, running: bool = True, **more: Any) -> Unit:
        said = more.pop("said", "running" if running else "exited")
        unit = Unit(id=f"id of {name}", name=name, running=running, said=said, **{"since": 100.0, **more})
        self.known[name] = unit
        return unit

    async def units(self) -> Sequence[Unit]:
        self._fail()
        return list(self.known.values())

    async def find(self, name: str) -> Unit:
        self._fail()
        if name not in self.known:
            raise EngineError(f"it has no container called {name}", unknown=True)
        if self._coming:
            self.known[name] = self._coming.pop(0)
        return self.known[name]

    async def start(self, unit: Unit) -> None:
        await self._order("start", unit, lambda was: replace(was, running=True, said="running", since=200.0))

    async def stop(self, unit: Unit) -> None:
        await self._order("stop", unit, lambda was: replace(was, running=False, said="exited", since=200.0))

    async def restart(self, unit: Unit) -> None:
        await self._order("restart", unit, lambda was: replace(was, running=True, said="running", since=200.0))

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        self._fail()
        return list(self.lines)[-lines:]

    async def _order(self, verb: str, unit: Unit, usual: Callable[[Unit], Unit]) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.refusal is not None:
            raise self.refusal
        self.orders.append((verb, unit.name))
        self._coming = [change(unit) for change in self.after.get(verb, (usual,))]
        if not self._coming:
            del self.known[unit.name]

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

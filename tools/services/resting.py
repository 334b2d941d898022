"""Watchers of services behind circuit breakers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tools.breaker import Breaker
from tools.resting import RestingQuestion
from tools.services.port import Observation, Watcher, WatcherError


class RestingWatcher:
    """Implements Watcher around one. ``patience_s``: what a look may take."""

    def __init__(self, watcher: Watcher, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = watcher.name
        self._look = RestingQuestion(f"watcher {watcher.name}", watcher.look, WatcherError, patience_s, clock)

    @property
    def breaker(self) -> Breaker:
        """What it is left alone by."""
        return self._look.breaker

    async def look(self) -> Sequence[Observation]:
        """All that it knows. Raises WatcherError."""
        return await self._look()

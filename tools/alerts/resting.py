"""Sources of alerts on other machines behind circuit breakers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tools.alerts.port import Alert, Source, SourceError
from tools.breaker import Breaker
from tools.resting import RestingQuestion


class RestingSource:
    """Implements Source around one. ``patience_s``: what a look may take."""

    def __init__(self, source: Source, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = source.name
        self._alerts = RestingQuestion(f"alerts of {source.name}", source.alerts, SourceError, patience_s, clock)

    @property
    def breaker(self) -> Breaker:
        """What it is left alone by."""
        return self._alerts.breaker

    async def alerts(self) -> Sequence[Alert]:
        """What it sees now. Raises SourceError."""
        return await self._alerts()

"""Watchers behind circuit breakers: one that is down or hangs is not waited for at every question.

While it rests, the reason of its last failure is given at once; what others know is merged as ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from tools.breaker import Breaker
from tools.services.port import Observation, Watcher, WatcherError

NOT_IN_TIME = "it does not answer in time"

SOONER_S = 0.1
"""It gives up so long before whoever waits for all of them does."""

LONGEST_REST_S = 30.0
"""Shorter than of other servers: many questions can do without this one, and a state is believed for minutes."""


class RestingWatcher:
    """Implements Watcher around one. ``patience_s``: what a look may take."""

    def __init__(self, watcher: Watcher, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = watcher.name
        self.breaker = Breaker(f"watcher {watcher.name}", clock, longest_rest_s=LONGEST_REST_S)
        self._watcher = watcher
        self._patience_s = patience_s
        self._reason = ""

    async def look(self) -> Sequence[Observation]:
        """All that it knows. Raises WatcherError."""
        attempt = self.breaker.attempt()
        if attempt is None:
            raise WatcherError(self._reason)
        with attempt:
            try:
                async with asyncio.timeout(self._patience_s):
                    found = await self._watcher.look()
            except TimeoutError:
                self._reason = NOT_IN_TIME
                attempt.failed()
                raise WatcherError(NOT_IN_TIME) from None
            except WatcherError as error:
                self._reason = error.reason
                attempt.failed()
                raise
            attempt.succeeded()
            return found

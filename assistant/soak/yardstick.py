"""How fast the machine is now: a fixed piece of work, done again and again beside the turns.

Processor time is not the same for the same work: where two processors share a core, a cache or a host, each becomes
slower while the other is busy. The piece becomes slower in the same minutes as the server does, and the verdict divides
by it.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median

PIECE = 20_000
"""Squares to add up: 1 to 3 ms of an interpreter, which is what most of the server's time goes to."""

EVERY_S = 0.5


class Yardstick:
    """``run`` until it is cancelled; ``taken`` in between."""

    def __init__(self) -> None:
        self._times_ms: list[float] = []

    async def run(self) -> None:
        """For ever."""
        while True:
            self.measure()
            await asyncio.sleep(EVERY_S)

    def measure(self) -> None:
        """Once, in this thread."""
        began = time.thread_time()
        sum(number * number for number in range(PIECE))
        self._times_ms.append((time.thread_time() - began) * 1000)

    def taken(self) -> float:
        """The median in milliseconds since it was asked for last."""
        if not self._times_ms:
            self.measure()
        found = median(self._times_ms)
        self._times_ms.clear()
        return found

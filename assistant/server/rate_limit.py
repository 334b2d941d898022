"""So many requests a minute: by identity, and by address where there is none or it was wrong."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

from assistant.server.answers import RequestError

MINUTE_S = 60.0
MOST_ADDRESSES = 256
"""Remembered at once, addresses or names; the one that was quiet longest is forgotten first."""


class RateLimit:
    """A bucket for each address or name, refilled evenly."""

    def __init__(self, a_minute: int, ticks: Callable[[], float] = time.monotonic) -> None:
        """``a_minute``: 0 is no limit."""
        self._a_minute = a_minute
        self._ticks = ticks
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """One more. Raises RequestError 429, with the seconds to wait, when there are too many."""
        if not self._a_minute:
            return
        now = self._ticks()
        left, at = self._left.get(key, (float(self._a_minute), now))
        left = min(left + (now - at) * self._a_minute / MINUTE_S, float(self._a_minute))
        self._left[key] = (left - 1.0 if left >= 1.0 else left, now)
        self._left.move_to_end(key)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        if left < 1.0:
            wait_s = math.ceil((1.0 - left) * MINUTE_S / self._a_minute)
            message = f"That is too many requests: {self._a_minute} a minute are taken."
            mend = f"Wait {wait_s} s." if wait_s > 1 else "Wait a second."
            raise RequestError(429, "too_many", message, mend, {"Retry-After": str(wait_s)})

    def count(self, request: Request) -> None:
        """One more request of its address. Raises RequestError 429."""
        self.take(request.client.host if request.client is not None else "")

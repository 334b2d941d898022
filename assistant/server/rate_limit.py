"""So many requests a minute by one address, for the routes that no bearer token guards."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

from assistant.server.answers import RequestError

MINUTE_S = 60.0
MOST_ADDRESSES = 256
"""Remembered at once; the one that was quiet longest is forgotten first."""


class RateLimit:
    """A bucket for each address, refilled evenly."""

    def __init__(self, a_minute: int, ticks: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = a_minute
        self._ticks = ticks
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, request: Request) -> None:
        """One more request. Raises RequestError 429 when there are too many."""
        address = request.client.host if request.client is not None else ""
        now = self._ticks()
        left, at = self._left.get(address, (float(self._a_minute), now))
        left = min(left + (now - at) * self._a_minute / MINUTE_S, float(self._a_minute))
        self._left[address] = (max(left - 1.0, 0.0), now)
        self._left.move_to_end(address)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        if left < 1.0:
            raise RequestError(429, "too_many", "That is too many requests.", "Wait a minute.", {"Retry-After": "60"})

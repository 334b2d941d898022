"""Warnings about clients: each is complained about once a minute, whatever it sends, so that none can fill the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0
KNOWN = 1_000
"""Clients remembered at once; with more of them in a minute the others are told of at debug level."""


class Complaints:
    """Not for threads. ``clock``: seconds that never go back."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last: dict[str, float] = {}

    def about(self, client: str, message: str, *values: object) -> None:
        """As a warning, or at debug level where there was one about this client within EVERY_S. ``message``: with a
        place for the client before those for the values."""
        now = self._clock()
        if client not in self._last and len(self._last) >= KNOWN:
            self._last = {known: at for known, at in self._last.items() if now - at < EVERY_S}
        last = self._last.get(client)
        full = last is None and len(self._last) >= KNOWN
        said = full or (last is not None and now - last < EVERY_S)
        if not said:
            self._last[client] = now
        self._log.log(logging.DEBUG if said else logging.WARNING, message, client, *values)

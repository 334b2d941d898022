"""Prometheus, or what speaks its query API: ``up`` and ``probe_success`` of every target, with their last changes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tools.services.asking import Asked, together
from tools.services.port import Observation, WatcherError
from tools.services.prometheus_said import Series, read_series, read_targets, still_down
from tools.settings_house import WatcherSettings

NOW = '{__name__=~"up|probe_success|probe_http_status_code"}'
LOOKS = '{__name__=~"up|probe_success"}'
PROBERS = "group by (job) (last_over_time(probe_success[1d]))"
BACK_S = 7 * 86400.0
STEP_S = 600.0
"""How far back the start of an outage is looked for, and how exactly: a thousand samples of what is down."""


class Prometheus:
    """One Prometheus."""

    def __init__(self, name: str, settings: WatcherSettings, window_s: float) -> None:
        self.name = name
        self.asked = Asked(settings)
        self._window_s = window_s

    async def look(self) -> list[Observation]:
        """All targets that it knows now. Raises WatcherError. When an older outage began is left out where there is no
        time left to ask for it."""
        began = time.monotonic()
        now, history, probers = await together(
            self._query(NOW), self._query(f"{LOOKS}[{int(self._window_s)}s]"), self._query(PROBERS)
        )
        downs: list[Series] = []
        if still_down(history, now):
            with suppress(WatcherError, TimeoutError):
                async with asyncio.timeout(self.asked.settings.timeout_s - (time.monotonic() - began)):
                    downs = await self._downs()
        jobs = {one.labels.get("job", "") for one in probers}
        return read_targets(now, history, jobs, downs, STEP_S)

    async def _query(self, query: str) -> list[Series]:
        headers = await self.asked.credentials()
        answer = await self.asked.json("GET", "/api/v1/query", headers=headers, params={"query": query})
        return read_series(answer)

    async def _downs(self) -> list[Series]:
        at = time.time()
        params = {"query": f"{LOOKS} == 0", "start": f"{at - BACK_S:.0f}", "end": f"{at:.0f}", "step": f"{STEP_S:.0f}"}
        headers = await self.asked.credentials()
        answer = await self.asked.json("GET", "/api/v1/query_range", headers=headers, params=params)
        return read_series(answer)

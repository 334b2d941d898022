"""Uptime Kuma: ``/metrics`` with an API key (or user and password), or a public status page without any."""

from __future__ import annotations

import time
from urllib.parse import quote

from tools.services.asking import Asked, together
from tools.services.kuma_said import read_metrics, read_page
from tools.services.port import Observation, WatcherError
from tools.settings_house import WatcherSettings


class UptimeKuma:
    """One Uptime Kuma. A status page tells times and reasons and goes first; the metrics tell addresses."""

    def __init__(self, name: str, settings: WatcherSettings, window_s: float) -> None:
        self.name = name
        self.asked = Asked(settings)
        self._window_s = window_s

    async def look(self) -> list[Observation]:
        """All monitors of the page, or all that Kuma has. Raises WatcherError."""
        page = self.asked.settings.status_page
        return await (self._page(page) if page else self._metrics())

    async def _metrics(self) -> list[Observation]:
        body = await self.asked.text("/metrics", headers=await self.asked.credentials())
        seen = read_metrics(body, time.time())
        if seen is None:
            raise WatcherError("its answer is not in the form that I know")
        return seen

    async def _page(self, slug: str) -> list[Observation]:
        path = f"/api/status-page/{quote(slug, safe='')}"
        heart = f"/api/status-page/heartbeat/{quote(slug, safe='')}"
        page, beats = await together(self.asked.json("GET", path), self.asked.json("GET", heart))
        return read_page(page, beats, time.time() - self._window_s)

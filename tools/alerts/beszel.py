"""Beszel, which is a PocketBase: log in, then two collections."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx

from tools import web
from tools.alerts import asking, beszel_said
from tools.alerts.hosts import Hosts
from tools.alerts.port import Alert, SourceError
from tools.settings_house import AlertSettings, WatcherSettings

PAGE = "200"
MAX_PAGES = 5
"""A thousand systems."""


class Beszel:
    """See ``port.Source``."""

    def __init__(self, name: str, settings: WatcherSettings, limits: AlertSettings, hosts: Hosts) -> None:
        self.name = name
        self._settings = settings
        self._limits = limits
        self._hosts = hosts

    async def alerts(self) -> Sequence[Alert]:
        """Logs in each time: a token that is kept is one more thing that can leak or be stale."""
        async with asking.client(self._settings) as http:
            try:
                headers = {"Authorization": await self._log_in(http)}
                systems = await self._records(http, "systems", headers)
                alerts = await self._records(http, "alerts", headers)
            except web.WebError as error:
                raise SourceError(str(error)) from error
        return beszel_said.read(
            systems, alerts, self.name, self._hosts, self._settings.url, self._limits,
            self._settings.stale_after_s, time.time(),
        )  # fmt: skip

    async def _log_in(self, http: httpx.AsyncClient) -> str:
        settings = self._settings
        if settings.username is None or settings.password_file is None:
            raise SourceError("it wants a username and a password_file")
        body = {"identity": settings.username, "password": await web.secret(settings.password_file, "password")}
        try:
            answer = await web.ask_json(
                http, "POST", "/api/collections/users/auth-with-password", body=body, timeout_s=settings.timeout_s
            )
        except web.WebError as error:
            if error.status == 400:  # PocketBase's answer to a wrong password
                raise SourceError("it refuses the credentials") from error
            raise
        return beszel_said.token(answer)

    async def _records(self, http: httpx.AsyncClient, collection: str, headers: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        number, pages = 1, 1
        while number <= min(pages, MAX_PAGES):
            answer = await web.ask_json(
                http,
                "GET",
                f"/api/collections/{collection}/records",
                params={"page": str(number), "perPage": PAGE},
                headers=headers,
                timeout_s=self._settings.timeout_s,
                max_bytes=asking.MAX_BYTES,
            )
            items, pages = beszel_said.page(answer)
            found += items
            number += 1
        return found

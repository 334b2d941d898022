"""Beszel: its systems, which are machines. The hub is a PocketBase: a token by user and password, kept until refused.

Source of the shapes: PocketBase's "Records API"; Beszel's collection ``systems``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tools.services.asking import Asked, RefusedError
from tools.services.port import Hold, Observation, WatcherError
from tools.services.shapes import moment, part, rows, text
from tools.settings_house import WatcherSettings
from tools.web import WebError, secret

SYSTEMS = "/api/collections/systems/records"
LOGIN = "/api/collections/users/auth-with-password"
_HOLDS: Mapping[str, Hold] = {"paused": "paused", "pending": "pending"}


class Beszel:
    """One Beszel hub."""

    def __init__(self, name: str, settings: WatcherSettings) -> None:
        self.name = name
        self.asked = Asked(settings)
        self._token: str | None = None
        self._logging_in = asyncio.Lock()

    async def look(self) -> list[Observation]:
        """All systems. Raises WatcherError."""
        used = self._token
        try:
            answer = await self._systems()
        except RefusedError as error:
            if error.status not in (401, 403) or used is None:
                raise
            answer = None
        if used is not None and not part(answer, "items"):  # a token that has run out is answered with an empty list
            self._token = None
            answer = await self._systems()
        return read_beszel(answer)

    async def _systems(self) -> Any:
        async with self._logging_in:
            if self._token is None:
                self._token = await self._log_in()
        return await self.asked.json(
            "GET", SYSTEMS, headers={"Authorization": self._token}, params={"perPage": "500"}
        )  # fmt: skip

    async def _log_in(self) -> str:
        settings = self.asked.settings
        if settings.username is None or settings.password_file is None:
            raise WatcherError("it wants a username and a password_file, and the configuration has none")
        try:
            word = await secret(settings.password_file, "password")
        except WebError as error:
            raise WatcherError(str(error)) from error
        try:
            answer = await self.asked.json("POST", LOGIN, body={"identity": settings.username, "password": word})
        except RefusedError as error:
            reason = "it refuses the credentials" if error.status == 400 else error.reason
            raise RefusedError(reason, error.status) from error
        token = part(answer, "token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise WatcherError("its answer is not in the form that I know")
        return token


def read_beszel(answer: Any) -> list[Observation]:
    """What stands in the answer. Raises WatcherError where it is of another form. Pure.

    The hub updates a system with every report, so that of one that is down the last update is when it went down.
    """
    found = []
    for row in rows(part(answer, "items")):
        name, status, updated = text(row.get("name")), row.get("status"), moment(row.get("updated"))
        if not name or status not in ("up", "down", *_HOLDS):
            continue
        up = {"up": True, "down": False}.get(status)
        found.append(
            Observation(
                service=name,
                up=up,
                at=updated if up else None,
                since=updated if up is False else None,
                reason="its machine runs" if up else ("its machine does not report" if up is False else ""),
                hold=_HOLDS.get(status),
                vantage="process",
            )
        )
    return found

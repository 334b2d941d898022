"""One server that is asked again and again: one client for it, kept open between questions and closed when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import httpx

from tools.services.port import WatcherError
from tools.settings_house import WatcherSettings
from tools.web import WebError, ask, ask_json, bearer, client, secret

IDLE_S = 120.0
"""After the last question the connections are closed."""

KEPT_ALIVE_S = 60.0
"""Servers close a connection that nobody uses after a minute or more; one that is older is not tried again."""


class Asked:
    """The server of one watcher. Every failure is a WatcherError."""

    def __init__(self, settings: WatcherSettings) -> None:
        self.settings = settings
        self._base = settings.url.rstrip("/")
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def json(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None, body: Any = None,
    ) -> Any:  # fmt: skip
        """A decoded answer. Raises WatcherError."""
        try:
            return await ask_json(
                self._client(), method, self._base + path, timeout_s=self.settings.timeout_s, headers=headers,
                params=params, body=body,
            )  # fmt: skip
        except WebError as error:
            raise RefusedError(str(error), error.status) from error

    async def text(self, path: str, *, headers: Mapping[str, str] | None = None) -> str:
        """An answer that is text. Raises WatcherError."""
        try:
            raw = await ask(
                self._client(), "GET", self._base + path, timeout_s=self.settings.timeout_s, headers=headers
            )
        except WebError as error:
            raise RefusedError(str(error), error.status) from error
        return raw.decode("utf-8", "replace")

    async def credentials(self) -> dict[str, str]:
        """The header with the token, or with user and password, or none. Raises WatcherError."""
        try:
            if self.settings.password_file is None:
                return await bearer(self.settings.token_file)
            word = await secret(self.settings.password_file, "password")
            basic = httpx.BasicAuth(self.settings.username or "", word)
        except WebError as error:
            raise WatcherError(str(error)) from error
        request = next(basic.sync_auth_flow(httpx.Request("GET", "http://basic")))
        return {"Authorization": request.headers["Authorization"]}

    async def aclose(self) -> None:
        """Close what is open; a later question opens it again."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        http, self._http = self._http, None
        if http is not None and self._loop is asyncio.get_running_loop():
            await http.aclose()

    def _client(self) -> httpx.AsyncClient:
        """One for each event loop: connections belong to the loop that made them."""
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            limits = httpx.Limits(max_connections=8, keepalive_expiry=KEPT_ALIVE_S)
            self._http, self._loop, self._idle = _open(self.settings, limits), loop, None
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(IDLE_S, self._close_idle)
        return self._http

    def _close_idle(self) -> None:
        task = asyncio.ensure_future(self.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class RefusedError(WatcherError):
    """It was asked and no good answer came. ``status``: of the answer, where there was one."""

    def __init__(self, reason: str, status: int | None) -> None:
        super().__init__(reason)
        self.status = status


def _open(settings: WatcherSettings, limits: httpx.Limits) -> httpx.AsyncClient:
    checked = settings.verify_tls and settings.url.startswith("https:")  # else no certificates have to be read
    return client(verify_tls=checked, timeout_s=settings.timeout_s, limits=limits)


async def together(*questions: Awaitable[Any]) -> list[Any]:
    """The answers to several questions at once. Raises the first WatcherError after all have ended."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers

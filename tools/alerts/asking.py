"""Asking a watcher over HTTP or TCP: its credentials, and why it did not work."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tools import web
from tools.alerts.port import SourceError
from tools.settings_house import WatcherSettings

MAX_BYTES = 4 * 2**20
"""Of one answer: five hundred alerts with long annotations take one megabyte."""


@asynccontextmanager
async def client(settings: WatcherSettings) -> AsyncIterator[httpx.AsyncClient]:
    """For the time of one look. The system's certificates are read for TLS only, and aside: it takes a while.

    Raises SourceError.
    """
    checked = settings.verify_tls and settings.url.casefold().startswith("https:")
    base_url, timeout_s = settings.url.rstrip("/"), settings.timeout_s
    try:
        made = await asyncio.to_thread(web.client, verify_tls=checked, timeout_s=timeout_s, base_url=base_url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SourceError("its address is not one that can be asked") from error
    async with made as http:
        yield http


async def get(http: httpx.AsyncClient, settings: WatcherSettings, path: str, **options: Any) -> Any:
    """Decoded JSON. Raises SourceError."""
    try:
        return await web.ask_json(
            http,
            "GET",
            path,
            timeout_s=settings.timeout_s,
            max_bytes=MAX_BYTES,
            headers=await _credentials(settings),
            **options,
        )
    except web.WebError as error:
        raise SourceError(str(error)) from error


async def _credentials(settings: WatcherSettings) -> dict[str, str]:
    """A bearer token where there is one, else user and password. Raises WebError."""
    if settings.token_file is not None:
        return await web.bearer(settings.token_file)
    if settings.username is None or settings.password_file is None:
        return {}
    password = await web.secret(settings.password_file, "password")
    pair = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def why(error: OSError | TimeoutError) -> str:
    """Why a plain connection did not come about, as the end of "because …"."""
    if getattr(error, "code", None) == "egress_refused":
        return "it is outside the private network, and I may not go there"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(error, socket.gaierror):
        return "its name cannot be found"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS that I understand"
    if isinstance(error, ConnectionError):
        return "it breaks off the connection"
    return "it cannot be reached"

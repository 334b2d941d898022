"""How a sign of life is sent: to healthchecks, Uptime Kuma, ntfy. One GET or POST, no redirects, no proxy.

Sources: healthchecks.io/docs/http_api (``GET`` or ``POST`` of the ping URL), Uptime Kuma's push monitor
(``/api/push/TOKEN?status=up&msg=…``), docs.ntfy.sh/publish "Updating scheduled messages" (``POST /TOPIC/SEQUENCE`` with
``In:`` replaces the message that waits; the topic's dead man's switch there).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from assistant.errors import EgressError
from assistant.observing.heartbeat import HeartbeatError
from assistant.observing.settings import HeartbeatSettings

MOST_URL_CHARACTERS = 2_000
SILENT = "Jarvis has not been heard from for {minutes}. Is its machine up?"


async def push(name: str, settings: HeartbeatSettings) -> None:
    """Send one sign of life. Raises HeartbeatError: unreadable_url, unreachable, refused_N, egress_refused."""
    url = await asyncio.to_thread(address, settings)
    sign = await asyncio.to_thread(_sign, name, settings, url)
    try:
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=settings.timeout_s) as client,
            client.stream(sign.method, sign.url, headers=sign.headers, content=sign.content) as answer,
        ):
            status = answer.status_code  # what it says besides is not read
    except EgressError as error:
        raise HeartbeatError("egress_refused") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise HeartbeatError("egress_refused" if _was_refused(error) else "unreachable") from error
    if not 200 <= status < 300:
        raise HeartbeatError(f"refused_{status}")


def address(settings: HeartbeatSettings) -> str:
    """Its URL, out of its file where it stands there. Blocks. Raises HeartbeatError."""
    url = _line_of(settings.url_file) if settings.url_file is not None else settings.url or ""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname or len(url) > MOST_URL_CHARACTERS:
        raise HeartbeatError("unreadable_url")
    return url


def _sign(name: str, settings: HeartbeatSettings, url: str) -> httpx.Request:
    if settings.kind == "ntfy":
        headers = {"In": f"{settings.late_s:.0f}s", "Title": "Jarvis is silent", "Priority": "5", "Tags": "warning"}
        if settings.token_file is not None:
            headers["Authorization"] = f"Bearer {_line_of(settings.token_file)}"
        text = SILENT.format(minutes=_minutes(settings.late_s))
        return httpx.Request("POST", f"{url.rstrip('/')}/jarvis-{name}", headers=headers, content=text.encode())
    if settings.kind == "uptime-kuma":
        parts = urlsplit(url)
        query = {**dict(parse_qsl(parts.query)), "status": "up", "msg": "OK"}
        return httpx.Request("GET", urlunsplit(parts._replace(query=urlencode(query))))
    return httpx.Request("POST", url, content=b"")


def _minutes(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def _line_of(path: Path) -> str:
    """The file's one line. Raises HeartbeatError."""
    try:
        line = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise HeartbeatError("unreadable_file") from error
    if not line or any(not c.isprintable() for c in line) or not line.isascii():
        raise HeartbeatError("unreadable_file")
    return line


def _was_refused(error: BaseException | None) -> bool:
    """By the egress guard, however httpx has wrapped it."""
    while error is not None:
        if isinstance(error, EgressError):
            return True
        error = error.__cause__ or error.__context__
    return False

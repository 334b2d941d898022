"""One look at a service from here: GET its URL, connect to its port, ping its game; a few times when it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, replace

import httpx

from tools.services.addresses import endpoint
from tools.services.minecraft_ping import MinecraftError, ping
from tools.settings import ServiceSettings
from tools.web import why

MAX_ATTEMPTS = 3
RETRY_PAUSE_S = 0.05
"""A failed look is taken again after this pause: a single lost packet is not an outage, and mixed answers say a lot."""

GRACE_S = 0.5
"""httpx limits each step, and leaves no socket behind when it gives up; a server that drips stays below every step's
limit, and this much later the whole attempt is cut."""

_IN_TIME = "it does not answer in time"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: whether it says up, and if not why, in words."""

    up: bool
    status_code: int | None
    latency_ms: float | None
    reason: str = ""


def can_be_asked(service: ServiceSettings) -> bool:
    """Whether the catalogue says where it answers."""
    return service.url is not None or service.tcp is not None or _game_host(service) is not None


async def probe(client: httpx.AsyncClient, service: ServiceSettings, attempts: list[Attempt]) -> None:
    """Attempts until one succeeds, at most MAX_ATTEMPTS. Never raises but for cancellation.

    They go into the caller's list as they are made: what was seen before a deadline counts.
    """
    attempts.append(await _attempt(client, service))
    while not attempts[-1].up and len(attempts) < MAX_ATTEMPTS:
        await asyncio.sleep(RETRY_PAUSE_S)
        attempts.append(await _attempt(client, service))


async def _attempt(client: httpx.AsyncClient, service: ServiceSettings) -> Attempt:
    """Everything that has to answer; up only where all of it does."""
    parts: list[Awaitable[Attempt]] = []
    if service.url is not None:
        parts.append(_http(client, service))
    host = _game_host(service)
    if service.minecraft is not None and host is not None:
        parts.append(_game(host, service.minecraft.port, service.timeout_s))
    elif service.tcp is not None:
        parts.append(_tcp(service.tcp, service.timeout_s, alone=service.url is None))
    if len(parts) == 1:
        return await parts[0]
    made = await asyncio.gather(*parts)
    failed = next((attempt for attempt in made if not attempt.up), None)
    return made[0] if failed is None else replace(failed, status_code=made[0].status_code)


def _game_host(service: ServiceSettings) -> str | None:
    if service.minecraft is None:
        return None
    return service.ip or service.host or (endpoint(service.tcp)[0] if service.tcp else None)


async def _http(client: httpx.AsyncClient, service: ServiceSettings) -> Attempt:
    started = time.perf_counter()
    try:
        async with (
            asyncio.timeout(service.timeout_s + GRACE_S),
            client.stream("GET", str(service.url), timeout=service.timeout_s) as answer,
        ):
            status = answer.status_code  # the headers are enough; the body is never read
    except (httpx.TimeoutException, TimeoutError):
        return _failed(_IN_TIME)
    except httpx.HTTPError as error:
        return _failed(why(error))
    except (httpx.InvalidURL, UnicodeError):  # neither is an HTTPError: hosts that no resolver takes
        return _failed("its address is not one that can be asked")
    up = status in service.expect_status if service.expect_status else status < 400
    reason = "" if up else f"it answers with HTTP status {status}"
    return Attempt(up=up, status_code=status, latency_ms=_since(started), reason=reason)


async def _tcp(address: str, timeout_s: float, *, alone: bool) -> Attempt:
    started = time.perf_counter()
    host, port = address.rsplit(":", 1)
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        reason = _IN_TIME
    except (OSError, UnicodeError, OverflowError) as error:
        reason = _why_not(error)
    else:
        writer.close()
        with suppress(OSError):  # the other side may have reset it
            await writer.wait_closed()
        return Attempt(up=True, status_code=None, latency_ms=_since(started))
    return _failed(reason if alone else f"at port {port} {reason}")


async def _game(host: str, port: int, timeout_s: float) -> Attempt:
    started = time.perf_counter()
    try:
        await ping(host, port, timeout_s)
    except MinecraftError as error:
        return _failed(error.reason)
    return Attempt(up=True, status_code=None, latency_ms=_since(started))


def _why_not(error: Exception) -> str:
    if getattr(error, "code", None) == "egress_refused":
        return "it is outside the private network, and I may not go there"
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    return "it cannot be reached"


def _failed(reason: str) -> Attempt:
    return Attempt(up=False, status_code=None, latency_ms=None, reason=reason)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)

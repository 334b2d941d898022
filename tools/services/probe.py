"""One look at a service: GET its URL, a few times when it fails."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx

from tools.settings import ServiceSettings
from tools.web import why

MAX_ATTEMPTS = 3
RETRY_PAUSE_S = 0.05
"""A failed look is taken again after this pause: a single lost packet is not an outage, and mixed answers say a lot."""

GRACE_S = 0.5
"""httpx limits each step, and leaves no socket behind when it gives up; a server that drips stays below every step's
limit, and this much later the whole attempt is cut."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: whether it says up, and if not why, in words."""

    up: bool
    status_code: int | None
    latency_ms: float | None
    reason: str = ""


async def probe(client: httpx.AsyncClient, service: ServiceSettings, attempts: list[Attempt]) -> None:
    """Attempts until one succeeds, at most MAX_ATTEMPTS. Never raises but for cancellation.

    They go into the caller's list as they are made: what was seen before a deadline counts.
    """
    attempts.append(await _attempt(client, service))
    while not attempts[-1].up and len(attempts) < MAX_ATTEMPTS:
        await asyncio.sleep(RETRY_PAUSE_S)
        attempts.append(await _attempt(client, service))


async def _attempt(client: httpx.AsyncClient, service: ServiceSettings) -> Attempt:
    started = time.perf_counter()
    try:
        async with (
            asyncio.timeout(service.timeout_s + GRACE_S),
            client.stream("GET", str(service.url), timeout=service.timeout_s) as answer,
        ):
            status = answer.status_code  # the headers are enough; the body is never read
    except (httpx.TimeoutException, TimeoutError):
        return Attempt(up=False, status_code=None, latency_ms=None, reason="it does not answer in time")
    except httpx.HTTPError as error:
        return Attempt(up=False, status_code=None, latency_ms=None, reason=why(error))
    except (httpx.InvalidURL, UnicodeError):  # neither is an HTTPError: hosts that no resolver takes
        return Attempt(up=False, status_code=None, latency_ms=None, reason="its address is not one that can be asked")
    up = status in service.expect_status if service.expect_status else status < 400
    reason = "" if up else f"it answers with HTTP status {status}"
    return Attempt(
        up=up, status_code=status, latency_ms=round((time.perf_counter() - started) * 1000, 1), reason=reason
    )

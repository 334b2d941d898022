"""Whether a service answers right now: one look at its address, after it was started or stopped."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from tools import web
from tools.services.minecraft_ping import MinecraftError, ping
from tools.settings import ServiceSettings

GRACE_S = 0.2
"""After the client's own limits; a server that drips stays below those."""


async def answers(service: ServiceSettings, timeout_s: float) -> tuple[bool | None, str]:
    """True; False and why not, as a clause; None where it has no address to ask. Raises nothing."""
    limit = min(service.timeout_s, max(timeout_s, 0.05))
    try:
        async with asyncio.timeout(limit + GRACE_S):
            if service.url is not None:
                return await _http(service, limit)
            if service.tcp is not None:
                return await _tcp(*service.tcp.rsplit(":", 1))
            host = service.ip or service.host
            if service.minecraft is not None and host:
                await ping(host, service.minecraft.port, limit)
                return True, ""
    except TimeoutError:
        return False, "it does not answer in time"
    except MinecraftError as error:
        return False, error.reason
    return None, ""


async def _http(service: ServiceSettings, limit: float) -> tuple[bool, str]:
    try:
        async with (
            web.client(verify_tls=service.verify_tls, timeout_s=limit) as http,
            http.stream("GET", str(service.url)) as answer,
        ):
            status = answer.status_code  # the headers are enough
    except httpx.TimeoutException:
        return False, "it does not answer in time"
    except httpx.HTTPError as error:
        return False, web.why(error)
    except (httpx.InvalidURL, UnicodeError):  # neither is an HTTPError
        return False, "its address is not one that can be asked"
    up = status in service.expect_status if service.expect_status else status < 400
    return up, "" if up else f"it answers with HTTP status {status}"


async def _tcp(host: str, port: str) -> tuple[bool, str]:
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError, OverflowError):
        return False, "it takes no connection"
    writer.close()
    with suppress(OSError):  # the other side may have reset it
        await writer.wait_closed()
    return True, ""

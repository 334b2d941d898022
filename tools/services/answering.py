"""Whether a service answers right now: a look at its address, after it was started or stopped."""

from __future__ import annotations

import asyncio

from tools import web
from tools.services.probe import Attempt, can_be_asked, probe
from tools.settings import ServiceSettings


async def answers(service: ServiceSettings, timeout_s: float) -> tuple[bool | None, str]:
    """True; False and why not, as a clause; None where it has no address to ask. Raises nothing.

    ``timeout_s``: for all of it, however long the service's own settings would have it wait.
    """
    if not can_be_asked(service):
        return None, ""
    made: list[Attempt] = []
    # reading the system's certificates takes longer than many a look, and http needs none
    checked = service.verify_tls and service.url is not None and service.url.scheme == "https"
    try:
        async with (
            asyncio.timeout(timeout_s),
            web.client(verify_tls=checked, timeout_s=service.timeout_s) as http,
        ):
            await probe(http, service, made)
    except TimeoutError:
        pass  # what was seen until then counts
    if not made:
        return False, "it does not answer in time"
    return made[-1].up, made[-1].reason

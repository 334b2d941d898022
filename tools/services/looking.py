"""Everything is asked at once, within one deadline: who is slow costs only its own answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import httpx

from tools.services.port import Observation, Watcher, WatcherError
from tools.services.probe import Attempt, can_be_asked, probe
from tools.settings import ServiceSettings

ENDING_S = 0.15
"""What was cut off at the deadline gets this long to let go of its connections."""

NOT_IN_TIME = "it does not answer in time"


@dataclass
class Seen:
    """What was seen until the deadline: attempts by service that can be asked, observations by watcher, and why other
    watchers gave none."""

    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    observed: dict[str, Sequence[Observation]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


async def look_everywhere(
    services: Mapping[str, ServiceSettings], watchers: Sequence[Watcher], deadline_s: float
) -> Seen:
    """Ask the services and the watchers. Raises nothing but for cancellation."""
    seen = Seen(attempts={name: [] for name, service in services.items() if can_be_asked(service)})
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_checking()) as strict,
        httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_not_checking()) as lenient,
    ):
        tasks = [asyncio.create_task(_ask(watcher, seen)) for watcher in watchers]
        for name, attempts in seen.attempts.items():
            client = strict if services[name].verify_tls else lenient
            tasks.append(asyncio.create_task(probe(client, services[name], attempts)))
        await _until(tasks, deadline_s)
    for watcher in watchers:
        if watcher.name not in seen.observed:
            seen.failed.setdefault(watcher.name, NOT_IN_TIME)
    return seen


async def _ask(watcher: Watcher, seen: Seen) -> None:
    try:
        seen.observed[watcher.name] = await watcher.look()
    except WatcherError as error:
        seen.failed[watcher.name] = error.reason


async def _until(tasks: Sequence[asyncio.Task[None]], deadline_s: float) -> None:
    """Wait for all of them, not longer than that; what goes on then is cancelled. Raises what a task should not."""
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, timeout=deadline_s)
    finally:
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=ENDING_S)
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error


@cache
def _checking() -> ssl.SSLContext:
    """Made once: reading the certificates of the system takes longer than asking all services."""
    return httpx.create_ssl_context()


@cache
def _not_checking() -> ssl.SSLContext:
    """For services with ``verify_tls = false``."""
    return httpx.create_ssl_context(verify=False)

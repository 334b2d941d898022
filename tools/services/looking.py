"""Everything is asked at once, within one deadline: who is slow costs only its own answer."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import httpx

from tools.resting import NOT_IN_TIME
from tools.services.port import Observation, Watcher, WatcherError
from tools.services.probe import Attempt, can_be_asked, probe
from tools.settings import ServiceSettings

log = logging.getLogger(__name__)

ENDING_S = 0.15
"""What was cut off at the deadline gets this long to let go of its connections."""


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
    checked = {name for name in seen.attempts if _is_checked(services[name])}
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_tls(bool(checked))) as strict,
        httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=_tls(False)) as lenient,
    ):
        tasks = [asyncio.create_task(_ask(watcher, seen)) for watcher in watchers]
        for name, attempts in seen.attempts.items():
            client = strict if name in checked else lenient
            tasks.append(asyncio.create_task(probe(client, services[name], attempts)))
        await _until(tasks, deadline_s)
    for watcher in watchers:
        if watcher.name not in seen.observed:
            seen.failed.setdefault(watcher.name, NOT_IN_TIME)
    return seen


async def _ask(watcher: Watcher, seen: Seen) -> None:
    try:
        found = await watcher.look()
        seen.observed[watcher.name] = [*seen.observed.get(watcher.name, ()), *found]  # an engine may be called like one
    except WatcherError as error:
        seen.failed[watcher.name] = error.reason
    except Exception:  # a fault of ours in reading one watcher costs only its answer, and is said
        log.exception("The watcher %s could not be read.", watcher.name)
        seen.failed[watcher.name] = "something went wrong in reading it"


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


def _is_checked(service: ServiceSettings) -> bool:
    """Whether it has a certificate, and that is to be looked at."""
    return service.verify_tls and service.url is not None and service.url.scheme == "https"


@cache
def _tls(checking: bool) -> ssl.SSLContext:
    """Made once, and only where it is needed: reading the system's certificates takes longer than asking everybody."""
    return httpx.create_ssl_context(verify=checking)

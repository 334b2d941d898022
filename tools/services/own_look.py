"""What was seen from here, as a look beside those of the watchers. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from tools.services.addresses import endpoint
from tools.services.evidence import Look
from tools.services.port import Vantage
from tools.services.probe import Attempt
from tools.settings import ServiceSettings

TOO_LATE = "it had not answered when the time was up"


def own_look(
    attempts: Sequence[Attempt],
    history: Sequence[tuple[float, bool]],
    down_since: float | None,
    now: float,
    vantage: Vantage = "inside",
) -> Look:
    """Attempts of just now, with what was seen before within the flapping window, oldest first.

    No attempts (the deadline passed) say nothing.
    """
    if not attempts:
        return Look(at=now, vantage=vantage, reason=TOO_LATE)
    last = attempts[-1]
    seen = [up for _, up in history] + [attempt.up for attempt in attempts]
    return Look(
        vantage=vantage,
        up=last.up,
        at=now,
        since=None if last.up else down_since or now,
        changes=sum(before != after for before, after in itertools.pairwise(seen)),
        mixed=len({attempt.up for attempt in attempts}) > 1,
        reason=last.reason or next((attempt.reason for attempt in reversed(attempts) if attempt.reason), ""),
        status_code=last.status_code,
        latency_ms=last.latency_ms,
    )


def own_vantage(service: ServiceSettings) -> Vantage:
    """Asked by the name that people use, it is their way that is looked at."""
    if service.url is None or service.dns is None:
        return "inside"
    return "way" if endpoint(str(service.url))[0] == service.dns.casefold().rstrip(".") else "inside"

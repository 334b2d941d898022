"""From looks at a service to its state, and from states to a sentence. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.services.probe import Attempt
from tools.wording import ago, listing, number, sentence

CHANGES_TO_FLAP = 3
"""A restart is two changes (up, down, up); one more within the window is no restart."""


class State(StrEnum):
    """Worst first, as they are said."""

    DOWN = "down"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    UP = "up"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service, judged. ``since`` is a Unix time, ``reason`` the end of "because …"."""

    name: str
    state: State
    since: float | None = None
    status_code: int | None = None
    latency_ms: float | None = None
    reason: str = ""


def judge(
    name: str, attempts: Sequence[Attempt], history: Sequence[tuple[float, bool]], down_since: float | None, now: float
) -> ServiceState:
    """The state that attempts of just now and the observations of the window say.

    No attempts (the deadline passed) is unknown; mixed attempts, or CHANGES_TO_FLAP changes, are flapping.
    """
    if not attempts:
        return ServiceState(name, State.UNKNOWN, reason="it had not answered when the time was up")
    last = attempts[-1]
    looks = [up for _, up in history] + [attempt.up for attempt in attempts]
    changes = sum(1 for before, after in itertools.pairwise(looks) if before != after)
    if len({attempt.up for attempt in attempts}) > 1 or changes >= CHANGES_TO_FLAP:
        reason = next((a.reason for a in reversed(attempts) if a.reason), "it has gone up and down")
        return ServiceState(name, State.FLAPPING, None, last.status_code, last.latency_ms, reason)
    if last.up:
        return ServiceState(name, State.UP, None, last.status_code, last.latency_ms)
    return ServiceState(name, State.DOWN, down_since or now, last.status_code, last.latency_ms, last.reason)


def say_one(service: ServiceState, now: float) -> str:
    """One or two sentences about one service."""
    if service.state is State.UP:
        return sentence(f"{service.name} is up")
    if service.state is State.UNKNOWN:
        return sentence(f"I can't tell whether {service.name} is up: {service.reason}")
    if service.state is State.FLAPPING:
        return sentence(f"{service.name} is flapping: sometimes it answers, and sometimes {service.reason}")
    since = service.since
    when = f", first seen {ago(now - since)}" if since is not None and now - since >= 60 else ""
    return sentence(f"{service.name} is down{when}: {service.reason}")


def say_all(services: Sequence[ServiceState]) -> str:
    """At most two sentences about the whole house, worst first."""
    if not services:
        return "No services are configured."
    by_state = {state: [s.name for s in services if s.state is state] for state in State}
    up = len(by_state[State.UP])
    if up == len(services):
        return "The one service is up." if up == 1 else f"All {number(up)} services are up."
    parts = [
        f"{listing(names)} {'is' if len(names) == 1 else 'are'} {state.value}"
        for state in (State.DOWN, State.FLAPPING)
        if (names := by_state[state])
    ]
    if unknown := by_state[State.UNKNOWN]:
        parts.append(f"I can't tell about {listing(unknown)}")
    first = sentence(listing(parts) if len(parts) < 3 else "; ".join(parts))
    if not up:
        return first
    return f"{first} The other {number(up)} {'is' if up == 1 else 'are'} up."

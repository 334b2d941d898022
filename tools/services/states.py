"""The states of services, and what is said of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.services.evidence import Trouble
from tools.wording import ago, counted, duration, listing, number, sentence

MOST_NAMED = 8
"""Names of one state that are said; more are counted."""


class State(StrEnum):
    """Worst first, as they are said."""

    DOWN = "down"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    UP = "up"


_SAID = {
    State.DOWN: "down",
    State.DEGRADED: "only partly up",
    State.FLAPPING: "flapping",
    State.MAINTENANCE: "in maintenance",
}


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service, judged. ``since`` is a Unix time, ``reason`` the end of "because …"; ``told``: what is said after
    the name, where that is no plain sentence of its state."""

    name: str
    state: State
    since: float | None = None
    status_code: int | None = None
    latency_ms: float | None = None
    reason: str = ""
    told: str = ""


def say_one(service: ServiceState, now: float, troubles: Sequence[Trouble] = ()) -> str:
    """One or two sentences about one service, and one about watchers that are not believed."""
    return _with(_one(service, now), troubles)


def _one(service: ServiceState, now: float) -> str:
    age = now - service.since if service.since is not None else 0.0
    if service.told:
        return sentence(f"{service.name} {service.told}")
    if service.state is State.UP:
        return sentence(f"{service.name} is up" + (f", and has been for {duration(age)}" if age >= 60 else ""))
    if service.state is State.UNKNOWN:
        return sentence(f"I can't tell whether {service.name} is up: {service.reason}")
    if service.state is State.FLAPPING and not service.reason:
        return sentence(f"{service.name} is flapping: it comes and goes")
    if service.state is State.FLAPPING:
        return sentence(f"{service.name} is flapping: sometimes it answers, and sometimes {service.reason}")
    when = f", first seen {ago(age)}" if age >= 60 else ""
    return sentence(f"{service.name} is {_SAID[service.state]}{when}: {service.reason}")


def say_all(services: Sequence[ServiceState], troubles: Sequence[Trouble] = ()) -> str:
    """At most two sentences about the whole house, worst first, and one about watchers that are not believed."""
    return _with(_all(services), troubles)


def _all(services: Sequence[ServiceState]) -> str:
    if not services:
        return "No services are configured."
    by_state = {state: [s.name for s in services if s.state is state] for state in State}
    up = len(by_state[State.UP])
    if up == len(services):
        return "The one service is up." if up == 1 else f"All {number(up)} services are up."
    parts = [
        f"{_some(names)} {'is' if len(names) == 1 else 'are'} {said}"
        for state, said in _SAID.items()
        if (names := by_state[state])
    ]
    if unknown := by_state[State.UNKNOWN]:
        parts.append(f"I can't tell about {_some(unknown)}")
    first = sentence(listing(parts) if len(parts) < 3 else "; ".join(parts))
    if not up:
        return first
    return f"{first} The other {number(up)} {'is' if up == 1 else 'are'} up."


def _some(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return listing(names)
    return listing([*names[: MOST_NAMED - 1], counted(len(names) - MOST_NAMED + 1, "other")])


def _with(said: str, troubles: Sequence[Trouble]) -> str:
    """What is said, and then who is not believed, unless that was the reason already."""
    news = [trouble for trouble in troubles if trouble.said.casefold() not in said.casefold()]
    silent = [trouble.watcher for trouble in news if trouble.silent]
    parts = [f"{listing(silent)} {'does' if len(silent) == 1 else 'do'} not answer"] if silent else []
    parts += [trouble.said for trouble in news if not trouble.silent]
    return f"{said} {sentence(listing(parts))}" if parts else said

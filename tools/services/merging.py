"""From what everybody says about a service to its state. Pure: ``docs/services.md`` has its truth table.

Three vantages: that it runs ("process"), that it answers at its own address ("inside"), and that the way people take to
it works ("way"). Within one, looks that differ are one change where the later began after the earlier ended, and
flapping otherwise; between them, the difference is what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.services.evidence import Look
from tools.services.states import ServiceState, State
from tools.wording import counted, duration, listing

RECOVERY_S = 300.0
"""A watcher that still has a service down is outdone by a later look that finds it up, when the outage was no longer
than this: a restart. Of a longer one it is likelier that the two see different things."""


def merge(name: str, looks: Sequence[Look], window_s: float) -> ServiceState:
    """The state that the looks come to. What is doubted is not believed; nothing believed is unknown, never up."""
    believed = [look for look in looks if not look.doubt]
    state = _merged(name, [look for look in believed if look.up is not None], looks, window_s)
    if state.state is State.UP:
        return state
    if resting := [look for look in believed if look.hold == "maintenance"]:
        return ServiceState(name, State.MAINTENANCE, told=f"is in maintenance, {_verb(resting, 'says', 'say')}")
    return state


@dataclass(frozen=True, slots=True)
class _Side:
    """What one vantage comes to. ``up`` None: nobody looks from there; ``looks``: those that say so."""

    up: bool | None = None
    looks: Sequence[Look] = ()

    @property
    def why(self) -> str:
        """The reason that it is down: our own if we looked, else with the names of who says so."""
        best = next((look for look in self.looks if look.watcher is None), None) or self.looks[0]
        if best.vantage == "process" or best.watcher is None:
            return best.reason
        return says([look for look in self.looks if look.reason == best.reason], best.reason)


def _merged(name: str, saying: Sequence[Look], looks: Sequence[Look], window_s: float) -> ServiceState:
    if not saying:
        return ServiceState(name, State.UNKNOWN, reason=_unknown(looks))
    restless = [look for look in saying if look.restless]
    if restless:
        return _restless(name, restless, saying, window_s)
    sides = []
    for vantage in ("inside", "way"):
        ups, downs = _split(saying, vantage)
        later = _later(ups, downs)
        if later is None:
            return _both(name, ups, downs)
        sides.append(later)
    ups, downs = _split(saying, "process")  # a part of it that does not run is not made good by one that does
    process = _Side(up=not downs, looks=downs or ups) if ups or downs else _Side()
    return _between(name, process, *sides)


def _split(saying: Sequence[Look], vantage: str) -> tuple[list[Look], list[Look]]:
    here = [look for look in saying if look.vantage == vantage]
    return [look for look in here if look.up], [look for look in here if not look.up]


def _later(ups: Sequence[Look], downs: Sequence[Look]) -> _Side | None:
    """What one vantage comes to; None where no single change explains what is said."""
    if not downs:
        return _Side(up=True, looks=ups) if ups else _Side()
    if not ups or min(down.begins for down in downs) > max(up.at for up in ups):
        return _Side(up=False, looks=downs)
    last_down, first_up = max(down.at for down in downs), min(up.begins for up in ups)
    outage = max(up.at for up in ups) - min(down.begins for down in downs)
    return _Side(up=True, looks=ups) if first_up > last_down and outage <= RECOVERY_S else None


def _outdated(side: _Side, *deeper: _Side) -> _Side:
    """Without what was seen up before something that it stands on went down."""
    fell = [look.begins for one in deeper if one.up is False for look in one.looks]
    if side.up and fell and max(look.at for look in side.looks) < min(fell):
        return _Side()
    return side


def _between(name: str, process: _Side, inside: _Side, way: _Side) -> ServiceState:
    """The table of vantages."""
    inside, way = _outdated(inside, process), _outdated(way, process, inside)
    if inside.up:
        if way.up is False:
            told = f"answers, but the way to it does not: {way.why}"
            return _state(name, State.DEGRADED, (way, inside), told)
        if process.up is False:
            return _state(name, State.DEGRADED, (process, inside), f"answers, but {_process_says(process)}")
        return _state(name, State.UP, (inside, way, process))
    if inside.up is False and way.up:
        told = f"answers by the way that {_names(way.looks)} {_take(way.looks)}, but not at its own address: "
        return _state(name, State.DEGRADED, (inside, way), told + inside.why)
    answer = way if inside.up is None else inside
    if answer.up is None:
        return _state(name, State.UP if process.up else State.DOWN, (process,))
    if answer.up:
        if process.up is False:
            return _state(name, State.DEGRADED, (process, way), f"answers, but {_process_says(process)}")
        return _state(name, State.UP, (way, process))
    if process.up is False:
        return _state(name, State.DOWN, (process, answer))
    runs = f"{process.looks[0].reason or 'it runs'}, but " if process.up else ""
    return _state(name, State.DOWN, (answer,), reason=runs + answer.why)


def _state(name: str, state: State, sides: Sequence[_Side], told: str = "", reason: str | None = None) -> ServiceState:
    """The first side is what the state goes by; the times and figures are those of the looks that agree with it."""
    looks = [look for side in sides if side.up == sides[0].up for look in side.looks]
    own = next((look for side in sides for look in side.looks if look.watcher is None), None)
    since = _up_since(looks) if state is State.UP else _first(looks)
    why = "" if state is State.UP else sides[0].why
    return ServiceState(
        name, state, since, own.status_code if own else None, own.latency_ms if own else None,
        why if reason is None else reason, told,
    )  # fmt: skip


def _first(looks: Sequence[Look]) -> float | None:
    return min((look.since for look in looks if look.since is not None), default=None)


def _up_since(looks: Sequence[Look]) -> float | None:
    """The latest that somebody tells. That it has run for so long is not that it has answered for so long; but it has
    not answered for longer than it has run."""
    answered = [look for look in looks if look.vantage != "process"]
    if answered and all(look.since is None for look in answered):
        return None
    return max((look.since for look in looks if look.since is not None), default=None)


def _restless(name: str, restless: Sequence[Look], saying: Sequence[Look], window_s: float) -> ServiceState:
    """Several changes. What we saw ourselves goes before what others counted."""
    own = next((look for look in restless if look.watcher is None), None)
    if own is not None:
        return ServiceState(name, State.FLAPPING, None, own.status_code, own.latency_ms, own.reason)
    most = max(restless, key=lambda look: look.changes)
    times = counted(most.changes, "time")
    told = f"is flapping: {most.watcher} saw it change {times} within {duration(window_s)}"
    reason = next((look.reason for look in saying if not look.up and look.reason), "")
    return ServiceState(name, State.FLAPPING, reason=reason, told=told)


def _both(name: str, ups: Sequence[Look], downs: Sequence[Look]) -> ServiceState:
    """One vantage, and some say this and some that."""
    down = _Side(up=False, looks=downs)
    if any(look.watcher is None for look in ups):
        told = f"is flapping: it answers, but {says(downs, downs[0].reason)}"
    else:
        told = f"is flapping: {says(ups, 'it is up')}, but {down.why}"
    return ServiceState(name, State.FLAPPING, reason=down.why, told=told)


def _unknown(looks: Sequence[Look]) -> str:
    """Why nothing is known, the best reason first."""
    for reasons in (
        [look.reason for look in looks if look.watcher is None and look.reason],
        [look.doubt for look in looks if look.doubt],
        [_held(look) for look in looks if look.hold],
    ):
        if reasons:
            return listing(list(dict.fromkeys(reasons)))
    return "nothing that I can ask watches it"


def _held(look: Look) -> str:
    if look.reason:
        return says([look], look.reason)
    return f"{look.watcher} is still waiting for it" if look.hold == "pending" else f"{look.watcher} has paused it"


def says(looks: Sequence[Look], what: str) -> str:
    """ "gatus says that it answers with HTTP status 502"; "gatus and kuma say …"."""
    return f"{_verb(looks, 'says', 'say')} that {what or 'it does not answer'}"


def _process_says(process: _Side) -> str:
    return says(process.looks, process.looks[0].reason)


def _names(looks: Iterable[Look]) -> str:
    return listing(list(dict.fromkeys(look.watcher or "Jarvis" for look in looks)))


def _verb(looks: Sequence[Look], one: str, several: str) -> str:
    return f"{_names(looks)} {one if len({look.watcher for look in looks}) == 1 else several}"


def _take(looks: Sequence[Look]) -> str:
    return "takes" if len({look.watcher for look in looks}) == 1 else "take"

"""What is said of virtual machines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.contract import Finding, JsonObject, Severity
from tools.settings import VmSettings
from tools.vms.naming import Reading, Spot
from tools.vms.port import VmState
from tools.wording import counted, duration, listing, number, sentence

NAMED = 5
"""So many machines are named that run; more are only counted."""

MAX_TOLD = 200
"""Machines in the evidence."""

_IS = {
    VmState.RUNNING: "is running",
    VmState.OFF: "is off",
    VmState.PAUSED: "is paused",
    VmState.ASLEEP: "is asleep",
    VmState.SHUTTING_DOWN: "is shutting down",
    VmState.CRASHED: "has crashed",
    VmState.UNKNOWN: "is in a state that I don't know",
}

_SEVERITIES = {
    VmState.CRASHED: Severity.CRITICAL,
    VmState.PAUSED: Severity.WARNING,
    VmState.UNKNOWN: Severity.UNKNOWN,
}

_SPOKEN_FIRST = (VmState.CRASHED, VmState.PAUSED, VmState.ASLEEP, VmState.SHUTTING_DOWN, VmState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class View:
    """One machine as it is told: where it is (nowhere, once, or more than once), and how it is configured."""

    name: str
    spots: tuple[Spot, ...]
    settings: VmSettings

    @property
    def state(self) -> VmState | None:
        """None where it was not found, or more than once."""
        return self.spots[0].machine.state if len(self.spots) == 1 else None


def is_(state: VmState) -> str:
    """ "is off", for after a name."""
    return _IS[state]


def of_one(view: View, readings: Sequence[Reading], now: float) -> str:
    """One machine's sentence."""
    if view.state is None:
        return sentence(not_there(view, readings))
    machine = view.spots[0].machine
    if view.state is VmState.RUNNING and machine.since is not None:
        return sentence(f"{view.name} has been running for {duration(max(now - machine.since, 0.0))}")
    return _one_state(view)


def of_all(views: Sequence[View], readings: Sequence[Reading]) -> str:
    """All machines in a few sentences, worst first."""
    parts = [_one_state(view) for state in _SPOKEN_FIRST for view in views if view.state is state][:NAMED]
    seen = [view for view in views if view.state is not None]
    if seen:
        parts.append(_count([view.name for view in seen if view.state is VmState.RUNNING], seen))
    failing = [reading for reading in readings if reading.failure]
    lost = [view for view in views if not view.spots and not _may_be_on(view, failing)]
    if lost:
        parts.append(f"No hypervisor has {listing([view.name for view in lost[:NAMED]], 'or')}.")
    parts += [f"I couldn't look at {reading.hypervisor}: {reading.failure}." for reading in failing]
    return " ".join(filter(None, parts)) or "There are no virtual machines."


def not_there(view: View, readings: Sequence[Reading]) -> str:
    """Why nothing can be said of a machine: a clause that stands for itself."""
    if len(view.spots) > 1:
        places = listing([spot.hypervisor for spot in view.spots])
        return f"there are several machines called {view.name}, on {places}; set its hypervisor in the configuration"
    silent = _may_be_on(view, [reading for reading in readings if reading.failure])
    if silent:
        return "; ".join(
            f"I couldn't look at {one.hypervisor}, where {view.name} may be: {one.failure}" for one in silent
        )
    return f"no hypervisor has a machine called {view.settings.domain or view.name}"


def findings(views: Iterable[View], readings: Iterable[Reading]) -> tuple[Finding, ...]:
    """For alerts and digests, worst first."""
    known = list(readings)
    found: list[Finding] = []
    for view in views:
        if view.state is None:
            found.append(Finding(severity=Severity.UNKNOWN, subject=view.name, message=not_there(view, known)))
            continue
        machine, severity = view.spots[0].machine, _SEVERITIES.get(view.state, Severity.OK)
        message = _one_state(view)
        if view.state is VmState.OFF and machine.autostart:
            severity, message = Severity.NOTICE, f"{view.name} is off, and starts with its host."
        found.append(Finding(severity=severity, subject=view.name, message=message, since=_iso(machine.since)))
    found += [
        Finding(severity=Severity.UNKNOWN, subject=one.hypervisor, message=f"It could not be looked at: {one.failure}.")
        for one in known
        if one.failure
    ]
    order = [Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING, Severity.NOTICE, Severity.OK]
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def evidence(views: Sequence[View], readings: Iterable[Reading], screens: Mapping[str, str]) -> JsonObject:
    """As JSON. ``screens``: links, by name."""
    machines = [
        {
            "name": view.name,
            "state": view.state.value if view.state else None,
            "hypervisor": [spot.hypervisor for spot in view.spots],
            "since": _iso(view.spots[0].machine.since) if view.state else None,
            "autostart": view.spots[0].machine.autostart if view.state else None,
        }
        | ({"screen": screens[view.name]} if view.name in screens else {})
        for view in views[:MAX_TOLD]
    ]
    failures = {
        one.hypervisor: {"ok": not one.failure} | ({"why": one.failure, "said": one.detail} if one.failure else {})
        for one in readings
    }
    return {"machines": machines, "hypervisors": failures, "left_out": max(len(views) - MAX_TOLD, 0)}


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None


def _one_state(view: View) -> str:
    state = view.state or VmState.UNKNOWN
    why = view.spots[0].machine.why if view.spots else ""
    return sentence(f"{view.name} {is_(state)}{f', because {why}' if why else ''}")


def _count(running: Sequence[str], seen: Sequence[View]) -> str:
    total = len(seen)
    if total == 1:
        return "" if seen[0].state in _SPOKEN_FIRST else _one_state(seen[0])
    if len(running) == total:
        return "Both machines are running." if total == 2 else f"All {number(total)} machines are running."
    if not running:
        return "Neither machine is running." if total == 2 else f"None of the {number(total)} machines is running."
    verb = "is" if len(running) == 1 else "are"
    names = f": {listing(running)}" if len(running) <= NAMED else ""
    return sentence(f"{number(len(running))} of {counted(total, 'machine')} {verb} running{names}")


def _may_be_on(view: View, failing: Iterable[Reading]) -> list[Reading]:
    return [one for one in failing if view.settings.hypervisor in (None, one.hypervisor)]

"""Which machine of which hypervisor is meant by a name. Pure.

What is configured wins; machines that are only on a hypervisor get their own name there, so that they work without
being configured at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.names import plain
from tools.settings import VmSettings
from tools.vms.port import Machine
from tools.vms.printable import printable

MAX_NAME_CHARACTERS = 60
MAX_LIVE_NAMES = 200
"""Machines beyond these are seen by the hypervisor and by nobody who speaks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one hypervisor answered: its machines, or why there are none to tell of."""

    hypervisor: str
    machines: tuple[Machine, ...] = ()
    failure: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a machine is."""

    hypervisor: str
    machine: Machine


def assigned(configured: Mapping[str, VmSettings], readings: Sequence[Reading]) -> dict[str, tuple[Spot, ...]]:
    """Name → where it is: configured ones first, in their order, nowhere and twice included; then the others."""
    spots = [Spot(reading.hypervisor, machine) for reading in readings for machine in reading.machines]
    found = {name: _of(name, settings, spots) for name, settings in configured.items()}
    claimed = {(spot.hypervisor, spot.machine.key) for some in found.values() for spot in some}
    taken = {_key(said) for name, settings in configured.items() for said in (name, *settings.aliases)}
    left = [spot for spot in spots if (spot.hypervisor, spot.machine.key) not in claimed]
    for spot in sorted(left, key=lambda spot: (spot.machine.name.casefold(), spot.hypervisor))[:MAX_LIVE_NAMES]:
        name = next((n for n in _names(spot) if _key(n) and _key(n) not in taken), None)
        if name is not None:
            taken.add(_key(name))
            found[name] = (spot,)
    return found


def speakable(name: str) -> str:
    """A hypervisor's name for a machine as people may hear and say it; empty when there is nothing to say."""
    clean = printable(name, MAX_NAME_CHARACTERS)
    return clean if any(c.isalnum() for c in clean) else ""


def _of(name: str, settings: VmSettings, spots: Iterable[Spot]) -> tuple[Spot, ...]:
    """By the domain as it is configured; else by the name, written as people do ("dev machine" is "dev-machine")."""
    there = [spot for spot in spots if settings.hypervisor in (None, spot.hypervisor)]
    if settings.domain is not None:
        return tuple(s for s in there if settings.domain in (s.machine.name, s.machine.key))
    exact = tuple(s for s in there if s.machine.name.casefold() == name.casefold())
    return exact or tuple(s for s in there if _key(s.machine.name) == _key(name))


def _names(spot: Spot) -> tuple[str, ...]:
    name = speakable(spot.machine.name)
    return (name, f"{name} on {spot.hypervisor}") if name else ()


def _key(name: str) -> str:
    return "".join(plain(name))

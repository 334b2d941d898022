"""One order to the home system, and what is checked before it is sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.home.port import State

Sees = Callable[[State], bool]


class CannotError(Exception):
    """The device cannot do that. The text goes on behind its name, one or several: "can't be dimmed"."""


def _never(_: State) -> bool:
    return False


@dataclass(frozen=True)
class Order:
    """A service with its data; ``done``: whether a state is what was asked for; ``begun``: whether it is on its way,
    for what takes its time. ``detailed``: more than on or off was asked for, so more is said."""

    domain: str
    service: str
    done: Sees
    data: Mapping[str, Any] = field(default_factory=dict)
    begun: Sees = _never
    detailed: bool = False

    @property
    def key(self) -> str:
        """Orders with the same key are sent as one, for all their entities."""
        return f"{self.domain}.{self.service} {json.dumps(dict(self.data), sort_keys=True)}"


def can(state: State, feature: int) -> bool:
    """By ``supported_features``; what does not say is tried."""
    features = state.attributes.get("supported_features")
    return bool(features & feature) if isinstance(features, int) else True


def being(*states: str) -> Sees:
    """It is one of these."""
    return lambda state: state.state in states


def not_being(*states: str) -> Sees:
    """It is none of these, and answers."""
    return lambda state: state.state not in (*states, "unavailable", "unknown")


def having(attribute: str, wanted: float, tolerance: float) -> Sees:
    """A number of its attributes is about that."""

    def sees(state: State) -> bool:
        found = state.attributes.get(attribute)
        return isinstance(found, int | float) and abs(found - wanted) <= tolerance

    return sees


def reading(attribute: str, wanted: str) -> Sees:
    """An attribute is exactly that."""
    return lambda state: state.attributes.get(attribute) == wanted


def plain_number(value: float) -> float | int:
    """21.0 as 21, as people write it."""
    return int(value) if float(value).is_integer() else value

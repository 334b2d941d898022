"""What the home system is asked and told, in one form: Home Assistant, over WebSocket and REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class HomeError(Exception):
    """The home system could not be asked, or said no. ``reason``: a clause for people in our words, without a stop and
    without a secret ("Home Assistant is restarting"); ``said``: its own words, as an integration may have written them:
    not to be trusted, and capped."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.reason, self.said = reason, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An area or a floor. ``id``: as the home system has it; ``floor``: of an area, the id of its floor."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    floor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One thing that can be read or switched. ``id``: ``light.desk_lamp``; ``area``: id of its own area, else of its
    device's; ``exposed``: to Assist; ``features``: ``supported_features``."""

    id: str
    name: str
    area: str | None = None
    aliases: tuple[str, ...] = ()
    device_class: str | None = None
    features: int = 0
    exposed: bool = True

    @property
    def domain(self) -> str:
        """``light``, ``lock``, …"""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class State:
    """What it is now. ``changed``: Unix time of the last change of ``state``."""

    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changed: float | None = None


class HomeLink(Protocol):
    """The connection, kept up by itself. What is asked for is in memory; nothing is polled.

    While it is down nothing in memory is believed: ``trouble`` says why, and ``state`` gives None.
    """

    @property
    def trouble(self) -> str:
        """Empty while states are live; else a clause for people ("Home Assistant does not answer")."""
        ...

    @property
    def version(self) -> int:
        """Another number each time that entities or places change."""
        ...

    @property
    def entities(self) -> Mapping[str, Entity]:
        """By id; the last known ones while it is down, kept over a restart of ours."""
        ...

    @property
    def areas(self) -> Mapping[str, Place]:
        """By id."""
        ...

    @property
    def floors(self) -> Mapping[str, Place]:
        """By id."""
        ...

    def state(self, entity: str) -> State | None:
        """Live, or None."""
        ...

    async def ready(self, timeout_s: float) -> None:
        """Connect where that has not begun, and wait for the states, or for the time to pass. Raises nothing."""
        ...

    async def call(
        self, domain: str, service: str, entities: Sequence[str], data: Mapping[str, Any] | None = None
    ) -> None:
        """Have it done. An entity that is not there is an error here, whatever the home system answers. Raises
        HomeError."""
        ...

    async def settled(self, entities: Sequence[str], wanted: Callable[[str, State], bool], timeout_s: float) -> bool:
        """Whether each of them is as ``wanted`` (id, state) says, at once or within the time. Raises HomeError where
        the connection is lost meanwhile."""
        ...

    async def close(self) -> None:
        """Idempotent."""
        ...

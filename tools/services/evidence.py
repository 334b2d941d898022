"""What is known of a service when it is judged: looks, each from one watcher or from here. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.services.port import Hold, Vantage

CHANGES_TO_FLAP = 3
"""A restart is two changes (up, down, up); one more within the window is no restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one watcher says about a service of the catalogue; ``watcher`` None: it was looked at from here.

    ``up`` None: it does not say. ``at``, ``since``: Unix times of what was seen, and of the last change. ``doubt``: why
    it is not believed, as a clause ("gatus last looked two hours ago"). ``mixed``: attempts of just now differed.
    """

    watcher: str | None = None
    vantage: Vantage = "inside"
    up: bool | None = None
    at: float
    since: float | None = None
    changes: int = 0
    mixed: bool = False
    reason: str = ""
    hold: Hold | None = None
    doubt: str = ""
    status_code: int | None = None
    latency_ms: float | None = None

    @property
    def begins(self) -> float:
        """From when on it says that the service is so."""
        return self.since if self.since is not None else self.at

    @property
    def restless(self) -> bool:
        """Whether it saw the service come and go."""
        return self.mixed or self.changes >= CHANGES_TO_FLAP


@dataclass(frozen=True, slots=True)
class Trouble:
    """A watcher that is not believed: it failed, or it is stale. ``said``: a clause with its name. ``silent``: it did
    not answer at all."""

    watcher: str
    said: str
    silent: bool = False


@dataclass(frozen=True, slots=True)
class WatcherSaid:
    """All that one watcher gave: looks by service, and how many things it watches that nobody has in the catalogue."""

    watcher: str
    looks: dict[str, Sequence[Look]]
    unknown: int = 0
    trouble: Trouble | None = None

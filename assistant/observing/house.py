"""What metrics and heartbeats read of the app, as seams: the app has all of it, and tests have a little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from assistant.observing.spent import Spent


class BreakerSeen(Protocol):
    """A circuit breaker (``tools/breaker.py``)."""

    @property
    def name(self) -> str:
        """What is behind it."""
        ...

    @property
    def state(self) -> str:
        """closed, open or half-open."""
        ...

    @property
    def opened(self) -> int:
        """How often it opened."""
        ...


@runtime_checkable
class HasBreakers(Protocol):
    """Whatever has some; an app without any is read all the same."""

    def breakers(self) -> Sequence[BreakerSeen]:
        """All of them."""
        ...


class Watched(Protocol):
    """What ``/metrics`` reads of an app, besides the turns that it tells of."""

    @property
    def running_turns(self) -> int:
        """Turns under way, those that wait among them."""
        ...

    @property
    def waiting_turns(self) -> int:
        """Turns that wait for another one of their conversation."""
        ...

    @property
    def spent(self) -> Spent:
        """Of the language model."""
        ...

    @property
    def state_path(self) -> Path:
        """The state folder."""
        ...

    @property
    def recording(self) -> bool:
        """Whether turns are recorded to debug with."""
        ...

    @property
    def heartbeats(self) -> Sequence[HeartbeatSeen]:
        """Those that are sent from this process."""
        ...

    def refused_connections(self) -> Mapping[str, int]:
        """Of the egress guard, by host."""
        ...

    async def backup_verdicts(self) -> Sequence[tuple[str, str]]:
        """Data class and verdict of every job. Raises StateError."""
        ...

    async def overdue_s(self) -> float:
        """How late the most overdue of all that is scheduled is. Raises StateError."""
        ...


class HeartbeatSeen(Protocol):
    """One heartbeat, as it stands."""

    @property
    def name(self) -> str:
        """As configured."""
        ...

    @property
    def sent(self) -> int:
        """So many arrived."""
        ...

    @property
    def failed(self) -> int:
        """So many did not."""
        ...

    @property
    def withheld(self) -> int:
        """So many were not sent, because something was not well."""
        ...

    @property
    def age_s(self) -> float | None:
        """Since the last one that arrived; None: none did yet."""
        ...

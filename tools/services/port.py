"""What every watcher says about services, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Vantage = Literal["process", "inside", "way"]
"""What a watcher looks at: that it runs (an engine), that it answers on its own address, or that the way people take
to it (a proxy, a name) works."""


Hold = Literal["maintenance", "paused", "pending"]
"""Why a watcher does not say: it is meant to be off, nobody looks at present, or the first looks are not conclusive."""


class WatcherError(Exception):
    """A watcher is down, or cannot be understood. ``reason``: the end of "because …", without a stop or a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one watcher says about one service. ``service``: as the watcher calls it, and ``also`` what else it goes by
    there; ``up`` None: it does not say, ``hold`` says why. ``at``: Unix time of what it saw, None where that is now;
    ``since``: of the last change; ``changes``: changes that it saw in the flapping window. ``reason``: a clause of
    ours, never the words of others. ``address``: URL, host:port or host that it looks at; the vantage follows from it
    where it is not "process". ``beside``: what it looks at may be something beside the service (an exporter of its
    metrics), unless the address is the service's own."""

    service: str
    up: bool | None
    at: float | None = None
    since: float | None = None
    changes: int = 0
    reason: str = ""
    latency_ms: float | None = None
    vantage: Vantage = "inside"
    also: tuple[str, ...] = ()
    address: str = ""
    hold: Hold | None = None
    beside: bool = False


class Watcher(Protocol):
    """One watcher. ``name``: as the configuration calls it, for people."""

    name: str

    async def look(self) -> Sequence[Observation]:
        """All that it knows. Raises WatcherError, and nothing else; cancelled, it leaves nothing behind."""
        ...

"""What every engine that runs services can do: containers, systemd and launchd units, all called units here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

Health = Literal["healthy", "unhealthy", "starting"]


class EngineError(Exception):
    """An engine could not be asked, or said no. ``reason``: a clause for people, without a stop and without a secret
    ("the docker socket may not be opened"). ``unknown``: there is no such unit."""

    def __init__(self, reason: str, *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One container or unit. ``id``: what the engine is asked with; ``since``: Unix time of its last start or stop;
    ``exit_code``: of what has ended; ``restarts``: as the engine counts them. None where it does not tell."""

    id: str
    name: str
    running: bool
    health: Health | None = None
    since: float | None = None
    exit_code: int | None = None
    restarts: int | None = None
    said: str = ""
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    """Published on this machine."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """``at``: Unix time, None where the log has none; ``text`` as it is: cleaned by whoever says or shows it."""

    at: float | None
    text: str
    error: bool = False
    """The engine itself says so: stderr, or a priority of error and worse."""


class Engine(Protocol):
    """One engine. Everything raises EngineError, and nothing else, and leaves nothing behind when it is cancelled."""

    name: str
    kind: ClassVar[str]

    async def units(self) -> Sequence[Unit]:
        """All of them, running or not, within ``timeout_s`` of its settings."""
        ...

    async def find(self, name: str) -> Unit:
        """The one of that name, as it is now. Raises EngineError with ``unknown``."""
        ...

    async def start(self, unit: Unit) -> None:
        """Returns when the engine has taken the order; whether it came up is to be looked at. So do the others."""
        ...

    async def stop(self, unit: Unit) -> None:
        """What is asked to stop may take a while."""
        ...

    async def restart(self, unit: Unit) -> None:
        """Stopped, then started."""
        ...

    async def logs(self, unit: Unit, lines: int) -> Sequence[LogLine]:
        """The last so many lines, oldest first, bounded in bytes."""
        ...

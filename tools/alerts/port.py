"""What every source of alerts says, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tools.contract import Severity

Origin = Literal["rule", "certificate", "ups", "disk", "memory", "load", "temperature", "host", "report", "logs"]
"""What it is about: a rule that fires at Prometheus, Alertmanager, Beszel or Grafana; or what is looked at here."""


class SourceError(Exception):
    """A source is down, or cannot be understood. ``reason``: the end of "because …", without a stop or a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that was looked at: what is wrong, or, with severity ok, that it is well. ``subject``: the host,
    service or disk; ``said``: a whole clause for people ("the disk of nas is 96 per cent full"); ``since``: Unix time;
    ``key``: the same for the same thing from two sources; ``foreign``: the words come from outside, so that the result
    is tainted; ``silenced``: somebody has silenced it, or another alert stands for it; ``labels``: of a rule, to tell
    alerts of one name apart; ``value``: what was measured (per cent, days, a count)."""

    source: str
    origin: Origin
    severity: Severity
    subject: str
    said: str
    key: str
    since: float | None = None
    foreign: bool = False
    silenced: bool = False
    labels: frozenset[tuple[str, str]] = frozenset()
    value: float | None = None


class Source(Protocol):
    """One source. ``name``: as the configuration calls it, for people."""

    name: str

    async def alerts(self) -> Sequence[Alert]:
        """What it sees now. Raises SourceError, and nothing else; cancelled, it leaves nothing behind."""
        ...

"""``check_alerts``: what fires, what runs out, what is about to expire."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from tools.alerts.gathering import Looked, gather
from tools.alerts.merging import Merged, merge
from tools.alerts.resting import RestingSource
from tools.alerts.sayings import say
from tools.alerts.sources import sources, watches_rules
from tools.breaker import Breaker
from tools.contract import Finding, JsonObject, Level, PlannedCall, Severity, ToolResult
from tools.settings import ToolSettings
from tools.tool import Arguments

MARGIN_S = 2.0
"""For ending what is late, and for saying."""

SHOWN = 50
"""Entries of each list in the data."""


class CheckAlertsArguments(Arguments):
    """Input of ``check_alerts``: nothing."""


class CheckAlerts:
    """Alerts of every watcher, certificates, the UPS, agents' reports and this machine's vitals."""

    name: ClassVar[str] = "check_alerts"
    description: ClassVar[str] = "Alerts; certificates, UPS, disk space, memory, host load."
    level: ClassVar[Level] = Level.READ
    arguments: ClassVar[type[Arguments]] = CheckAlertsArguments

    def __init__(self, settings: ToolSettings) -> None:
        self.sources = sources(settings)
        self._rules = watches_rules(settings)
        self._within_s = settings.services_deadline_s
        self.deadline_s = settings.services_deadline_s + MARGIN_S

    @property
    def breakers(self) -> Sequence[Breaker]:
        """Of the watchers."""
        return [source.breaker for source in self.sources if isinstance(source, RestingSource)]

    def plan(self, arguments: Arguments) -> PlannedCall:
        """Nothing to resolve."""
        return PlannedCall(tool=self.name, level=self.level)

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Ask all sources at once, merge, say. Raises nothing."""
        looked = await gather(self.sources, self._within_s)
        now = time.time()
        merged = merge(looked.alerts)
        heard = [one for one in merged if not one.silenced and one.severity is not Severity.OK]
        return ToolResult(
            spoken=say(merged, looked.failed, now, rules=self._rules),
            data=_data(merged, heard, looked, now),
            findings=tuple(_finding(one) for one in heard[:SHOWN]) + _not_reached(looked),
            tainted=any(one.alert.foreign for one in heard),
        )


def _data(merged: Sequence[Merged], heard: Sequence[Merged], looked: Looked, now: float) -> JsonObject:
    """Of what is well, only what no word from outside is in; of what is silenced, the number."""
    well = [one for one in merged if one.severity is Severity.OK and not one.alert.foreign]
    counts = {severity.value: sum(one.severity is severity for one in heard) for severity in Severity}
    counts["ok"] = sum(one.severity is Severity.OK for one in merged)
    return {
        "alerts": [_as_json(one, now) for one in heard[:SHOWN]],
        "well": [{"subject": one.alert.subject, "said": one.alert.said} for one in well[:SHOWN]],
        "not_reached": [{"source": name, "reason": reason} for name, reason in looked.failed],
        "counts": {**counts, "silenced": sum(one.silenced for one in merged)},
    }


def _as_json(one: Merged, now: float) -> JsonObject:
    return {
        "severity": one.severity.value,
        "origin": one.alert.origin,
        "subject": one.alert.subject,
        "said": one.alert.said,
        "sources": list(one.sources),
        "since": _iso(one.since),
        "age_s": round(now - one.since) if one.since is not None else None,
    }


def _finding(one: Merged) -> Finding:
    return Finding(severity=one.severity, subject=one.alert.subject, message=one.alert.said, since=_iso(one.since))


def _not_reached(looked: Looked) -> tuple[Finding, ...]:
    return tuple(
        Finding(severity=Severity.UNKNOWN, subject=name, message=f"I couldn't ask {name}, because {reason}")
        for name, reason in looked.failed
    )


def _iso(at: float | None) -> str | None:
    """None also for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None
    except (OverflowError, ValueError, OSError):
        return None

"""One alert from several sources is one alert; the worst comes first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.alerts.port import Alert
from tools.contract import Severity

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN, Severity.NOTICE, Severity.OK)
ORIGINS_FIRST = ("ups", "host", "disk", "rule", "certificate", "memory", "temperature", "load", "report", "logs")
"""Of alerts equally bad, what goes off soonest when nobody acts."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What is said of it, and by whom. ``since``: the earliest that anybody knows."""

    alert: Alert
    sources: tuple[str, ...]
    severity: Severity
    since: float | None
    silenced: bool


def merge(alerts: Iterable[Alert]) -> list[Merged]:
    """Worst first."""
    by_key: dict[str, list[list[Alert]]] = defaultdict(list)
    for alert in alerts:
        groups = by_key[alert.key]
        same = next((group for group in groups if all(_same(alert, other) for other in group)), None)
        if same is None:
            groups.append([alert])
        else:
            same.append(alert)
    merged = [_one(group) for groups in by_key.values() for group in groups]
    return sorted(merged, key=lambda one: (_rank(one.severity), ORIGINS_FIRST.index(one.alert.origin), one.alert.key))


def _same(one: Alert, other: Alert) -> bool:
    """Rules of one name are told apart by their labels. A source's own labels do not differ by accident; Alertmanager
    has those of Prometheus and what Prometheus adds for everybody outside (external labels)."""
    if one.origin != "rule" or one.labels == other.labels:
        return True
    return one.source != other.source and (one.labels <= other.labels or other.labels <= one.labels)


def _one(group: Sequence[Alert]) -> Merged:
    """Our own words before somebody else's, then the words of the worst. What is silenced stays silent unless somebody
    sees it worse than that."""
    severity = min((alert.severity for alert in group), key=_rank)
    wrong = [alert for alert in group if alert.severity is not Severity.OK] or list(group)
    chosen = min(wrong, key=lambda alert: (alert.foreign, _rank(alert.severity)))
    times = [alert.since for alert in wrong if alert.since is not None]
    return Merged(
        alert=chosen,
        sources=tuple(dict.fromkeys(alert.source for alert in group)),
        severity=severity,
        since=min(times, default=None),
        silenced=any(alert.silenced and alert.severity is severity for alert in group),
    )


def _rank(severity: Severity) -> int:
    return WORST_FIRST.index(severity)

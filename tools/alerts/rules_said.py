"""What Prometheus, Alertmanager and Grafana answer about their alerts, as alerts of ours. Pure.

Documented forms: Prometheus HTTP API ``/api/v1/alerts`` and ``/api/v1/query``; Alertmanager API v2 ``/alerts``, which
Grafana speaks as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.alerts.hosts import Hosts
from tools.alerts.meaning import meaning
from tools.alerts.port import Alert, SourceError
from tools.contract import Severity

NONSENSE = "its answer is not in the form that I know"
MOST = 500
"""Alerts of one source that are read; a house with more of them has one problem, not many."""

_SEVERITIES = {
    **dict.fromkeys(("critical", "crit", "page", "error", "emergency", "disaster", "high", "fatal"), Severity.CRITICAL),
    **dict.fromkeys(("warning", "warn", "medium", "average", "major", "minor"), Severity.WARNING),
    **dict.fromkeys(("info", "information", "informational", "notice", "low", "debug"), Severity.NOTICE),
    "none": Severity.OK,
}
"""The label severity is free text; these are the words that common rule sets use. Any other, and none, is a warning."""


class _Prometheus(BaseModel):
    labels: dict[str, str]
    state: Literal["firing", "pending", "inactive"]
    activeAt: datetime | None = None  # noqa: N815 - as it is called there


class _Status(BaseModel):
    state: Literal["active", "suppressed", "unprocessed"] = "active"


class _Alertmanager(BaseModel):
    labels: dict[str, str]
    startsAt: datetime | None = None  # noqa: N815 - as it is called there
    status: _Status = _Status()


class _Sample(BaseModel):
    metric: dict[str, str]
    value: tuple[float, float]


_FIRING = TypeAdapter(list[_Prometheus])
_ACTIVE = TypeAdapter(list[_Alertmanager])
_VECTOR = TypeAdapter(list[_Sample])


def from_prometheus(answer: Any, source: str, hosts: Hosts, via: str) -> list[Alert]:
    """The firing ones of ``/api/v1/alerts``. Raises SourceError."""
    try:
        found = _FIRING.validate_python(_data(answer)["alerts"])
    except (ValidationError, KeyError, TypeError) as error:
        raise SourceError(NONSENSE) from error
    firing = [alert for alert in found if alert.state == "firing"][:MOST]
    return _real(_alert(one.labels, one.activeAt, source, hosts, via) for one in firing)


def from_alertmanager(answer: Any, source: str, hosts: Hosts, via: str) -> list[Alert]:
    """All of ``/api/v2/alerts``; silenced and inhibited ones are marked. Raises SourceError."""
    try:
        found = _ACTIVE.validate_python(answer)
    except ValidationError as error:
        raise SourceError(NONSENSE) from error
    return _real(
        _alert(one.labels, one.startsAt, source, hosts, via, silenced=one.status.state == "suppressed")
        for one in found[:MOST]
    )


def vector(answer: Any) -> list[tuple[Mapping[str, str], float]]:
    """Labels and value of each sample of an instant query. Raises SourceError."""
    try:
        return [(sample.metric, sample.value[1]) for sample in _VECTOR.validate_python(_data(answer)["result"])]
    except (ValidationError, KeyError, TypeError) as error:
        raise SourceError(NONSENSE) from error


def _real(alerts: Iterable[Alert]) -> list[Alert]:
    """Without those that fire to show that alerting works (severity "none": a watchdog)."""
    return [alert for alert in alerts if alert.severity is not Severity.OK]


def _data(answer: Any) -> Any:
    if not isinstance(answer, dict) or answer.get("status") != "success":
        raise SourceError(NONSENSE)
    return answer["data"]


def _alert(
    labels: Mapping[str, str], since: datetime | None, source: str, hosts: Hosts, via: str, *, silenced: bool = False
) -> Alert:
    meant = meaning(labels, source, hosts, via)
    return Alert(
        source=source,
        origin=meant.origin,
        severity=_SEVERITIES.get(labels.get("severity", "").casefold(), Severity.WARNING),
        subject=meant.subject,
        said=meant.said,
        key=meant.key,
        since=since.timestamp() if since else None,
        foreign=meant.foreign,
        silenced=silenced,
        labels=frozenset(labels.items()),
    )

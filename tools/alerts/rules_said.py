"""What Prometheus, Alertmanager and Grafana answer about their alerts, as alerts of ours. Pure.

Documented forms: Prometheus HTTP API ``/api/v1/alerts`` and ``/api/v1/query``; Alertmanager API v2 ``/alerts``, which
Grafana speaks as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.alerts import words
from tools.alerts.hosts import Host, Hosts
from tools.alerts.judging import disk_key, disk_name
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

_PLACES = ("instance", "host", "hostname", "node", "nodename", "server", "name", "service", "container", "pod", "job")
"""Labels that say what an alert is about, the best first."""

_OF_SPACE = ({"disk", "space"}, {"filesystem"}, {"disk", "full"}, {"disk", "usage"}, {"storage"}, {"volume"})
_NOT_OF_SPACE = {"files", "inodes", "inode", "error", "errors", "io", "latency", "readonly", "read"}
"""Words of a rule's name by which, with a mount point among its labels, it is about a full disk."""


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
    rule = labels.get("alertname", "")
    host = _subject(labels, hosts, via)
    full = _full_disk(rule, labels, host)
    where = "" if host is None else f" on {host.name}"
    said = f"{disk_name(host, labels['mountpoint'])} is filling up" if full and host else None
    return Alert(
        source=source,
        origin="disk" if full else "rule",
        severity=_SEVERITIES.get(labels.get("severity", "").casefold(), Severity.WARNING),
        subject=host.name if host else words.name(rule),
        said=said or f"the alert {words.rule_name(rule)} is firing{where}",
        key=disk_key(host, labels["mountpoint"]) if full and host else f"rule:{words.name(rule)}",
        since=since.timestamp() if since else None,
        foreign=True,
        silenced=silenced,
        labels=frozenset(labels.items()),
    )


def _subject(labels: Mapping[str, str], hosts: Hosts, via: str) -> Host | None:
    value = next((labels[name] for name in _PLACES if labels.get(name)), None)
    return hosts.subject(value, via) if value else None


def _full_disk(rule: str, labels: Mapping[str, str], host: Host | None) -> bool:
    said = words.words_of(rule)
    about_space = any(wanted <= said for wanted in _OF_SPACE) and not said & _NOT_OF_SPACE
    return host is not None and bool(labels.get("mountpoint")) and about_space

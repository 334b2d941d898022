"""What Beszel's records say: systems that are down, alerts that are triggered, disks and memory. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.alerts import words
from tools.alerts.hosts import Host, Hosts
from tools.alerts.judging import disk, disk_key, memory, untold
from tools.alerts.port import Alert, SourceError
from tools.contract import Severity
from tools.settings_house import AlertSettings
from tools.wording import ago

NONSENSE = "its answer is not in the form that I know"

_ABOVE = {
    "CPU": "the processor of {host} is busier than {value:g} per cent",
    "Memory": "more than {value:g} per cent of the memory of {host} is used",
    "Disk": "a disk of {host} is more than {value:g} per cent full",
    "Temperature": "{host} is hotter than {value:g} degrees",
    "Bandwidth": "the network of {host} carries more than {value:g} megabytes a second",
    "LoadAvg1": "the load of {host} is above {value:g}",
    "LoadAvg5": "the load of {host} is above {value:g}",
    "LoadAvg15": "the load of {host} is above {value:g}",
    "GPU": "the graphics card of {host} is busier than {value:g} per cent",
    "Battery": "the battery of {host} is below {value:g} per cent",
}
"""By the name of the alert in its collection; ``value`` is its threshold."""


class _Info(BaseModel):
    dp: float | None = None
    mp: float | None = None


class _System(BaseModel):
    id: str
    name: str
    status: Literal["up", "down", "paused", "pending"]
    host: str = ""
    updated: datetime | None = None
    info: _Info | None = None


class _Triggered(BaseModel):
    system: str
    name: str
    value: float = 0.0
    triggered: bool = False
    updated: datetime | None = None


class _Page(BaseModel):
    items: list[dict[str, Any]]
    totalPages: int = 1  # noqa: N815 - as it is called there


_SYSTEMS = TypeAdapter(list[_System])
_ALERTS = TypeAdapter(list[_Triggered])


def token(answer: Any) -> str:
    """Of ``auth-with-password``. Raises SourceError."""
    found = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not found or not found.isascii() or not found.isprintable():
        raise SourceError(NONSENSE)
    return found


def page(answer: Any) -> tuple[list[dict[str, Any]], int]:
    """Items, and how many pages there are. Raises SourceError."""
    try:
        found = _Page.model_validate(answer)
    except ValidationError as error:
        raise SourceError(NONSENSE) from error
    return found.items, found.totalPages


def read(
    systems: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]], source: str, hosts: Hosts, via: str,
    limits: AlertSettings, stale_after_s: float, now: float,
) -> list[Alert]:  # fmt: skip
    """Everything that Beszel knows, as alerts. Raises SourceError."""
    try:
        known = _SYSTEMS.validate_python(systems)
        triggered = [alert for alert in _ALERTS.validate_python(alerts) if alert.triggered]
    except ValidationError as error:
        raise SourceError(NONSENSE) from error
    machines = {system.id: _host(system, hosts, via) for system in known}
    paused = {system.id for system in known if system.status == "paused"}
    found = [
        alert for system in known for alert in _system(system, machines[system.id], source, limits, stale_after_s, now)
    ]
    found += [
        _alert(alert, machines[alert.system], source)
        for alert in triggered
        if alert.system in machines and alert.system not in paused
    ]
    return found


def _host(system: _System, hosts: Hosts, via: str) -> Host:
    """By the name that people gave it there; by its address where only that says that it is this machine."""
    by_address = hosts.of(system.host, via) if system.host and not system.host.startswith("/") else None
    return by_address if by_address is not None and by_address.known else hosts.of(system.name)


def _system(
    system: _System, host: Host, source: str, limits: AlertSettings, stale_after_s: float, now: float
) -> list[Alert]:
    if system.status == "paused":
        return []
    if system.status == "down":
        return [_down(host, source, system.updated)]
    if system.status == "pending":
        return [_untold(host, source, "it has told Beszel nothing yet")]
    seen = system.updated.timestamp() if system.updated else now
    if now - seen > stale_after_s:
        return [_untold(host, source, f"{source} saw it {ago(now - seen)} for the last time")]
    info = system.info or _Info()
    measured = []
    if info.dp is not None and math.isfinite(info.dp):
        measured.append(disk(limits, source, host, "/", info.dp))
    if info.mp is not None and math.isfinite(info.mp):
        measured.append(memory(limits, source, host, info.mp))
    return measured


def _untold(host: Host, source: str, reason: str) -> Alert:
    return untold(source, "host", host.name, reason, f"host:{host.name}", foreign=not host.known)


def _down(host: Host, source: str, since: datetime | None) -> Alert:
    return Alert(
        source=source,
        origin="host",
        severity=Severity.CRITICAL,
        subject=host.name,
        said=f"{host.name} is down",
        key=f"host:{host.name}",
        since=since.timestamp() if since else None,
        foreign=not host.known,
    )


def _alert(alert: _Triggered, host: Host, source: str) -> Alert:
    if alert.name == "Status":
        return _down(host, source, alert.updated)
    form = _ABOVE.get(alert.name, f"the alert {words.rule_name(alert.name)} is on for {{host}}")
    value = alert.value if math.isfinite(alert.value) else 0.0
    keys = {"Disk": disk_key(host, "/"), "Memory": f"memory:{host.name}"}
    return Alert(
        source=source,
        origin="disk" if alert.name == "Disk" else "memory" if alert.name == "Memory" else "rule",
        severity=Severity.WARNING,
        subject=host.name,
        said=form.format(host=host.name, value=value),
        key=keys.get(alert.name, f"beszel:{host.name}:{words.name(alert.name)}"),
        since=alert.updated.timestamp() if alert.updated else None,
        foreign=not (host.known and alert.name in _ABOVE),
    )

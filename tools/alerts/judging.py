"""What a measured value comes to: disks, memory and load, from whichever source. Pure."""

from __future__ import annotations

from tools.alerts import words
from tools.alerts.hosts import Host
from tools.alerts.port import Alert, Origin
from tools.contract import Severity
from tools.settings_house import AlertSettings


def disk(settings: AlertSettings, source: str, host: Host, mount: str, used_pct: float, *, ours: bool = False) -> Alert:
    """``ours``: the mount point stands in our configuration."""
    severity = Severity.OK
    if used_pct >= settings.disk_critical_pct:
        severity = Severity.CRITICAL
    elif used_pct >= settings.disk_warning_pct:
        severity = Severity.WARNING
    root = mount == "/"
    return Alert(
        source=source,
        origin="disk",
        severity=severity,
        subject=host.name,
        said=f"{disk_name(host, mount)} is {per_cent(used_pct)} full",
        key=disk_key(host, mount),
        foreign=not (host.known and (root or ours)),
        value=used_pct,
    )


def memory(settings: AlertSettings, source: str, host: Host, used_pct: float) -> Alert:
    """Memory that programs cannot have any more."""
    severity = Severity.WARNING if used_pct >= settings.memory_warning_pct else Severity.OK
    return Alert(
        source=source,
        origin="memory",
        severity=severity,
        subject=host.name,
        said=f"{per_cent(used_pct)} of the memory of {host.name} is used",
        key=f"memory:{host.name}",
        foreign=not host.known,
        value=used_pct,
    )


def load(settings: AlertSettings, source: str, host: Host, per_core: float) -> Alert:
    """Load average of 15 minutes, for each core."""
    severity = Severity.WARNING if per_core >= settings.load_warning else Severity.OK
    return Alert(
        source=source,
        origin="load",
        severity=severity,
        subject=host.name,
        said=f"the load of {host.name} is {per_core:.1f} per core",
        key=f"load:{host.name}",
        foreign=not host.known,
        value=per_core,
    )


def temperature(settings: AlertSettings, source: str, host: Host, degrees: float, critical: float | None) -> Alert:
    """Celsius. ``critical``: the part's own limit."""
    severity = Severity.WARNING if degrees >= settings.temperature_warning_c else Severity.OK
    if critical is not None and degrees >= critical:
        severity = Severity.CRITICAL
    return Alert(
        source=source,
        origin="temperature",
        severity=severity,
        subject=host.name,
        said=f"the hottest sensor of {host.name} is at {degrees:.0f} degrees",
        key=f"temperature:{host.name}",
        foreign=not host.known,
        value=degrees,
    )


def untold(source: str, origin: Origin, subject: str, reason: str, key: str, *, foreign: bool = False) -> Alert:
    """What could not be looked at. ``subject``: "the certificate of nextcloud"; ``reason``: the end of "because …"."""
    return Alert(
        source=source,
        origin=origin,
        severity=Severity.UNKNOWN,
        subject=subject,
        said=f"I couldn't look at {subject}, because {reason}",
        key=key,
        foreign=foreign,
    )


def disk_name(host: Host, mount: str) -> str:
    """ "the disk", "the disk of nas", "the disk /srv of nas"."""
    which = "the disk" if mount == "/" else _mounted(mount)
    return which if host.here else f"{which} of {host.name}"


def disk_key(host: Host, mount: str) -> str:
    """The same for the same file system, whoever tells of it."""
    return f"disk:{host.name}:{mount}"


def per_cent(value: float) -> str:
    """ "96 per cent"."""
    return f"{round(value)} per cent"


def _mounted(mount: str) -> str:
    kept = "".join(c for c in words.clean(mount, words.NAMED) if c.isalnum() or c in "/-_. ")
    return f"the disk {kept}"

"""The text protocol of NUT's upsd (RFC 9271), and what a UPS says by it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.alerts import words
from tools.alerts.port import Alert, SourceError
from tools.contract import Severity
from tools.wording import duration

REASONS = {
    "ACCESS-DENIED": "it denies access",
    "UNKNOWN-UPS": "it has no UPS of that name",
    "INVALID-ARGUMENT": "it does not take the UPS's name",
    "TLS-NOT-ENABLED": "it wants TLS",
}
"""Of ``ERR WORD``; any other is "it says no"."""

LOST = {"DATA-STALE", "DRIVER-NOT-CONNECTED"}
"""The UPS itself is not heard: nobody knows whether there is power."""

_VARIABLE = re.compile(r'VAR (\S+) (\S+) "((?:[^"\\]|\\.)*)"')
_UPS = re.compile(r'UPS (\S+) "(?:[^"\\]|\\.)*"')


def err(line: str) -> str | None:
    """The word of an ``ERR`` line."""
    return line.split()[1] if line.startswith("ERR ") and len(line.split()) > 1 else None


def upses(lines: Sequence[str]) -> list[str]:
    """Names out of ``LIST UPS``. Raises SourceError."""
    found = [match.group(1) for line in lines if (match := _UPS.fullmatch(line))]
    if len(found) != len(lines):
        raise SourceError("its answer is not NUT's")
    return found


def variables(lines: Sequence[str], ups: str) -> dict[str, str]:
    """Name → value out of ``LIST VAR``. Raises SourceError."""
    found: dict[str, str] = {}
    for line in lines:
        match = _VARIABLE.fullmatch(line)
        if match is None or match.group(1) != ups:
            raise SourceError("its answer is not NUT's")
        found[match.group(2)] = re.sub(r"\\(.)", r"\1", match.group(3))
    return found


def judge(source: str, ups: str, said_name: str, values: Mapping[str, str], *, known: bool) -> list[Alert]:
    """What that UPS's variables come to: one alert with severity ok when it is well. ``said_name``: "the UPS rack";
    ``known``: no word of it comes from outside.

    Flags of ``ups.status``: NUT developer guide, "Status data".
    """

    def alert(severity: Severity, said: str, about: str, *, foreign: bool = False) -> Alert:
        return Alert(
            source=source,
            origin="ups",
            severity=severity,
            subject=said_name,
            said=said,
            key=f"ups:{source}:{ups}:{about}",
            foreign=foreign or not known,
            value=number(values.get("battery.charge")),
        )

    flags = set(values.get("ups.status", "").split())
    left = _left(values)
    found: list[Alert] = []
    if "FSD" in flags:
        found.append(alert(Severity.CRITICAL, f"{said_name} is shutting everything down{left}", "power"))
    elif "OB" in flags:
        severity = Severity.CRITICAL if "LB" in flags else Severity.WARNING
        low = " and its battery is low" if "LB" in flags else ""
        found.append(alert(severity, f"{said_name} is on battery{low}{left}", "power"))
    elif "LB" in flags:
        found.append(alert(Severity.WARNING, f"the battery of {said_name} is low{left}", "power"))
    if "OFF" in flags:
        found.append(alert(Severity.CRITICAL, f"{said_name} is switched off", "off"))
    if "RB" in flags:
        found.append(alert(Severity.WARNING, f"{said_name} needs a new battery", "battery"))
    if "OVER" in flags:
        found.append(alert(Severity.WARNING, f"{said_name} is overloaded", "load"))
    if "BYPASS" in flags:
        found.append(alert(Severity.WARNING, f"{said_name} is bypassed and protects nothing", "bypass"))
    if "ALARM" in flags or values.get("ups.alarm"):
        text = words.clean(values.get("ups.alarm", ""))
        found.append(
            alert(
                Severity.WARNING,
                f"{said_name} raises an alarm{f': {text}' if text else ''}",
                "alarm",
                foreign=bool(text),
            )
        )
    if found:
        return found
    if "OL" in flags:
        charge = number(values.get("battery.charge"))
        charged = f" with its battery at {round(charge)} per cent" if charge is not None else ""
        return [alert(Severity.OK, f"{said_name} is on mains power{charged}", "power")]
    return [_untold(source, ups, said_name, "it does not say whether it is on mains power", known=known)]


def lost(source: str, ups: str, said_name: str, *, known: bool) -> Alert:
    """upsd runs, and does not hear the UPS: it could be on battery."""
    return Alert(
        source=source,
        origin="ups",
        severity=Severity.WARNING,
        subject=said_name,
        said=f"{said_name} is not heard any more, what is known of it is stale",
        key=f"ups:{source}:{ups}:stale",
        foreign=not known,
    )


def _untold(source: str, ups: str, said_name: str, reason: str, *, known: bool) -> Alert:
    return Alert(
        source=source,
        origin="ups",
        severity=Severity.UNKNOWN,
        subject=said_name,
        said=f"I couldn't look at {said_name}, because {reason}",
        key=f"ups:{source}:{ups}:power",
        foreign=not known,
    )


def _left(values: Mapping[str, str]) -> str:
    """ ", with ten minutes left"."""
    runtime = number(values.get("battery.runtime"))
    charge = number(values.get("battery.charge"))
    if runtime is not None:
        return f", with {duration(runtime)} left"
    return f", at {round(charge)} per cent" if charge is not None else ""


def number(text: str | None) -> float | None:
    """A value of a variable; None where it is none, or makes no sense."""
    try:
        found = float(text) if text is not None else None
    except ValueError:
        return None
    return found if found is not None and 0 <= found < 1e9 else None

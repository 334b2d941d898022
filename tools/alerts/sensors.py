"""Temperatures of this machine, as Linux tells them in ``/sys/class/hwmon`` (kernel: hwmon/sysfs-interface).

A virtual machine has none, and other systems do not tell: nothing is said then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MILLI = 1000.0
SANE_C = (-40.0, 150.0)
"""Degrees Celsius outside of which a reading is a sensor that is not connected."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Degrees Celsius; ``critical``: above it the part itself says that it is damaged, None where it does not say."""

    degrees: float
    critical: float | None


def hottest(root: Path) -> Reading | None:
    """One that is above its limit, else the hottest; None without any. Blocks."""
    readings = list(_readings(root))
    beyond = [one for one in readings if one.critical is not None and one.degrees >= one.critical]
    return max(beyond or readings, key=lambda one: one.degrees, default=None)


def _readings(root: Path) -> Iterator[Reading]:
    try:
        files = sorted(root.glob("hwmon*/temp*_input"))
    except OSError:
        return
    for file in files:
        degrees = _degrees(file)
        if degrees is None:
            continue
        critical = _degrees(file.with_name(file.name.replace("_input", "_crit")))
        yield Reading(degrees, critical if critical is not None and critical > 0 else None)


def _degrees(file: Path) -> float | None:
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            found = int(opened.read(32)) / MILLI
    except (OSError, ValueError):
        return None
    low, high = SANE_C
    return found if low <= found <= high else None

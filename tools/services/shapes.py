"""What stands in the JSON of others, read without trust: what is not of its form is left out. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tools.services.port import WatcherError

LONGEST = 300
"""Characters of a name or an address that are kept."""


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list. Raises WatcherError where it is no list."""
    if not isinstance(value, list):
        raise WatcherError("its answer is not in the form that I know")
    return [row for row in value if isinstance(row, Mapping)]


def part(value: Any, *keys: str) -> Any:
    """What stands below these keys; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: Any) -> str:
    """Printable text on one line; "" for everything else."""
    if not isinstance(value, str):
        return ""
    kept = value[:LONGEST]
    return (kept if kept.isprintable() else "".join(c if c.isprintable() else " " for c in kept)).strip()


def figure(value: Any) -> float | None:
    """A finite number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def moment(value: Any) -> float | None:
    """Unix time of an ISO 8601 text; UTC where it names no zone."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if at is None or at.year < 2000:  # year 1 is how some write "never"
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def run_of_looks(looks: list[tuple[float, bool]], since: float) -> tuple[float | None, int]:
    """When the present state began, None where it always was so, and how often it changed from ``since`` on. Looks:
    oldest first."""
    changed = [later[0] for earlier, later in itertools.pairwise(looks) if earlier[1] != later[1]]
    return (changed[-1] if changed else None), sum(at >= since for at in changed)

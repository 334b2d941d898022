"""What an agent reports: our own outbox form, or ``{severity, message, at|time, subject}``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from tools.alerts import words
from tools.contract import Severity

SEVERITIES = {
    **{severity.value: severity for severity in Severity},
    "info": Severity.NOTICE,
    "warn": Severity.WARNING,
    "error": Severity.CRITICAL,
    "crit": Severity.CRITICAL,
}
MOST_FINDINGS = 50
LATEST = 1e11
"""Unix time of the year 5138; what is more is in milliseconds."""

COMPACT = "%Y%m%dT%H%M%S.%fZ"
"""The stamp of ``tools/outbox.py``."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a report says. Its words are cleaned, and come from outside."""

    severity: Severity
    subject: str
    message: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """``at``: Unix time; ``tool``: whose outbox it is, where it is one of ours."""

    at: float
    told: tuple[Told, ...]
    tool: str | None = None


def parse(text: str, written: float) -> Report:
    """``written``: Unix time of the file, for a report that has none. Raises ValueError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not valid JSON") from error
    if not isinstance(found, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - of the file, not of the caller
    at = _moment(found.get("at", found.get("time")), written)
    if "severity" in found:
        return Report(at, (_told(found, at),))
    if isinstance(found.get("tool"), str) and isinstance(found.get("findings"), list):
        told = tuple(_told(finding, at) for finding in found["findings"][:MOST_FINDINGS])
        return Report(at, told, tool=found["tool"])
    raise ValueError("it has neither a severity nor findings")


def _told(fields: Any, at: float) -> Told:
    if not isinstance(fields, Mapping):
        raise ValueError("a finding is not an object")  # noqa: TRY004
    word = fields.get("severity")
    severity = SEVERITIES.get(word.strip().casefold()) if isinstance(word, str) else None
    if severity is None:
        raise ValueError("its severity is not one that I know")
    message, subject = ("" if fields.get(name) is None else fields[name] for name in ("message", "subject"))
    if not isinstance(message, str) or not isinstance(subject, str):
        raise ValueError("its message is not text")  # noqa: TRY004
    since = fields.get("since")
    return Told(severity, words.clean(subject, words.NAMED), words.clean(message), _moment(since, at))


def _moment(value: object, otherwise: float) -> float:
    """Unix seconds, milliseconds, ISO 8601, or the outbox's stamp. Raises ValueError."""
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("its time is none")  # noqa: TRY004
    if isinstance(value, str):
        return _written_out(value)
    try:
        seconds = float(value)
    except OverflowError as error:
        raise ValueError("its time is none") from error
    seconds = seconds / 1000 if seconds > LATEST else seconds
    if not isfinite(seconds) or not 0 <= seconds <= LATEST:
        raise ValueError("its time is none")
    return seconds


def _written_out(text: str) -> float:
    try:
        return datetime.strptime(f"{text}+0000", f"{COMPACT}%z").timestamp()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()  # without an offset it is local time
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError("its time is none") from error

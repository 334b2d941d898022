"""Alertmanager's webhook: its JSON as messages. Pure. Source of the form: prometheus.io/docs/alerting/latest/
configuration (webhook_config, version 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tools.notify.listening.cleaning import cleaned, titled
from tools.notify.listening.inbox import ALERTMANAGER, Received
from tools.notify.listening.stream import words_in

MOST_ALERTS = 500
"""Of one request; Alertmanager groups them, and says more in the next."""

PRIORITIES: Mapping[str, int] = {
    "critical": 5, "emergency": 5, "page": 5, "disaster": 5,
    "error": 4, "high": 4, "major": 4,
    "warning": 3, "warn": 3, "medium": 3, "minor": 3, "average": 3,
    "info": 2, "notice": 2, "low": 2, "none": 1, "debug": 1,
}  # fmt: skip
"""By the label ``severity``, as rules usually have it; without one, or with another, it is a warning."""

WARNING = 3

_ABOUT = ("instance", "job", "host", "service", "name", "pod", "device", "mountpoint")
"""Labels that say where, in this order, for alerts whose annotations say nothing."""


class NotAlertsError(ValueError):
    """The body is not one of Alertmanager's; the text says what is wrong with it."""


def received(body: Any, now: float) -> list[Received]:
    """Its alerts, worst first. An alert is known by its fingerprint, when it began and whether it is over, so that a
    repetition is not told again. Raises NotAlertsError."""
    alerts = body.get("alerts") if isinstance(body, dict) else None
    if not isinstance(alerts, list):
        raise NotAlertsError("There is no list of alerts in it.")
    found = {}
    for alert in alerts[:MOST_ALERTS]:
        if isinstance(alert, dict) and (one := _received(alert, now)) is not None:
            found[one.key] = one
    return sorted(found.values(), key=lambda one: -one.priority)


def _received(alert: dict[str, Any], now: float) -> Received | None:
    labels, annotations = _texts(alert.get("labels")), _texts(alert.get("annotations"))
    state = alert.get("status")
    if state not in ("firing", "resolved"):
        return None
    priority = PRIORITIES.get(labels.get("severity", "").casefold(), WARNING)
    own = words_in(alert.get("fingerprint")) or repr(sorted(labels.items()))
    began = words_in(alert.get("startsAt"))
    digest = hashlib.sha256(f"{own}\0{began}".encode("utf-8", "replace")).hexdigest()[:32]
    over = state == "resolved"
    return Received(
        key=f"{ALERTMANAGER}:{digest}:{state}",
        source=ALERTMANAGER,
        at=now,
        priority=min(priority, WARNING) if over else priority,
        text=f"over: {_words(labels, annotations)}" if over else _words(labels, annotations),
    )


def _words(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """The summary, else the description, else the alert's name and where it is."""
    for key in ("summary", "description", "message", "title"):
        if said := cleaned(annotations.get(key, "")):
            return said
    where = next((labels[key] for key in _ABOUT if labels.get(key)), "")
    name = _spaced(labels.get("alertname", ""))
    return titled(name, where) if name else cleaned(where) or "an alert without a name"


def _spaced(name: str) -> str:
    """ "DiskFull" → "Disk full"; a name that is not of that form stays."""
    if not name.isalnum() or name.isupper() or name.islower():
        return name
    return "".join(f" {c.lower()}" if i and c.isupper() and name[i - 1].islower() else c for i, c in enumerate(name))


def _texts(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, str)}

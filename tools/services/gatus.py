"""Gatus: its endpoints by ``/api/v1/endpoints/statuses``, each with its last results, the newest last.

Source of the shape: Gatus' own API (``config/endpoint/result.go``, ``event.go``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tools.services.asking import Asked
from tools.services.port import Observation
from tools.services.reasons import reason_of
from tools.services.shapes import figure, moment, part, rows, run_of_looks, text
from tools.settings_house import WatcherSettings

RESULTS = "50"
"""Of each endpoint: at its usual look a minute these are the flapping window, and more."""


class Gatus:
    """One Gatus."""

    def __init__(self, name: str, settings: WatcherSettings, window_s: float) -> None:
        self.name = name
        self.asked = Asked(settings)
        self._window_s = window_s

    async def look(self) -> list[Observation]:
        """All endpoints that were looked at. Raises WatcherError."""
        answer = await self.asked.json(
            "GET",
            "/api/v1/endpoints/statuses",
            headers=await self.asked.credentials(),
            params={"page": "1", "pageSize": RESULTS},
        )
        return read_gatus(answer, time.time() - self._window_s)


def read_gatus(answer: Any, window_from: float) -> list[Observation]:
    """What stands in the answer. Raises WatcherError where it is of another form. Pure."""
    return [seen for row in rows(answer) if (seen := _endpoint(row, window_from)) is not None]


def _endpoint(row: Mapping[str, Any], window_from: float) -> Observation | None:
    name, results = text(row.get("name")), row.get("results")
    looks = []
    for result in rows(results) if isinstance(results, list) else ():
        at = moment(result.get("timestamp"))
        if at is not None and isinstance(result.get("success"), bool):
            looks.append((at, result["success"], result))
    if not name or not looks:
        return None
    looks.sort(key=lambda look: look[0])
    at, up, newest = looks[-1]
    since, changes = run_of_looks([(at, up) for at, up, _ in looks], window_from)
    since = since or _last_event(row, up=up) or (None if up else looks[0][0])
    group, key, duration = text(row.get("group")), text(row.get("key")), figure(newest.get("duration"))
    return Observation(
        service=name,
        also=tuple(other for other in (key, f"{group}/{name}" if group else "") if other),
        up=up,
        at=at,
        since=since,
        changes=changes,
        reason="" if up else _why(newest),
        latency_ms=round(duration / 1e6, 1) if duration is not None else None,
        address=text(newest.get("hostname")),
    )


def _last_event(row: Mapping[str, Any], *, up: bool) -> float | None:
    """When it became so, as far as the events tell."""
    events = row.get("events")
    kind = "HEALTHY" if up else "UNHEALTHY"
    last = part(events[-1], "type") if isinstance(events, list) and events else None
    return moment(part(events[-1], "timestamp")) if last == kind and isinstance(events, list) else None


def _why(result: Mapping[str, Any]) -> str:
    status, errors = figure(result.get("status")), result.get("errors")
    said = " ".join(error for error in errors if isinstance(error, str)) if isinstance(errors, list) else ""
    failed = [
        str(condition.get("condition", ""))
        for condition in (result.get("conditionResults") or [])
        if isinstance(condition, Mapping) and condition.get("success") is False
    ] if isinstance(result.get("conditionResults"), list) else []  # fmt: skip
    if not said and any("[RESPONSE_TIME]" in condition for condition in failed) and len(failed) == 1:
        return "it is too slow"
    if not said and any("[CERTIFICATE_EXPIRATION]" in condition for condition in failed) and len(failed) == 1:
        return "its certificate is about to expire"
    return reason_of(said, int(status) if status is not None else None)

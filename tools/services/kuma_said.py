"""What Uptime Kuma says: the metrics of its ``/metrics``, and a public status page with its heartbeats. Pure.

Sources: Uptime Kuma ``server/prometheus.js``, ``server/routers/status-page-router.js``, ``src/util.ts`` (0 down, 1 up,
2 pending, 3 maintenance).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tools.services.port import Hold, Observation, Vantage
from tools.services.reasons import reason_of
from tools.services.shapes import figure, moment, part, rows, run_of_looks, text

LAG_S = 60.0
"""The metrics do not say when Kuma looked; it does so once a minute unless told otherwise."""

_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_HOLDS: Mapping[float, Hold] = {2: "pending", 3: "maintenance"}


def read_metrics(body: str, now: float) -> list[Observation] | None:
    """The monitors in the exposition format; None where the text has no metrics of Kuma at all."""
    found = []
    is_kuma = False
    latency = {}
    for line in body.splitlines():
        is_kuma = is_kuma or line.startswith(("monitor_", "# HELP monitor_"))
        if line.startswith(("monitor_status{", "monitor_response_time{")) and (sample := _sample(line)):
            if line.startswith("monitor_status{"):
                found.append(sample)
            else:
                latency[_key(sample[0])] = sample[1]
    if not is_kuma:
        return None
    return [seen for labels, value in found if (seen := _monitor(labels, value, latency.get(_key(labels)), now))]


def _sample(line: str) -> tuple[dict[str, str], float] | None:
    head, brace, value = line.rpartition("}")
    number = figure(value.split()[0]) if brace and value.split() else None
    if number is None:
        return None
    labels = {key: _ESCAPE.sub(_unescape, raw) for key, raw in _LABEL.findall(head)}
    return {key: "" if value == "null" else text(value) for key, value in labels.items()}, number


def _unescape(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]


def _key(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("monitor_id", ""), labels.get("monitor_name", "")


def _monitor(labels: Mapping[str, str], value: float, latency: float | None, now: float) -> Observation | None:
    name, kind = labels.get("monitor_name", ""), labels.get("monitor_type", "")
    if not name or kind == "group" or value not in (0, 1, 2, 3):
        return None
    vantage: Vantage = "process" if kind == "docker" else "inside"
    runs, ended = ("its container runs", "its container does not run") if kind == "docker" else ("", "")
    up = bool(value) if value in (0, 1) else None
    return Observation(
        service=name,
        up=up,
        at=now - LAG_S,
        reason=runs if up else ended or ("it does not answer as it should" if up is False else ""),
        latency_ms=latency if latency is not None and latency >= 0 else None,
        vantage=vantage,
        address=_address(labels),
        hold=_HOLDS.get(value),
    )


def _address(labels: Mapping[str, str]) -> str:
    url, host, port = (labels.get(f"monitor_{key}", "") for key in ("url", "hostname", "port"))
    if host:
        return f"{host}:{port}" if port.isdecimal() else host
    return url if url not in ("https://", "http://") else ""


def read_page(page: Any, beats: Any, window_from: float) -> list[Observation]:
    """The monitors of a status page, with the heartbeats of each. Raises WatcherError where it has another form."""
    by_id = part(beats, "heartbeatList")
    found = []
    for group in rows(part(page, "publicGroupList")):
        for monitor in rows(group.get("monitorList")):
            heard = part(by_id, str(monitor.get("id")))
            if (name := text(monitor.get("name"))) and isinstance(heard, list) and monitor.get("type") != "group":
                found.append(_beating(name, monitor, rows(heard), window_from))
    return [seen for seen in found if seen is not None]


def _beating(
    name: str, monitor: Mapping[str, Any], heard: list[Mapping[str, Any]], window_from: float
) -> Observation | None:
    beats = []
    for beat in heard:
        at, status = moment(beat.get("time")), figure(beat.get("status"))
        if at is not None and status in (0, 1, 2, 3):
            beats.append((at, status, beat))
    if not beats:
        return None
    beats.sort(key=lambda beat: beat[0])
    at, status, newest = beats[-1]
    up = bool(status) if status in (0, 1) else None
    told = [(at, status == 1) for at, status, _ in beats if status in (0, 1)]
    since, changes = run_of_looks(told, window_from)
    if since is None and up is False:
        since = told[0][0]
    return Observation(
        service=name,
        up=up,
        at=at,
        since=since if up is not None else None,
        changes=changes,
        reason=reason_of(text(newest.get("msg"))) if up is False else "",
        latency_ms=figure(newest.get("ping")),
        address=text(monitor.get("url")),
        hold=_HOLDS.get(status),
    )

"""What a Docker engine's API says (Engine API 1.24 and newer, Podman's likeness of it), as units and lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tools.engines.port import Health, LogLine, Unit

COMPOSE_SERVICE = "com.docker.compose.service"
COMPOSE_PROJECT = "com.docker.compose.project"
"""Labels that ``docker compose`` gives the containers that it makes."""

MAX_LINE = 8_192
"""Bytes of a log line that are kept."""

_HEALTHS: dict[str, Health] = {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "starting"}
_STATUS_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_STATUS_CODE = re.compile(r"^(?:Exited|Restarting) \((-?\d+)\)")


def moment(text: object) -> float | None:
    """Unix time of an RFC 3339 time, as Go prints it; its zero time, and what is none, are None."""
    if not isinstance(text, str) or text.startswith("0001-"):
        return None
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def listed(raw: Mapping[str, Any]) -> Unit:
    """One entry of ``/containers/json``. Raises ValueError, TypeError, KeyError for what is none."""
    state, status = str(raw.get("State", "")), str(raw.get("Status", ""))
    health = _STATUS_HEALTH.search(status)
    code = _STATUS_CODE.match(status)
    names = raw.get("Names") or [str(raw["Id"])[:12]]
    ports = {port["PublicPort"] for port in raw.get("Ports") or () if isinstance(port.get("PublicPort"), int)}
    return Unit(
        id=str(raw["Id"]),
        name=min(map(str, names), key=len).lstrip("/"),  # a link adds "/other/name"
        running=state == "running",
        health=_HEALTHS[health[1]] if health else None,
        exit_code=int(code[1]) if code else None,
        said=state,
        image=str(raw.get("Image", "")),
        labels=_labels(raw.get("Labels")),
        ports=tuple(sorted(ports)),
    )


def inspected(raw: Mapping[str, Any]) -> Unit:
    """An answer of ``/containers/ID/json``. Raises ValueError, TypeError, KeyError, AttributeError for none."""
    state, config = raw["State"], raw.get("Config") or {}
    status = str(state.get("Status") or ("running" if state.get("Running") else "exited"))
    running = status == "running"
    health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status")
    bindings = ((raw.get("NetworkSettings") or {}).get("Ports") or {}).values()
    published = [str(one.get("HostPort", "")) for many in bindings for one in many or ()]
    ports = {int(port) for port in published if port.isdecimal()}
    ended = status in ("exited", "dead", "stopped")
    return Unit(
        id=str(raw["Id"]),
        name=str(raw.get("Name", "")).lstrip("/") or str(raw["Id"])[:12],
        running=running,
        health=_HEALTHS.get(str(health)) if running else None,
        since=moment(state.get("FinishedAt" if ended else "StartedAt")) or moment(raw.get("Created")),
        exit_code=int(state.get("ExitCode", 0)) if ended or status == "restarting" else None,
        restarts=int(raw.get("RestartCount") or 0),
        said=status,
        image=str(config.get("Image") or raw.get("Image", "")),
        labels=_labels(config.get("Labels")),
        ports=tuple(sorted(ports)),
    )


def _labels(raw: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in raw.items()} if isinstance(raw, Mapping) else {}


class LogReader:
    """Bytes of a log as they come, however they are cut → lines. Without a terminal each piece has a header of eight
    bytes: the stream (1 stdout, 2 stderr), three zeros, the length (big endian); with one there is none."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._waiting = b""
        self._unfinished = {1: b"", 2: b""}

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that this piece ends. Raises ValueError: it is no such stream."""
        if self._terminal:
            return self._lines(1, data)
        self._waiting += data
        found: list[LogLine] = []
        while len(self._waiting) >= 8:
            stream, length = self._waiting[0], int.from_bytes(self._waiting[4:8], "big")
            if stream not in (0, 1, 2) or self._waiting[1:4] != b"\0\0\0":
                raise ValueError("no multiplexed stream")
            if len(self._waiting) < 8 + length:
                break
            found += self._lines(2 if stream == 2 else 1, self._waiting[8 : 8 + length])
            self._waiting = self._waiting[8 + length :]
        return found

    def end(self) -> list[LogLine]:
        """What was left without an end of line."""
        return [self._line(stream, rest) for stream, rest in self._unfinished.items() if rest]

    def _lines(self, stream: int, data: bytes) -> list[LogLine]:
        *whole, rest = (self._unfinished[stream] + data).split(b"\n")
        self._unfinished[stream] = rest[:MAX_LINE]
        return [self._line(stream, line) for line in whole]

    @staticmethod
    def _line(stream: int, raw: bytes) -> LogLine:
        """With ``timestamps=1`` each line begins with its time."""
        text = raw[:MAX_LINE].decode(errors="replace").rstrip("\r")
        first, _, rest = text.partition(" ")
        at = moment(first)
        return LogLine(at, rest if at is not None else text, error=stream == 2)

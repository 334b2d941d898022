"""What ``systemctl show`` and ``journalctl -o json`` print, as units and lines. Pure.

Asked with LC_ALL=C and TZ=UTC, so that times read ``Sun 2026-11-22 00:23:21 UTC`` in every version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from tools.engines.port import LogLine, Unit

PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "NRestarts", "ExecMainCode", "ExecMainStatus",
    "ExecMainExitTimestamp", "ActiveEnterTimestamp", "InactiveEnterTimestamp", "StateChangeTimestamp",
)  # fmt: skip
"""What is asked of each unit."""

ERROR_PRIORITY = 3
"""syslog's "error"; smaller is worse."""

MAX_MESSAGE = 8_192
"""Characters of a message that are kept."""

_KILLED = ("2", "3")
"""ExecMainCode: CLD_KILLED and CLD_DUMPED; ExecMainStatus is then the signal."""


def blocks(output: str) -> Iterator[dict[str, str]]:
    """One of KEY=VALUE lines per unit, with an empty line between."""
    for block in output.split("\n\n"):
        found = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        if found:
            yield found


def unit_of(shown: Mapping[str, str]) -> Unit:
    """One block as a unit."""
    active, sub = shown.get("ActiveState", ""), shown.get("SubState", "")
    running = active in ("active", "reloading")
    starting = active == "activating" and sub != "auto-restart"
    restarts = shown.get("NRestarts", "")
    return Unit(
        id=shown.get("Id", ""),
        name=shown.get("Id", "").removesuffix(".service"),
        running=running,
        health="starting" if starting else None,
        since=_since(shown, active),
        exit_code=None if running or starting else _exit_code(shown),
        restarts=int(restarts) if restarts.isdecimal() else None,
        said=_said(shown.get("LoadState", ""), active, sub),
    )


def _said(load: str, active: str, sub: str) -> str:
    if load in ("masked", "bad-setting", "error"):
        return "masked" if load == "masked" else "wrongly configured"
    if active == "activating":
        return "restarting" if sub == "auto-restart" else "starting"
    if active == "deactivating":
        return "stopping"
    return active


def _since(shown: Mapping[str, str], active: str) -> float | None:
    key = {"active": "ActiveEnterTimestamp", "inactive": "InactiveEnterTimestamp", "failed": "InactiveEnterTimestamp"}
    return moment(shown.get(key.get(active, "StateChangeTimestamp"), ""))


def _exit_code(shown: Mapping[str, str]) -> int | None:
    status = shown.get("ExecMainStatus", "")
    if not shown.get("ExecMainExitTimestamp") or not status.isdecimal():
        return None
    return int(status) + (128 if shown.get("ExecMainCode") in _KILLED else 0)  # as a shell counts it


def moment(text: str) -> float | None:
    """Unix time; None for one that has not been ("n/a", or nothing)."""
    words = text.split()
    try:
        return datetime.strptime(" ".join(words[1:3]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def journal_line(raw: bytes) -> LogLine | None:
    """One object of ``-o json``; None for a line that is none. A message that is no UTF-8 is a list of bytes."""
    try:
        entry = json.loads(raw)
        message = entry["MESSAGE"]
        if isinstance(message, list):
            message = bytes(message[: MAX_MESSAGE * 4]).decode(errors="replace")
        at = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
        error = int(entry.get("PRIORITY", 6)) <= ERROR_PRIORITY
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return LogLine(at, str(message)[:MAX_MESSAGE], error) if message is not None else None

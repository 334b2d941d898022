"""What ``launchctl print`` prints (launchctl(1) of macOS 10.11 and newer), as units. Pure.

Apple documents the text as not meant for programs; only the fields that have stood in it since are read, and one that
is missing is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.engines.port import Unit

_FIELD = re.compile(r"^\t([a-z][a-z ]*?) = (.*)$")
_LISTED = re.compile(r"^\s+(\d+|-)\s+(\S+)\s+(\S+)\s*$")


def fields(output: str) -> dict[str, str]:
    """The fields of the service itself: those of one tab; what is deeper belongs to its parts."""
    return {match[1]: match[2] for line in output.splitlines() if (match := _FIELD.match(line)) and match[2] != "{"}


def unit_of(target: str, label: str, output: str) -> Unit:
    """The print of one service."""
    found = fields(output)
    state = found.get("state", "")
    running = state == "running"
    code, runs = re.match(r"-?\d+", found.get("last exit code", "")), found.get("runs", "")
    return Unit(
        id=target,
        name=label,
        running=running,
        exit_code=int(code[0]) if code and not running else None,
        restarts=max(int(runs) - 1, 0) if runs.isdecimal() else None,
        said=state or "unknown",
    )


def services(domain: str, output: str) -> Iterator[Unit]:
    """The services of a domain's print: PID (0 where it does not run), last exit code (or "-"), label."""
    inside = False
    for line in output.splitlines():
        if line.strip() == "services = {":
            inside = True
        elif inside and line.strip() == "}":
            return
        elif inside and (match := _LISTED.match(line)):
            running = match[1] not in ("0", "-")
            code = int(match[2]) if re.fullmatch(r"-?\d+", match[2]) and not running else None
            said = "running" if running else "not running"
            yield Unit(id=f"{domain}/{match[3]}", name=match[3], running=running, exit_code=code, said=said)

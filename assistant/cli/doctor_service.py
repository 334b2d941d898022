"""The doctor: Jarvis as a service of the machine. The unit, how exposed it is, and its watchdog."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, looks

UNIT = "jarvis.service"
SYSTEM, USER = Path("/etc/systemd/system"), Path("~/.config/systemd/user").expanduser()
AGENT = Path("~/Library/LaunchAgents/local.jarvis.plist").expanduser()
LARGEST_EXPOSURE = 3.0
"""Of 10, as `systemd-analyze security` reckons it."""

COMMAND_S = 8.0
NONE = "not installed: Jarvis does not start with the machine"


def _unit() -> tuple[Path, bool] | None:
    """The unit's file, and whether it is the user's."""
    return next(((folder / UNIT, folder == USER) for folder in (SYSTEM, USER) if (folder / UNIT).is_file()), None)


@looks("service", "that Jarvis starts with the machine")
def service(_: House) -> Check:
    if sys.platform == "darwin":
        there = AGENT.exists()
        return Check("service", "ok" if there else "warning", str(AGENT) if there else NONE, "jarvis service install")
    found = _unit()
    if found is None:
        return Check("service", "warning", NONE, "jarvis service install")
    enabled = _systemctl(found[1], "is-enabled", UNIT)
    if enabled == "disabled":
        mend = f"systemctl {'--user ' if found[1] else ''}enable --now {UNIT}"
        return Check("service", "warning", f"{found[0]} is there, and not enabled", mend)
    active = _systemctl(found[1], "is-active", UNIT)
    if active == "failed":
        return Check("service", "broken", f"{found[0]}: it has failed", "jarvis service logs")
    return Check("service", "ok", f"{found[0]}, {enabled or 'unknown'}, {active or 'unknown'}")


@looks("service security", "how exposed the unit is, as systemd reckons it (at most 3.0 of 10)", deadline_s=20.0)
def service_security(_: House) -> Check:
    found = _unit()
    if found is None or shutil.which("systemd-analyze") is None:
        return Check("service security", "ok", "there is no unit" if found is None else "systemd-analyze is not here")
    told = _run("systemd-analyze", *(["--user"] if found[1] else []), "--no-pager", "security", UNIT)
    match = re.search(r"exposure level for \S+: (\d+(?:\.\d+)?)", told)
    if match is None:
        return Check("service security", "ok", "systemd does not tell while it is not the machine's init")
    mend = "`jarvis service install` writes the hardened unit again; a drop-in of yours may have loosened it."
    fine = float(match[1]) <= LARGEST_EXPOSURE
    return Check("service security", "ok" if fine else "warning", f"exposure {match[1]} of 10", mend)


@looks("watchdog", "that systemd starts it again when it hangs")
def watchdog(_: House) -> Check:
    found = _unit()
    if found is None:
        return Check("watchdog", "ok", "there is no unit")
    try:
        text = found[0].read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return Check("watchdog", "warning", f"{found[0]} cannot be read: {error.strerror}", "Look as root.")
    match = re.search(r"^WatchdogSec=(\S+)", text, re.MULTILINE)
    if match is None or match[1] in ("0", "infinity"):
        mend = "jarvis service install"
        return Check("watchdog", "warning", "the unit has none: a loop that hangs stays hung", mend)
    return Check("watchdog", "ok", f"after {match[1]}")


def _systemctl(user: bool, *words: str) -> str:
    return _run("systemctl", *(["--user"] if user else []), *words).strip()


def _run(*command: str) -> str:
    """What it says; empty where it cannot be asked."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout

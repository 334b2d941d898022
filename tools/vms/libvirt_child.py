"""One question or act of libvirt, as a program of its own: JSON on standard input, JSON on standard output.

Run by ``tools/vms/libvirt.py`` with the first Python that has libvirt's binding, which on Debian is the system's and
not ours; so nothing but the standard library and ``libvirt`` is imported here. A program, because a connection over ssh
may hang for minutes inside libvirt, and a program can be ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

try:
    import libvirt
except ImportError:
    sys.stdout.write(json.dumps({"missing": True}))
    sys.exit(0)

STATES = {1: "running", 2: "running", 3: "paused", 4: "shutting down", 5: "off", 6: "crashed", 7: "asleep"}
"""virDomainState; 2 is "blocked on a resource", which a machine that waits for its disk is."""

CRASHED_OFF = 3
"""virDomainShutoffReason: its process died."""

PAUSED_WHY = {5: "its disk has an error", 8: "it is being shut down", 10: "it crashed"}
"""virDomainPausedReason, where somebody has to do something."""


def record(domain: Any) -> dict[str, Any]:
    """What is told of one machine."""
    state, reason = domain.state()
    told = STATES.get(state, "unknown")
    if state == libvirt.VIR_DOMAIN_SHUTOFF and reason == CRASHED_OFF:
        told = "crashed"
    why = PAUSED_WHY.get(reason, "") if state == libvirt.VIR_DOMAIN_PAUSED else ""
    autostart = bool(domain.autostart()) if domain.isPersistent() else None
    return {"name": domain.name(), "state": told, "why": why, "autostart": autostart}


def start(domain: Any, _: str) -> None:
    """Create, or go on."""
    state = domain.state()[0]
    if state == libvirt.VIR_DOMAIN_PAUSED:
        domain.resume()
    elif state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        domain.pMWakeup(0)
    else:
        domain.create()


def snapshot(domain: Any, label: str) -> None:
    """Of disk and, where it runs, memory: libvirt's internal snapshot."""
    domain.snapshotCreateXML(f"<domainsnapshot><name>{escape(label)}</name></domainsnapshot>", 0)


ACTS: dict[str, Callable[[Any, str], Any]] = {
    "find": lambda domain, _: None,
    "start": start,
    "shutdown": lambda domain, _: domain.shutdown(),
    "reboot": lambda domain, _: domain.reboot(0),
    "force_off": lambda domain, _: domain.destroy() if domain.isActive() else None,
    "snapshot": snapshot,
}


def answer(request: dict[str, str]) -> dict[str, Any]:
    """Connect, act, and tell what is true then, all in one connection."""
    libvirt.registerErrorHandler(lambda *_: None, None)  # it would print to standard error
    connection = libvirt.open(request["uri"])
    try:
        if request["do"] == "machines":
            return {"machines": [record(domain) for domain in connection.listAllDomains()]}
        domain = connection.lookupByName(request["key"])
        ACTS[request["do"]](domain, request.get("label", ""))
        return {"machines": [record(domain)]}
    finally:
        connection.close()


def main() -> None:
    """Exit code 0, whatever came of it: the answer says it."""
    try:
        told = answer(json.load(sys.stdin))
    except libvirt.libvirtError as error:
        told = {"error": error.get_error_message() or str(error), "code": error.get_error_code()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

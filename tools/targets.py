"""What a planned call touches, as grants name it (``vm:windows``): which tool works on which kind of thing. Pure.

The one list of it; ``tools/access.py`` holds it against what somebody is limited to.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.contract import Level, PlannedCall

EVERY = "*"
"""In the place of a name: all of a kind. A grant that says so covers each of them, and a call that touches all of them
wants such a grant."""

KINDS = ("service", "backup", "vm", "area", "device", "server", "tool")

_SERVICE, _BACKUP, _VM = ("service", "service"), ("backup", "job"), ("vm", "vm")
_HOME = (("device", "target"), ("area", "area"))

TOUCHES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "check_services": (_SERVICE,),
    "check_alerts": (),
    "service_logs": (_SERVICE,),
    "service_power": (_SERVICE,),
    "check_backups": (_BACKUP,),
    "run_backup": (_BACKUP,),
    "test_restore": (_BACKUP,),
    "check_vms": (_VM,),
    "vm_power": (_VM,),
    "home_state": _HOME,
    "home_control": _HOME,
    "notify": (),
    "schedule": (),
    "list_tasks": (),
    "cancel_task": (),
    "find_service": (("service", "name"),),
}
"""Tool → (kind, canonical argument that holds the name). Several are one thing named in several ways: the lamp, and the
kitchen it hangs in. None: it is about the whole house, and only a grant of the tool itself covers it."""

LEAST: Mapping[str, Level] = {
    "service_power": Level.OPERATE,
    "vm_power": Level.OPERATE,
    "home_control": Level.OPERATE,
    "schedule": Level.OPERATE,
}
"""The mildest call of a tool whose own level is that of its worst."""

_ALL_WORDS = frozenset({"all"})
"""Canonical names for all of a kind."""


def touched(call: PlannedCall, server: str | None = None) -> tuple[tuple[str, str], ...]:
    """(kind, name) in every way that a grant may name what this call touches; any one of them covers it.

    ``server``: the outside server that the tool is of. What is scheduled touches what it will do
    (:attr:`PlannedCall.schedules`), which is asked for by itself.
    """
    if server is not None:
        return (("tool", call.tool), ("server", server))
    things = [(kind, _name(kind, call.arguments.get(argument))) for kind, argument in TOUCHES.get(call.tool, ())]
    return (("tool", call.tool), *things)


def kinds_of(tool: str, server: str | None = None) -> frozenset[str]:
    """Kinds of grants by which a tool can be used at all."""
    if server is not None:
        return frozenset({"server"})
    if tool == "schedule":
        return frozenset(kind for kinds in TOUCHES.values() for kind, _ in kinds)
    return frozenset(kind for kind, _ in TOUCHES.get(tool, ()))


def _name(kind: str, value: object) -> str:
    """What the argument says; nothing, and a word for all of them, is every one. A device has words of its own for
    several ("lights", "all"), which are no name of a device, but can be granted as one."""
    if value is None:
        return EVERY
    return EVERY if kind != "device" and str(value) in _ALL_WORDS else str(value)

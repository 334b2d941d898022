"""Every role at every door with every tool, with and without a yes and a PIN, over the call path itself.

What is right stands below, written by hand; nothing of it comes from the code that decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.contract import Caller, CallOutcome, Door, JsonObject, Level, Speech
from tools.outbox import Outbox
from tools.pin import SpokenPin
from tools.recording import RecordingHouse, RecordingPath
from tools.settings import ToolSettings

SETTINGS = {
    "services": {"gitea": {"tcp": "127.0.0.1:1"}, "router": {"tcp": "127.0.0.1:1", "protected": True}},
    "backups": {"photos": {"kind": "report"}},
    "vms": {"windows": {}, "firewall": {"protected": True}},
    "areas": {"kitchen": {"lights": ["lamp"], "devices": ["back door lock"]}},
    "roles": {
        "switcher": {"may": "operate"},
        "gamer": {"may": "destructive", "only": ["vm:windows", "tool:list_tasks"]},
    },
    "local_engines": False,
}
ORDERS = {
    "start windows": ("vm_power", {"vm": "windows", "action": "start"}),
    "reboot windows": ("vm_power", {"vm": "windows", "action": "reboot"}),
    "restart gitea": ("service_power", {"service": "gitea", "action": "restart"}),
    "reboot firewall": ("vm_power", {"vm": "firewall", "action": "reboot"}),
}
AT_SEVEN = "every day at 07:00"

LOOK, OPERATE, DESTROY, GUARDED, GUARDED_DESTROY = "look", "operate", "destroy", "guarded", "guarded destroy"

CALLS: tuple[tuple[str, JsonObject, str, bool], ...] = (
    # tool, arguments, what it is, whether the gamer's machine or list is all that it touches
    ("check_services", {}, LOOK, False),
    ("check_services", {"service": "gitea"}, LOOK, False),
    ("check_alerts", {}, LOOK, False),
    ("service_logs", {"service": "gitea"}, LOOK, False),
    ("service_power", {"service": "gitea", "action": "start"}, OPERATE, False),
    ("service_power", {"service": "gitea", "action": "stop"}, DESTROY, False),
    ("service_power", {"service": "router", "action": "start"}, GUARDED, False),
    ("service_power", {"service": "router", "action": "restart"}, GUARDED_DESTROY, False),
    ("check_backups", {}, LOOK, False),
    ("run_backup", {"job": "photos"}, OPERATE, False),
    ("test_restore", {"job": "all"}, OPERATE, False),
    ("check_vms", {}, LOOK, False),
    ("check_vms", {"vm": "windows"}, LOOK, True),
    ("check_vms", {"vm": "firewall"}, LOOK, False),
    ("vm_power", {"vm": "windows", "action": "start"}, OPERATE, True),
    ("vm_power", {"vm": "windows", "action": "force-off"}, DESTROY, True),
    ("vm_power", {"vm": "firewall", "action": "start"}, GUARDED, False),
    ("vm_power", {"vm": "firewall", "action": "shutdown"}, GUARDED_DESTROY, False),
    ("home_state", {"target": "lamp"}, LOOK, False),
    ("home_control", {"target": "lamp", "action": "on"}, OPERATE, False),
    ("home_control", {"target": "back door lock", "action": "unlock"}, DESTROY, False),
    ("notify", {"message": "dinner"}, OPERATE, False),
    ("schedule", {"what": "timer", "when": "in 5 minutes"}, OPERATE, False),
    ("schedule", {"what": "start windows", "when": AT_SEVEN}, OPERATE, True),
    ("schedule", {"what": "reboot windows", "when": AT_SEVEN}, DESTROY, True),
    ("schedule", {"what": "restart gitea", "when": AT_SEVEN}, DESTROY, False),
    ("schedule", {"what": "reboot firewall", "when": AT_SEVEN}, GUARDED_DESTROY, False),
    ("list_tasks", {}, LOOK, True),
    ("cancel_task", {"task": "timer"}, OPERATE, False),
    ("find_service", {"name": "gitea"}, LOOK, False),
)

VOICE = {"microphone", "satellite"}
OWNERS_DOORS = {"cli", "repl", "http", "page", "schedule", "eval"}

# What comes of an order: done, asked (wants a yes), no (refused), guarded (refused as protected).
TABLE: dict[str, dict[str, str]] = {
    "guest": {LOOK: "done", OPERATE: "no", DESTROY: "no", GUARDED: "no", GUARDED_DESTROY: "no"},
    "member": {LOOK: "done", OPERATE: "done", DESTROY: "asked", GUARDED: "guarded", GUARDED_DESTROY: "guarded"},
    "owner": {LOOK: "done", OPERATE: "done", DESTROY: "asked", GUARDED: "asked", GUARDED_DESTROY: "asked"},
    "owner, elsewhere": {
        LOOK: "done", OPERATE: "done", DESTROY: "asked", GUARDED: "guarded", GUARDED_DESTROY: "guarded",
    },
    "switcher": {LOOK: "done", OPERATE: "done", DESTROY: "no", GUARDED: "guarded", GUARDED_DESTROY: "no"},
    "gamer": {LOOK: "done", OPERATE: "done", DESTROY: "asked"},
    "someone": {LOOK: "done", OPERATE: "no", DESTROY: "no", GUARDED: "no", GUARDED_DESTROY: "no"},
}  # fmt: skip
"""By role; the owner at the doors where they are no more than a member stands apart; ``someone`` is no role."""

PIN, WRONG_PIN = "4271", "4272"


def expected(role: str, door: Door, kind: str, mine: bool) -> str:
    if role == "gamer" and not mine:
        return "no"
    return TABLE["owner, elsewhere" if role == "owner" and door.value not in OWNERS_DOORS else role][kind]


def expected_after(first: str, door: Door, kind: str, answer: str) -> str:
    """What comes of the same call with a yes: to its own question where there was one, else made up."""
    if first in ("no", "guarded"):
        return first
    if door.value in VOICE and kind in (DESTROY, GUARDED_DESTROY):
        if answer == "yes":
            return "asked"  # again, for the PIN
        if answer == "yes, wrong PIN":
            return "no"
    return "done" if first == "asked" else "void"


def came_of(outcome: CallOutcome) -> str:
    if outcome.ok:
        return "done"
    return {"refused": "no", "protected": "guarded", "needs_confirmation": "asked", "confirmation_void": "void"}[
        str(outcome.error)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[RecordingPath]:
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n")
    file.chmod(0o600)
    settings = ToolSettings.model_validate({**SETTINGS, "access": {"pin_file": file}})
    with RecordingHouse(settings, tmp_path / "state") as house:
        house.read_order = ORDERS.get
        store = house._store
        store._db.execute("PRAGMA synchronous=OFF")  # thousands of questions, none of which a power cut may survive
        now = iter(range(0, 10**12, 3600))
        pin = SpokenPin(file, store, lambda: float(next(now)))  # an hour between any two looks: nothing is ever locked
        yield RecordingPath(house.path.own_tools, store, Outbox(tmp_path / "outbox"), access=house.access, pin=pin)


def test_all_sixteen_tools_are_in_it(path: RecordingPath) -> None:
    assert {call[0] for call in CALLS} == {tool.name for tool in path.own_tools}
    assert len(path.own_tools) == 16


@pytest.mark.parametrize("role", ["guest", "member", "owner", "switcher", "gamer", "someone"])
async def test_whoever_asks_wherever_gets_what_the_table_says(path: RecordingPath, role: str) -> None:
    wrong: list[Any] = []
    count = 0
    for door in Door:
        caller = Caller(name="anna", role=role, door=door, speech=Speech.ORDER, conversation="c")
        for tool, arguments, kind, mine in CALLS:
            first = await path.call(tool, arguments, caller)
            told = expected(role, door, kind, mine)
            if came_of(first) != told or (first.confirmation is not None) != (told == "asked"):
                wrong.append((door.value, tool, arguments, "", came_of(first), told))
            count += 1
            for answer, digits in (("yes", None), ("yes, wrong PIN", WRONG_PIN), ("yes, PIN", PIN)):
                opened = (await path.call(tool, arguments, caller)).confirmation if told == "asked" else None
                yes = caller.model_copy(update={"confirmation": opened.nonce if opened else "made-up", "pin": digits})
                second, told_then = await path.call(tool, arguments, yes), expected_after(told, door, kind, answer)
                if came_of(second) != told_then:
                    wrong.append((door.value, tool, arguments, answer, came_of(second), told_then))
                count += 1
    assert wrong == []
    assert count == len(Door) * len(CALLS) * 4


def test_levels_are_those_of_the_tools(path: RecordingPath) -> None:
    levels = {LOOK: Level.READ, OPERATE: Level.OPERATE, GUARDED: Level.OPERATE}
    for tool, arguments, kind, _ in CALLS:
        planned = path.plan(tool, arguments)
        assert not isinstance(planned, CallOutcome), planned
        assert planned.level is levels.get(kind, Level.DESTRUCTIVE)
        assert planned.protected is (kind in (GUARDED, GUARDED_DESTROY))

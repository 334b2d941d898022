"""The table of who may do what, made from the policy itself: role by door, for every level, protected or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.access import VOICE_DOORS, Access
from tools.contract import Caller, Door, Level, PlannedCall, Speech
from tools.policy import decide
from tools.settings import ToolSettings

COLUMNS: Mapping[str, tuple[Level, bool]] = {
    "look": (Level.READ, False),
    "operate": (Level.OPERATE, False),
    "destructive": (Level.DESTRUCTIVE, False),
    "operate, protected": (Level.OPERATE, True),
    "destructive, protected": (Level.DESTRUCTIVE, True),
}
"""Heading → what is asked for."""

YES, ASKS, PIN, NO = "yes", "after a yes", "after a yes and the PIN", "no"

PAGE_HEADINGS = ("role", "at the door", *COLUMNS)


@dataclass(frozen=True, slots=True)
class Row:
    """One role at the doors where it may the same."""

    role: str
    doors: tuple[Door, ...]
    cells: tuple[str, ...]


def rows(settings: ToolSettings, *, pin: bool) -> Iterator[Row]:
    """``pin``: with a spoken PIN. What roles are limited to (``only``) is left out: it takes away, whatever the level.
    Orders are asked for; a question never acts, and an unclear utterance wants a yes."""
    unlimited = {name: role.model_copy(update={"only": ()}) for name, role in settings.roles.items()}
    access = Access.of(settings.model_copy(update={"roles": unlimited, "guests": ()}))
    for role in access.roles:
        by_cells: dict[tuple[str, ...], list[Door]] = {}
        for door in Door:
            caller = Caller(name="somebody", role=role.name, door=door, speech=Speech.ORDER)
            cells = tuple(_cell(access, caller, *asked, pin=pin) for asked in COLUMNS.values())
            by_cells.setdefault(cells, []).append(door)
        for cells, doors in by_cells.items():
            yield Row(role.name, tuple(doors), cells)


def _cell(access: Access, caller: Caller, level: Level, protected: bool, *, pin: bool) -> str:
    call = PlannedCall(tool="tool", level=level, protected=protected)
    if decide(call, caller, tainted=False, access=access).allowed:
        return YES
    if not decide(call, caller, tainted=False, confirmed=True, access=access).allowed:
        return NO
    return PIN if pin and caller.door in VOICE_DOORS and level is Level.DESTRUCTIVE else ASKS


def markdown(settings: ToolSettings, *, pin: bool) -> str:
    """The table for a page."""
    lines = [f"| {' | '.join(PAGE_HEADINGS)} |", f"|{'---|' * len(PAGE_HEADINGS)}"]
    for row in rows(settings, pin=pin):
        doors = ", ".join(door.value for door in row.doors) if len(row.doors) < len(Door) else "every door"
        lines.append(f"| {' | '.join((row.role, doors, *row.cells))} |")
    return "\n".join(lines) + "\n"

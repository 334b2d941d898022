"""Sentences about devices: what they are now, what became of an order, what could not be done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.contract import Finding, JsonObject, Severity, ToolResult
from tools.home.devices import ALL, LIGHTS, Target
from tools.home.kinds import DeviceKind
from tools.home.live import Device
from tools.home.port import State
from tools.home.sayings import Clause, clause, is_plural, measured, said_number
from tools.names import is_name
from tools.wording import ago, duration, listing, number, sentence

MOST_NAMED = 6
"""Devices named in one breath; the rest are counted."""

MOST_IN_DATA = 60
"""Devices in a result's data."""

_ALARMING = frozenset({"wet", "smoke", "gas", "carbon monoxide", "going off", "unsafe", "stuck"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A device with its state and the clause for it."""

    device: Device
    state: State | None
    clause: Clause


def seen(device: Device, state: State | None, *, detailed: bool = True) -> Seen:
    """What is to be said of it."""
    return Seen(device, state, clause(device, state, detailed=detailed))


def subject(device: Device, *, room: bool = True) -> str:
    """ "the desk lamp in the office"; without the room where the name says it."""
    if room and device.area and device.area.casefold() not in device.name.casefold():
        return f"the {device.name} in the {device.area}"
    return f"the {device.name}"


def state_told(target: Target, known: Mapping[str, State | None], now: float) -> ToolResult:
    """What the devices of a target are now. ``known``: their states, by id; ``now``: Unix time."""
    several = len(target.devices) > 1
    rows = [
        seen(device, known.get(device.id), detailed=not several or device.kind is DeviceKind.SENSOR)
        for device in target.devices
    ]
    if not several:
        spoken = _one(rows[0], now)
    elif target.name == LIGHTS:
        spoken = _lights(target, rows)
    elif target.name == ALL:
        spoken = _place(target, rows)
    elif target.group and _are_temperatures(rows):
        spoken = _temperatures(rows)
    else:
        spoken = several_told(target, rows)
    return result(spoken, target, rows)


def result(spoken: str, target: Target, rows: Sequence[Seen]) -> ToolResult:
    """With the evidence, and a finding for what is odd."""
    data: JsonObject = {"target": target.name} | ({"area": target.area} if target.area else {})
    data["devices"] = [
        {
            "name": row.device.name,
            "area": row.device.area,
            "kind": row.device.kind.value,
            "state": row.clause.after(plural=False),
        }
        for row in rows[:MOST_IN_DATA]
    ]
    if len(rows) > MOST_IN_DATA:
        data["more"] = len(rows) - MOST_IN_DATA
    findings = tuple(_finding(row) for row in rows if row.clause.odd)
    return ToolResult(
        spoken=spoken, data=data, findings=findings[:MOST_IN_DATA], tainted=any(_is_foreign(row) for row in rows)
    )


def _is_foreign(row: Seen) -> bool:
    """Whether somebody else's text is told: by the state, or in a name that reads like more than a name."""
    return row.clause.tainted or not (is_name(row.device.name) and is_name(row.device.area))


def several_told(target: Target, rows: Sequence[Seen]) -> str:
    """Those of one state together: what is odd first, what does not answer last."""
    alike = _alike(rows)
    if len(alike) == 1:
        return sentence(f"{all_of(target, len(rows))} {rows[0].clause.after(plural=True)}")
    parts = []
    for group in alike:
        names = _names(group, rooms=_rooms_differ(rows))
        plural = len(group) > 1 or is_plural(group[0].device.name)
        parts.append(f"{names} {group[0].clause.after(plural=plural)}")
    return sentence("; ".join(parts[:MOST_NAMED]))


def all_of(target: Target, count: int) -> str:
    """ "All three lights in the kitchen", "both blinds"; "everything in the office" is one."""
    every = "both" if count == 2 else f"all {number(count)}"
    return f"{every} {noun(target)}{place(target)}"


def noun(target: Target) -> str:
    """Several of them."""
    if target.name == ALL:
        return "things"
    return target.name if is_plural(target.name) else f"{target.name}s"


def place(target: Target) -> str:
    """ " in the kitchen", or nothing for the whole house."""
    if not target.area or target.area.casefold() in target.name.casefold():
        return ""
    if target.area.casefold() in ("upstairs", "downstairs", "outside"):
        return f" {target.area}"
    return f" in the {target.area}"


def _one(row: Seen, now: float) -> str:
    device, said = row.device, row.clause
    who, plural = subject(device), is_plural(device.name)
    since = row.state.changed if row.state is not None else None
    if said.lasting and since is not None and now - since >= 60 and said.verb == "is":
        return sentence(f"{who} {'have' if plural else 'has'} been {said.rest} for {duration(now - since)}")
    text = f"{who} {said.after(plural=plural)}"
    if device.device_class in ("motion", "occupancy") and since is not None and row.state and row.state.state == "off":
        text += f"; it last did {ago(now - since)}"
    return sentence(text)


def _lights(target: Target, rows: Sequence[Seen]) -> str:
    on = [row for row in rows if row.state is not None and row.state.state == "on"]
    dead = [row for row in rows if row.clause.dead]
    live = len(rows) - len(dead)
    if not on or len(on) == live:
        state = "on" if on else "off"
        text = f"{all_of(target, live)} are {state}" if live > 1 else f"the only light that answers is {state}"
        text = text if live else f"none of the {number(len(rows))} lights{place(target)} answers"
    else:
        verb = "is" if len(on) == 1 else "are"
        text = f"{number(len(on))} of {number(live)} lights{place(target)} {verb} on: {_names(on, rooms=_far(target))}"
    if dead and live:
        text += f"; {_names(dead, rooms=_far(target))} {dead[0].clause.after(plural=_plural(dead))}"
    return sentence(text)


def _place(target: Target, rows: Sequence[Seen]) -> str:
    """What is odd, then what is on, then how warm it is."""
    odd = [row for row in rows if row.clause.odd and not row.clause.dead]
    dead = [row for row in rows if row.clause.dead]
    on = [row for row in rows if row not in odd and _is_on(row)]
    parts = [f"{subject(row.device, room=_far(target))} {_said(row)}" for row in odd[:3]]
    if on:
        parts.append(f"{_names(on, rooms=_far(target))} {'are' if _plural(on) else 'is'} on")
    else:
        parts.append("nothing is on" if not odd else "nothing else is on")
    if dead:
        parts.append(f"{_names(dead, rooms=_far(target))} {dead[0].clause.after(plural=_plural(dead))}")
    where = place(target).strip()
    first = f"{where}, {'; '.join(parts)}" if where else "; ".join(parts)
    warm = next((row for row in rows if row.device.device_class == "temperature" and row.state), None)
    shown = measured(warm.state) if warm is not None and warm.state is not None else None
    return sentence(first) + (f" It is {shown} there." if shown and target.area else "")


def _is_on(row: Seen) -> bool:
    if row.state is None or row.device.kind in (DeviceKind.SENSOR, DeviceKind.SCENE, DeviceKind.BUTTON):
        return False
    if row.device.kind is DeviceKind.CLIMATE:
        return row.state.state not in ("off", "unavailable", "unknown")
    return row.state.state in ("on", "playing", "cleaning", "mowing", "buffering")


def _are_temperatures(rows: Sequence[Seen]) -> bool:
    return all(row.device.device_class in ("temperature", "climate") for row in rows) and any(
        row.device.device_class == "temperature" or len(rows) > 1 for row in rows
    )


def _temperatures(rows: Sequence[Seen]) -> str:
    """One for each room; a sensor's before a thermostat's."""
    shown: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.device.kind is DeviceKind.CLIMATE):
        where = f"in the {row.device.area}" if row.device.area else f"at the {row.device.name}"
        value = _degrees(row)
        if value is not None:
            shown.setdefault(where, value)
    if not shown:
        return "None of the thermometers answers."
    named = [f"{value} {where}" for where, value in list(shown.items())[:MOST_NAMED]]
    return sentence(f"it is {listing(named)}")


def _degrees(row: Seen) -> str | None:
    if row.state is None or row.clause.dead:
        return None
    if row.device.kind is DeviceKind.CLIMATE:
        there = row.state.attributes.get("current_temperature")
        return f"{said_number(there)} degrees" if isinstance(there, int | float) else None
    return measured(row.state)


def _said(row: Seen) -> str:
    return row.clause.after(plural=is_plural(row.device.name))


def _alike(rows: Iterable[Seen]) -> list[list[Seen]]:
    groups: dict[str, list[Seen]] = {}
    for row in rows:
        groups.setdefault(row.clause.after(plural=False), []).append(row)
    return sorted(groups.values(), key=lambda group: (group[0].clause.dead, not group[0].clause.odd, -len(group)))


def _names(rows: Sequence[Seen], *, rooms: bool) -> str:
    """ "the desk lamp, the reading lamp and four more"."""
    if len(rows) > MOST_NAMED:
        some = [subject(row.device, room=rooms) for row in rows[: MOST_NAMED - 1]]
        return listing([*some, f"{number(len(rows) - len(some))} more"])
    return listing([subject(row.device, room=rooms) for row in rows])


def _plural(rows: Sequence[Seen]) -> bool:
    return len(rows) > 1 or is_plural(rows[0].device.name)


def _rooms_differ(rows: Sequence[Seen]) -> bool:
    return len({row.device.area for row in rows}) > 1


def _far(target: Target) -> bool:
    """Whether rooms have to be said: over the house, and over a floor."""
    return target.area is None or any(device.area != target.area for device in target.devices)


def _finding(row: Seen) -> Finding:
    said = row.clause.after(plural=is_plural(row.device.name))
    severity = Severity.WARNING if any(word in said for word in _ALARMING) else Severity.NOTICE
    since = row.state.changed if row.state is not None else None
    return Finding(
        severity=Severity.UNKNOWN if row.clause.dead else severity,
        subject=subject(row.device).removeprefix("the "),
        message=said,
        since=datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds") if since is not None else None,
    )

"""Utterances for a home, each with the states that must hold afterwards: the form of their lines, and the judgement.

``docs/home-control.md`` describes the form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import ConfigError

States = Mapping[str, Mapping[str, Any]]
"""By entity id: ``state`` and its attributes beside it."""

CHANGED = "(changed)"
"""Expected of what has no lasting state: a scene, a button, the title of what plays."""

COMPARED = (
    "state", "brightness", "hs_color", "color_temp_kelvin", "current_position", "temperature", "percentage",
    "preset_mode", "volume_level", "is_volume_muted", "source", "humidity", "mode", "fan_mode",
)  # fmt: skip
"""What of an entity may not change where nothing was asked of it."""

ACTUATORS = frozenset(
    {"light", "switch", "input_boolean", "cover", "lock", "fan", "climate", "media_player", "vacuum", "humidifier",
     "alarm_control_panel", "input_number", "input_select", "valve", "siren", "lawn_mower", "water_heater"}
)  # fmt: skip
"""Domains whose entities change only when they are told to."""

SAME = {"returning": "docked", "buffering": "playing"}
"""States on the way to another that count as that one."""

_TOLERANCE = 2.0


class HomeLine(BaseModel):
    """One line: what is said, what must be so afterwards (``after``), what the answer must hold (``said``), what must
    be so before (``before``); ``confirm``: it must be asked back first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    after: dict[str, Any] = Field(default_factory=dict)
    before: dict[str, Any] = Field(default_factory=dict)
    said: tuple[str, ...] = ()
    confirm: bool = False

    @model_validator(mode="after")
    def _says_what_is_right(self) -> HomeLine:
        if not self.after and not self.said:
            raise ValueError("it is not said what is right: after or said")
        return self


def read_home_lines(paths: Sequence[Path]) -> list[HomeLine]:
    """Raises ConfigError: a file cannot be read, or holds something else."""
    lines: list[HomeLine] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("set_unreadable", f"{path} cannot be read: {error}.") from error
        for number, row in enumerate(text.splitlines(), 1):
            if row.strip():
                lines.append(_line(row, f"{path}:{number}"))
    if not lines:
        raise ConfigError("set_empty", "There is no line in these files.")
    return lines


def _line(row: str, where: str) -> HomeLine:
    try:
        return HomeLine.model_validate(json.loads(row))
    except (ValueError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ConfigError("set_line", f"{where} is no line of a set: {reason}.") from error


def what_is_wrong(line: HomeLine, before: States, after: States, answer: str, watched: Iterable[str]) -> str:
    """Empty where all is as it must be; else the first thing that is not."""
    for entity, wanted in line.after.items():
        if not is_as(wanted, before.get(entity, {}), after.get(entity, {})):
            return f"{entity} is {shown(after.get(entity, {}))}, wanted {json.dumps(wanted)}"
    for entity in watched:
        if entity not in line.after and entity not in line.before and changed(before, after, entity):
            return f"{entity} was changed to {shown(after.get(entity, {}))}"
    lowered = answer.casefold()
    for words in line.said:
        if not any(choice.casefold() in lowered for choice in words.split("|")):
            return f"the answer does not say {words!r}"
    return ""


def is_as(wanted: object, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """``wanted``: a state, several acceptable ones, CHANGED, or an object of attributes."""
    if wanted == CHANGED:
        return before.get("state") != after.get("state")
    if not isinstance(wanted, Mapping):
        wanted = {"state": wanted}
    return all(
        before.get(name) != after.get(name) if value == CHANGED else _fits(value, after.get(name))
        for name, value in wanted.items()
    )


def _fits(wanted: object, found: object) -> bool:
    if isinstance(wanted, list) and wanted and all(isinstance(one, str) for one in wanted):
        return found in wanted
    if isinstance(wanted, list):
        return isinstance(found, list | tuple) and len(found) == len(wanted) and all(map(_fits, wanted, found))
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        part = isinstance(wanted, float) and 0 < abs(wanted) <= 1  # a volume
        tolerance = 0.02 if part else max(_TOLERANCE, 0.03 * abs(wanted))
        return isinstance(found, int | float) and abs(found - wanted) <= tolerance
    return wanted == found


def changed(before: States, after: States, entity: str) -> bool:
    """Whether anything of it is different that only an order makes different."""
    old, new = before.get(entity, {}), after.get(entity, {})
    return any(not _alike(old.get(name), new.get(name)) for name in COMPARED)


def _alike(old: object, new: object) -> bool:
    """Numbers to one of their units: what is 67.4 may come back as 67, and a fan that is off as none or 0."""
    if isinstance(old, str) and isinstance(new, str):
        return SAME.get(old, old) == SAME.get(new, new)
    if isinstance(old, int | float | None) and isinstance(new, int | float | None):
        share = isinstance(old, float) and isinstance(new, float) and max(old, new) <= 1
        return abs((old or 0) - (new or 0)) < (0.02 if share else 1)
    return old == new


def shown(state: Mapping[str, Any]) -> str:
    """For people: its state and what else is compared."""
    more = [f"{name} {state[name]}" for name in COMPARED[1:] if state.get(name) is not None]
    return ", ".join([str(state.get("state", "not there")), *more])

"""States as Home Assistant sends them by subscription, kept small. Pure.

The shape is that of ``subscribe_entities``: ``a`` adds whole states, ``c`` changes parts of them (``+`` and ``-``),
``r`` removes. Within: ``s`` state, ``a`` attributes, ``lc`` last changed, in Unix time.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from tools.home.port import State

KEPT_ATTRIBUTES = frozenset(
    {
        # of everything
        "friendly_name", "device_class", "supported_features", "unit_of_measurement", "assumed_state", "restored",
        "entity_id", "battery", "battery_level",
        # light
        "brightness", "color_mode", "rgb_color", "color_temp", "color_temp_kelvin", "supported_color_modes",
        "min_color_temp_kelvin", "max_color_temp_kelvin", "min_mireds", "max_mireds", "effect",
        # climate, humidifier, water heater, weather
        "temperature", "current_temperature", "target_temp_high", "target_temp_low", "target_temp_step", "min_temp",
        "max_temp", "hvac_modes", "hvac_action", "preset_mode", "preset_modes", "fan_mode", "fan_modes", "swing_mode",
        "humidity", "current_humidity", "min_humidity", "max_humidity", "action", "mode", "available_modes",
        "operation_mode", "operation_list", "away_mode", "temperature_unit", "wind_speed", "wind_speed_unit",
        "pressure",
        # cover, valve
        "current_position", "current_tilt_position",
        # fan
        "percentage", "percentage_step", "oscillating", "direction",
        # media
        "media_title", "media_artist", "source", "source_list", "volume_level", "is_volume_muted", "shuffle", "repeat",
        "sound_mode", "sound_mode_list",
        # vacuum, mower
        "fan_speed", "fan_speed_list", "status",
        # lock, alarm
        "code_format", "code_arm_required", "is_locked", "is_jammed",
        # numbers, selects, timers, calendars
        "min", "max", "step", "options", "remaining", "duration", "finishes_at", "message", "start_time", "end_time",
    }
)  # fmt: skip
"""What is kept of the attributes; all else (pictures, forecasts, tokens, histories) is dropped when it comes."""

MAX_ENTITIES = 20_000
MAX_TEXT = 255
"""Characters of a state (Home Assistant's own limit) and of an attribute."""
MAX_ITEMS = 256
"""Of an attribute that is a list."""

_ID = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,190}")
_SHARED_LENGTH = 64


def is_entity_id(text: object) -> bool:
    """``light.desk_lamp``."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


class States:
    """What everything is, by id of the entity."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, entity: object) -> bool:
        return entity in self._states

    def __iter__(self) -> Any:
        return iter(self._states)

    def get(self, entity: str) -> State | None:
        """None when there is no such thing."""
        return self._states.get(entity)

    def apply(self, event: object) -> dict[str, State | None]:
        """Take in one event; gives what each entity in it was before. What has not the shape is left out."""
        before: dict[str, State | None] = {}
        if not isinstance(event, Mapping):
            return before
        for entity, whole in _items(event.get("a")):
            self._put(entity, _whole(whole), before)
        for entity, parts in _items(event.get("c")):
            known = self._states.get(entity)
            if known is not None:  # of what never came whole, a part says too little
                self._put(entity, _changed(known, parts), before)
        removed = event.get("r")
        for entity in removed if isinstance(removed, list) else ():
            if isinstance(entity, str) and entity in self._states:
                before[entity] = self._states.pop(entity)
        return before

    def _put(self, entity: str, state: State | None, before: dict[str, State | None]) -> None:
        if state is None or not is_entity_id(entity):
            return
        known = self._states.get(entity)
        if known is None and len(self._states) >= MAX_ENTITIES:
            return
        before.setdefault(entity, known)
        self._states[sys.intern(entity)] = state


def _items(raw: object) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in raw.items() if isinstance(key, str)] if isinstance(raw, Mapping) else []


def _whole(raw: object) -> State | None:
    if not isinstance(raw, Mapping) or (state := _state(raw.get("s"))) is None:
        return None
    return State(state, _attributes({}, raw.get("a")), _time(raw.get("lc")))


def _changed(known: State, raw: object) -> State | None:
    if not isinstance(raw, Mapping):
        return None
    added, removed = raw.get("+"), raw.get("-")
    added = added if isinstance(added, Mapping) else {}
    gone = removed.get("a") if isinstance(removed, Mapping) else None
    attributes: Mapping[str, Any] = known.attributes
    if isinstance(gone, list):
        names = {name for name in gone if isinstance(name, str)}
        attributes = {name: value for name, value in attributes.items() if name not in names}
    if "a" in added:
        attributes = _attributes(attributes, added["a"])
    state = _state(added["s"]) if "s" in added else known.state
    changed = _time(added["lc"]) if "lc" in added else known.changed
    # a new state that cannot be read makes the old one false
    return State("unknown" if state is None else state, attributes, changed)


def _attributes(before: Mapping[str, Any], raw: object) -> dict[str, Any]:
    kept = dict(before)
    for name, value in _items(raw):
        if name not in KEPT_ATTRIBUTES:
            continue
        small = _small(value)
        if small is None:
            kept.pop(name, None)
        else:
            kept[sys.intern(name)] = small
    return kept


def _small(value: object) -> Any:
    """A scalar, a capped text, or a tuple of these; None for anything else."""
    if isinstance(value, str):
        return _shared(value)
    if isinstance(value, list):
        return tuple(item for raw in value[:MAX_ITEMS] if (item := _scalar(raw)) is not None)
    return _scalar(value)


def _scalar(value: object) -> bool | int | float | str | None:
    if isinstance(value, str):
        return _shared(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def _shared(text: str) -> str:
    """Short texts come a thousand times ("off", "°C"): one of each is kept."""
    return sys.intern(text) if len(text) <= _SHARED_LENGTH else text[:MAX_TEXT]


def _state(raw: object) -> str | None:
    return _shared(raw) if isinstance(raw, str) else None


def _time(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        seconds = float(raw)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None

"""What drives about by itself: vacuums and lawn mowers. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, being, can, not_being, reading
from tools.home.port import State
from tools.home.values import chosen

VACUUM_PAUSE, VACUUM_STOP, VACUUM_HOME, VACUUM_FAN, VACUUM_LOCATE, VACUUM_SPOT, VACUUM_START = (
    4,
    8,
    16,
    32,
    512,
    1024,
    8192,
)
MOWER_START, MOWER_PAUSE, MOWER_DOCK = 1, 2, 4
"""Bits of ``supported_features``, from Home Assistant's developer documentation."""

_BACK = frozenset(
    {"base", "dock", "docked", "home", "charge", "charger", "station", "return", "back", "return to base"}
)


def vacuum(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    word = _word(value) if action == "set" else ""
    if action in ("on", "start", "open") or word in ("clean", "cleaning", "start"):
        if not can(state, VACUUM_START):
            raise CannotError("can't be started from here")
        return Order("vacuum", "start", being("cleaning"))
    if action in ("off", "close") or word in _BACK:
        if not can(state, VACUUM_HOME):
            raise CannotError("can't be sent back from here")
        return Order("vacuum", "return_to_base", being("docked"), begun=being("returning"))
    if action == "stop" or word in ("pause", "stop"):
        if can(state, VACUUM_STOP):
            return Order("vacuum", "stop", not_being("cleaning"))
        if can(state, VACUUM_PAUSE):
            return Order("vacuum", "pause", not_being("cleaning"))
        raise CannotError("can't be stopped from here")
    if word == "spot" and can(state, VACUUM_SPOT):
        return Order("vacuum", "clean_spot", being("cleaning"))
    speed = chosen(value, state.attributes.get("fan_speed_list") or ()) if action == "set" else None
    if speed is not None and can(state, VACUUM_FAN):
        return Order("vacuum", "set_fan_speed", reading("fan_speed", speed), {"fan_speed": speed}, detailed=True)
    raise CannotError("can only be started, stopped or sent back")


def mower(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    word = _word(value) if action == "set" else ""
    if action in ("on", "start", "open") or word in ("mow", "mowing"):
        if not can(state, MOWER_START):
            raise CannotError("can't be started from here")
        return Order("lawn_mower", "start_mowing", being("mowing"))
    if action in ("off", "close") or word in _BACK:
        if not can(state, MOWER_DOCK):
            raise CannotError("can't be sent back from here")
        return Order("lawn_mower", "dock", being("docked"), begun=being("returning"))
    if action == "stop" or word == "pause":
        if can(state, MOWER_PAUSE):
            return Order("lawn_mower", "pause", not_being("mowing"))
        raise CannotError("can't be stopped from here")
    raise CannotError("can only be started, stopped or sent back")


def _word(value: object) -> str:
    """The last word counts: "return to base", "its dock"."""
    words = str(value).casefold().replace("_", " ").split()
    return words[-1] if words else ""

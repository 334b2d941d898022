"""What keeps things in or out: covers, valves, locks and alarm panels. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, Sees, being, can, having
from tools.home.port import State
from tools.home.values import share, step

OPEN, CLOSE, POSITION, STOP = 1, 2, 4, 8
"""Bits of ``supported_features`` of covers and of valves alike, from Home Assistant's developer documentation."""

ARM = {
    "home": (1, "alarm_arm_home", "armed_home"),
    "away": (2, "alarm_arm_away", "armed_away"),
    "night": (4, "alarm_arm_night", "armed_night"),
    "vacation": (32, "alarm_arm_vacation", "armed_vacation"),
}
"""Way of arming: its bit, its service, and the state it leads to."""

STEP_PCT = 20
_POSITION_TOLERANCE = 3.0


def cover(device: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    return _moving("cover", "current_position", state, action, value)


def valve(device: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    return _moving("valve", "current_position", state, action, value)


def _moving(domain: str, position: str, state: State, action: str, value: object) -> Order:
    percent = share(value) if action == "set" else None
    if action == "set" and percent is None and (more := step(value)):
        now = state.attributes.get(position)
        percent = min(max((float(now) if isinstance(now, int | float) else 50.0) + more * STEP_PCT, 0), 100)
    if action in ("open", "on", "start") or (percent == 100 and not can(state, POSITION)):
        if not can(state, OPEN):
            raise CannotError("can't be opened from here")
        return Order(domain, f"open_{domain}", being("open"), begun=being("opening"))
    if action in ("close", "off") or (percent == 0 and not can(state, POSITION)):
        if not can(state, CLOSE):
            raise CannotError("can't be closed from here")
        return Order(domain, f"close_{domain}", being("closed"), begun=being("closing"))
    if action == "stop" or str(value).casefold() == "stop":
        if not can(state, STOP):
            raise CannotError("can't be stopped half way")
        return Order(domain, f"stop_{domain}", being("open", "closed"))
    if action == "set" and percent is not None:
        if not can(state, POSITION):
            raise CannotError("can only be opened or closed, and not half way")
        done = having(position, percent, _POSITION_TOLERANCE)
        data = {"position": round(percent)}
        moving = being("opening", "closing")
        return Order(domain, f"set_{domain}_position", done, data, begun=moving, detailed=True)
    raise CannotError("can be opened, closed or set to a percentage")


def lock(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    word = str(value).casefold().strip() if action == "set" else action
    if state.attributes.get("code_format"):
        raise CannotError("can't be worked without a code, which I don't have")
    if word in ("lock", "locked", "close", "on"):
        return Order("lock", "lock", being("locked"), begun=being("locking"))
    if word in ("unlock", "unlocked", "open", "off", "stop"):
        return Order("lock", "unlock", being("unlocked", "open"), begun=being("unlocking", "opening"))
    raise CannotError("can only be locked or unlocked")


def alarm(_: Device, state: State, action: str, value: object) -> Order:
    """Arming without a word means away. Raises CannotError."""
    word = str(value).casefold().strip().removeprefix("armed").strip(" _") if action == "set" else ""
    wants_code = bool(state.attributes.get("code_format"))
    if disarms(action, value):
        if wants_code:
            raise CannotError("can't be disarmed without a code, which I don't have")
        return Order("alarm_control_panel", "alarm_disarm", being("disarmed"))
    if state.attributes.get("code_arm_required", wants_code):
        raise CannotError("can't be armed without a code, which I don't have")
    way = ARM.get(word.removesuffix(" mode") or "away") if action != "stop" else None
    if way is None:
        raise CannotError(f"can be armed for {', '.join(ARM)}, or disarmed")
    feature, service, after = way
    if not can(state, feature):
        raise CannotError("can't be armed that way")
    done: Sees = being(after)
    return Order("alarm_control_panel", service, done, begun=being("arming", "pending"), detailed=True)


def disarms(action: str, value: object) -> bool:
    """Whether that takes an alarm panel's watch away."""
    word = str(value).casefold().strip() if action == "set" else action
    return word in _DISARMING


_DISARMING = frozenset(
    {
        "off",
        "stop",
        "open",
        "unlock",
        "unlocked",
        "disarm",
        "disarmed",
        "disable",
        "disabled",
        "deactivate",
        "0",
        "none",
    }
)

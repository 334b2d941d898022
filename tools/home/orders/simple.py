"""Switches, sirens, scenes, scripts, buttons, numbers and choices. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, Sees, being, plain_number
from tools.home.port import State
from tools.home.values import chosen, number, step

_STARTS = frozenset({"on", "start", "open"})
LONGEST_TEXT = 100


def switch(device: Device, _: State, action: str, value: object) -> Order:
    """Switches, helpers that are on or off, and sirens. Raises CannotError."""
    if action == "set":
        raise CannotError("can only be on or off")
    on = action in ("on", "start", "open", "lock")
    return Order(device.domain, "turn_on" if on else "turn_off", being("on" if on else "off"))


def scene(device: Device, before: State, action: str, value: object) -> Order:
    """A scene has no state but when it was last used. Raises CannotError."""
    if action not in _STARTS:
        raise CannotError("can only be switched on")
    return Order(device.domain, "turn_on", _changed(before))


def script(device: Device, before: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    if action in _STARTS:
        ran = before.attributes.get("last_triggered")
        return Order(
            "script", "turn_on", lambda seen: seen.state == "on" or seen.attributes.get("last_triggered") != ran
        )
    if action in ("off", "stop", "close"):
        return Order("script", "turn_off", being("off"))
    raise CannotError("can only be run or stopped")


def button(device: Device, before: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    if action not in _STARTS:
        raise CannotError("can only be pressed")
    return Order(device.domain, "press", _changed(before))


def level(device: Device, before: State, action: str, value: object) -> Order:
    """A number that can be set. Raises CannotError."""
    least, most = before.attributes.get("min"), before.attributes.get("max")
    wanted = number(value)
    now = number(before.state)
    if wanted is None and (more := step(value)) and now is not None:
        wanted = now + more * float(before.attributes.get("step") or 1)
    if action != "set" or wanted is None:
        raise CannotError("can only be set to a number")
    if (isinstance(least, int | float) and wanted < least) or (isinstance(most, int | float) and wanted > most):
        raise CannotError(f"can only be set from {plain_number(float(least or 0))} to {plain_number(float(most or 0))}")
    spacing = float(before.attributes.get("step") or 1)
    return Order(
        device.domain,
        "set_value",
        lambda seen: (found := number(seen.state)) is not None and abs(found - wanted) <= spacing / 2,
        {"value": plain_number(wanted)},
        detailed=True,
    )


def choice(device: Device, before: State, action: str, value: object) -> Order:
    """One of several options, or a text. Raises CannotError."""
    if action != "set" or value is None:
        raise CannotError("can only be set")
    if device.domain in ("input_text", "text"):
        text = str(value)[:LONGEST_TEXT]
        return Order(device.domain, "set_value", being(text), {"value": text}, detailed=True)
    options = [str(option) for option in before.attributes.get("options") or ()]
    option = chosen(value, options)
    if option is None:
        own = device.domain == "input_select"  # what an integration offers is not ours to say
        raise CannotError(f"can be set to {', '.join(options[:6])}" if own and options else "can't be set to that")
    return Order(device.domain, "select_option", being(option), {"option": option}, detailed=True)


def _changed(before: State) -> Sees:
    return lambda seen: seen.state != before.state and seen.state not in ("unavailable", "unknown")

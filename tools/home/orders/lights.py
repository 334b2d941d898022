"""Lights: on, off, brightness, colour, colour temperature, each only where the light can. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, Sees, being, having
from tools.home.port import State
from tools.home.values import color, hue_and_saturation, kelvin, share, step

_COLORFUL = frozenset({"hs", "rgb", "xy", "rgbw", "rgbww"})
_DIMMED = frozenset({"brightness", "color_temp", "white", *_COLORFUL})
"""Color modes of Home Assistant that include a colour, and that include a brightness."""

STEP_PCT = 20
"""What "brighter" adds, in per cent."""

WHITE_RGB = (255, 255, 255)
_BRIGHTNESS_TOLERANCE = 3.5
"""Per cent: lights keep brightness in 255 steps, some in fewer."""
_HUE_TOLERANCE = 6.0
_SATURATION_TOLERANCE = 8.0
_KELVIN_TOLERANCE = 0.05


def light(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    match action:
        case "on" | "start" | "open":
            return Order("light", "turn_on", being("on"))
        case "off" | "stop" | "close":
            return Order("light", "turn_off", being("off"))
        case "set":
            return _set(state, value)
    raise CannotError("can't be locked")


def _set(state: State, value: object) -> Order:
    modes = _modes(state)
    rgb = color(value)
    if rgb is not None:
        if modes is not None and not modes & _COLORFUL:
            raise CannotError("can't show colours")
        return _order({"rgb_color": list(rgb)}, lambda seen: _shows(seen, rgb))
    temperature = kelvin(value)
    if temperature is not None:
        return _white(state, modes, temperature)
    if (brighter := step(value)) != 0:
        _check_dims(modes)
        before = brightness_pct(state) or 0.0
        wanted = min(max(before + brighter * STEP_PCT, 1), 100)
        return _bright(round(wanted))
    percent = share(value)
    if percent is None:
        raise CannotError("can be set to a percentage, a colour or a colour temperature, and to nothing else")
    if percent == 0:
        return Order("light", "turn_off", being("off"), detailed=True)
    if percent == 100 and modes is not None and not modes & _DIMMED:
        return Order("light", "turn_on", being("on"))
    _check_dims(modes)
    return _bright(round(percent))


def _white(state: State, modes: frozenset[str] | None, temperature: int) -> Order:
    if modes is None or "color_temp" in modes:
        coldest, warmest = state.attributes.get("max_color_temp_kelvin"), state.attributes.get("min_color_temp_kelvin")
        bounded = min(temperature, int(coldest)) if isinstance(coldest, int | float) else temperature
        bounded = max(bounded, int(warmest)) if isinstance(warmest, int | float) else bounded
        near = having("color_temp_kelvin", bounded, _KELVIN_TOLERANCE * bounded)
        return _order({"color_temp_kelvin": bounded}, lambda seen: seen.state == "on" and near(seen))
    if modes & _COLORFUL and 3500 <= temperature <= 5500:
        return _order({"rgb_color": list(WHITE_RGB)}, lambda seen: _shows(seen, WHITE_RGB))
    raise CannotError("can't change how warm the light is")


def _bright(percent: int) -> Order:
    def done(seen: State) -> bool:
        return seen.state == "on" and abs((brightness_pct(seen) or 0) - percent) <= _BRIGHTNESS_TOLERANCE

    return _order({"brightness_pct": percent}, done)


def _order(data: dict[str, object], done: Sees) -> Order:
    return Order("light", "turn_on", done, data, detailed=True)


def _check_dims(modes: frozenset[str] | None) -> None:
    if modes is not None and not modes & _DIMMED:
        raise CannotError("can't be dimmed")


def _modes(state: State) -> frozenset[str] | None:
    """None where it does not say."""
    modes = state.attributes.get("supported_color_modes")
    return frozenset(str(mode) for mode in modes) if isinstance(modes, list | tuple | set | frozenset) else None


def brightness_pct(state: State) -> float | None:
    """Of 255 steps; None where it is off or has none."""
    found = state.attributes.get("brightness")
    return found * 100 / 255 if isinstance(found, int | float) else None


def _shows(state: State, rgb: tuple[int, int, int]) -> bool:
    found = state.attributes.get("hs_color")
    if found is None and isinstance(other := state.attributes.get("rgb_color"), list | tuple) and len(other) == 3:
        found = hue_and_saturation((int(other[0]), int(other[1]), int(other[2])))
    if state.state != "on" or not isinstance(found, list | tuple) or len(found) != 2:
        return False
    hue, saturation = hue_and_saturation(rgb)
    turn = abs(float(found[0]) - hue) % 360
    same_hue = min(turn, 360 - turn) <= _HUE_TOLERANCE or saturation < _SATURATION_TOLERANCE
    return same_hue and abs(float(found[1]) - saturation) <= _SATURATION_TOLERANCE

"""Heating, cooling, fans and humidifiers. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, being, can, having, not_being, plain_number, reading
from tools.home.port import State
from tools.home.values import chosen, number, share, step

CLIMATE_TEMPERATURE, CLIMATE_OFF, CLIMATE_ON = 1, 128, 256
WATER_ON_OFF = 8
FAN_SPEED = 1
"""Bits of ``supported_features``, from Home Assistant's developer documentation."""

STEP_DEGREES = 1.0
"""What "warmer" adds."""
STEP_PCT = 20

_MODE_WORDS = {
    "heating": "heat", "heater": "heat", "cooling": "cool", "drying": "dry", "automatic": "auto",
    "ventilate": "fan_only", "fan": "fan_only", "ventilation": "fan_only", "both": "heat_cool",
}  # fmt: skip
_AUTOMATIC = ("auto", "heat_cool")
_SPEEDS = {"low": 33, "slow": 33, "medium": 67, "middle": 67, "high": 100, "fast": 100, "full": 100, "max": 100}


def climate(device: Device, state: State, action: str, value: object) -> Order:
    """Thermostats, air conditioners, water heaters. Raises CannotError."""
    if action in ("on", "start", "open"):
        return _climate_on(device, state)
    if action in ("off", "stop", "close"):
        return _climate_off(device, state)
    if action != "set":
        raise CannotError("can't be locked")
    degrees = number(value)
    if degrees is None and (more := step(value)):
        now = state.attributes.get("temperature")
        degrees = float(now) + more * STEP_DEGREES if isinstance(now, int | float) else None
    return _mode(device, state, value) if degrees is None else _temperature(device, state, degrees)


def _temperature(device: Device, state: State, degrees: float) -> Order:
    if not can(state, CLIMATE_TEMPERATURE):
        raise CannotError("can't be set to a temperature")
    if state.attributes.get("temperature") is None and state.attributes.get("target_temp_low") is not None:
        raise CannotError("is keeping a range, and can't be set to one temperature")
    least, most = state.attributes.get("min_temp"), state.attributes.get("max_temp")
    if isinstance(least, int | float) and isinstance(most, int | float) and not least <= degrees <= most:
        raise CannotError(f"can only be set from {plain_number(least)} to {plain_number(most)} degrees")
    return Order(
        device.domain,
        "set_temperature",
        having("temperature", degrees, 0.26),
        {"temperature": plain_number(degrees)},
        detailed=True,
    )


def _mode(device: Device, state: State, value: object) -> Order:
    said = " ".join(str(value).casefold().removesuffix(" mode").split())
    said = _MODE_WORDS.get(said, said)
    attributes = state.attributes
    if device.domain == "water_heater":
        operation = chosen(said, attributes.get("operation_list") or ())
        if operation is None:
            raise CannotError(f"can't be set to {said[:40]}")
        data = {"operation_mode": operation}
        return Order(device.domain, "set_operation_mode", being(operation), data, detailed=True)
    modes = attributes.get("hvac_modes") or ()
    mode = chosen(said, modes)
    if mode is None and said in _AUTOMATIC:
        mode = next((known for known in _AUTOMATIC if known in modes), None)
    if mode is not None:
        return Order("climate", "set_hvac_mode", being(mode), {"hvac_mode": mode}, detailed=True)
    for service, attribute, argument in (
        ("set_preset_mode", "preset_modes", "preset_mode"),
        ("set_fan_mode", "fan_modes", "fan_mode"),
        ("set_swing_mode", "swing_modes", "swing_mode"),
    ):
        option = chosen(said, attributes.get(attribute) or ())
        if option is not None:
            return Order("climate", service, reading(argument, option), {argument: option}, detailed=True)
    raise CannotError(f"can't be set to {said[:40]}")


def _climate_on(device: Device, state: State) -> Order:
    if device.domain == "water_heater" or can(state, CLIMATE_ON):
        return Order(device.domain, "turn_on", not_being("off"))
    modes = [str(mode) for mode in state.attributes.get("hvac_modes") or () if mode != "off"]
    mode = next((mode for mode in ("heat_cool", "auto", "heat", *modes) if mode in modes), None)
    if mode is None:
        raise CannotError("can't be switched on")
    return Order("climate", "set_hvac_mode", being(mode), {"hvac_mode": mode})


def _climate_off(device: Device, state: State) -> Order:
    if device.domain == "water_heater" or can(state, CLIMATE_OFF):
        return Order(device.domain, "turn_off", being("off"))
    if "off" not in (state.attributes.get("hvac_modes") or ()):
        raise CannotError("can't be switched off")
    return Order("climate", "set_hvac_mode", being("off"), {"hvac_mode": "off"})


def fan(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    if action in ("on", "start", "open"):
        return Order("fan", "turn_on", being("on"))
    if action in ("off", "stop", "close"):
        return Order("fan", "turn_off", being("off"))
    preset = chosen(value, state.attributes.get("preset_modes") or ()) if number(value) is None else None
    if action == "set" and preset is not None:
        return Order("fan", "set_preset_mode", reading("preset_mode", preset), {"preset_mode": preset}, detailed=True)
    percent = _SPEEDS.get(str(value).casefold(), share(value))
    if percent is None and (more := step(value)):
        percent = min(max(float(state.attributes.get("percentage") or 0) + more * STEP_PCT, 1), 100)
    if action != "set" or percent is None:
        raise CannotError("can be set to a percentage or to one of its modes")
    if percent == 0:
        return Order("fan", "turn_off", being("off"), detailed=True)
    if not can(state, FAN_SPEED):
        raise CannotError("can't run faster or slower")
    spacing = state.attributes.get("percentage_step")
    tolerance = float(spacing) / 2 + 1 if isinstance(spacing, int | float) else 2.0
    near = having("percentage", percent, tolerance)
    return Order("fan", "set_percentage", near, {"percentage": round(percent)}, detailed=True)


def humidifier(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    if action in ("on", "start", "open"):
        return Order("humidifier", "turn_on", being("on"))
    if action in ("off", "stop", "close"):
        return Order("humidifier", "turn_off", being("off"))
    humidity = number(value)
    if humidity is None:
        mode = chosen(value, state.attributes.get("available_modes") or ())
        if action != "set" or mode is None:
            raise CannotError("can be set to a percentage or to one of its modes")
        return Order("humidifier", "set_mode", reading("mode", mode), {"mode": mode}, detailed=True)
    least, most = state.attributes.get("min_humidity", 0), state.attributes.get("max_humidity", 100)
    if not least <= humidity <= most:
        raise CannotError(f"can only be set from {plain_number(least)} to {plain_number(most)} percent")
    done = having("humidity", humidity, 1.0)
    return Order("humidifier", "set_humidity", done, {"humidity": round(humidity)}, detailed=True)

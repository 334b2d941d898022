"""What a device's state is called, as a clause behind its name. Pure.

Names of devices are the owner's own; what a sensor or a player reports as free text may be anybody's, and is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tools.home.kinds import DeviceKind
from tools.home.live import Device
from tools.home.port import State
from tools.home.values import COLORS, hue_and_saturation

LONGEST_TEXT = 80
"""Characters of a text from outside that are said."""


@dataclass(frozen=True, slots=True)
class Clause:
    """ "is" and "on, at 30 percent": they follow the device's name. ``odd``: worth saying first. ``lasting``: how long
    it has been so is worth saying. ``tainted``: somebody else's text. ``dead``: it does not answer."""

    verb: str
    rest: str
    odd: bool = False
    lasting: bool = False
    tainted: bool = False
    dead: bool = False

    def after(self, *, plural: bool) -> str:
        """With the verb for one or for several."""
        verb = _PLURALS.get(self.verb, self.verb) if plural else self.verb
        return f"{verb} {self.rest}".strip()


_PLURALS = {"is": "are", "shows": "show", "sees": "see", "has": "have", "says": "say", "detects": "detect",
            "reports": "report", "doesn't": "don't", "needs": "need", "was": "were"}  # fmt: skip

SILENT = Clause("doesn't", "answer", odd=True, dead=True)
UNKNOWN = Clause("has", "not said anything yet")


def clause(device: Device, state: State | None, *, detailed: bool = True) -> Clause:
    """What it is now. ``detailed``: with brightness, temperature and the like, not only on or off."""
    if state is None or state.state == "unavailable":
        return SILENT
    if state.state == "unknown" and device.kind not in (DeviceKind.SCENE, DeviceKind.BUTTON):
        return UNKNOWN
    match device.kind:
        case DeviceKind.LIGHT:
            return _light(state, detailed=detailed)
        case DeviceKind.COVER | DeviceKind.ENTRANCE | DeviceKind.VALVE:
            return _opening(device, state)
        case DeviceKind.LOCK:
            return Clause("is", _spelt(state.state), odd=state.state not in ("locked", "locking"), lasting=True)
        case DeviceKind.ALARM:
            return _alarm(state)
        case DeviceKind.CLIMATE:
            return _climate(state, detailed=detailed)
        case DeviceKind.MEDIA:
            return _media(state, detailed=detailed)
        case DeviceKind.FAN | DeviceKind.HUMIDIFIER:
            return _fan(state, detailed=detailed)
        case DeviceKind.VACUUM | DeviceKind.MOWER:
            return _robot(state)
        case DeviceKind.SCENE | DeviceKind.BUTTON:
            return Clause("was", _moment(state.state) or "not used yet")
        case DeviceKind.SCRIPT:
            return Clause("is", "running" if state.state == "on" else "not running")
        case DeviceKind.NUMBER:
            return Clause("is", f"at {measured(state)}" if measured(state) else _spelt(state.state))
        case DeviceKind.CHOICE:
            free = device.domain in ("input_text", "text")
            return Clause("is" if not free else "says", f"set to {_text(state.state)}", tainted=free)
        case DeviceKind.SENSOR:
            return _sensor(device, state)
    return Clause("is", _spelt(state.state), tainted=state.state not in ("on", "off"))


def _light(state: State, *, detailed: bool) -> Clause:
    if state.state != "on" or not detailed:
        return Clause("is", _spelt(state.state))
    more = []
    brightness = state.attributes.get("brightness")
    if isinstance(brightness, int | float):
        more.append(f"at {max(round(brightness * 100 / 255), 1)} percent")
    if (colored := color_name(state)) is not None:
        more.append(colored)
    return Clause("is", ", ".join(["on", " and ".join(more)] if more else ["on"]))


def color_name(state: State) -> str | None:
    """The nearest colour's name, or how warm the white is; None where it does not say."""
    mode, hs = state.attributes.get("color_mode"), state.attributes.get("hs_color")
    temperature = state.attributes.get("color_temp_kelvin")
    if mode == "color_temp" and isinstance(temperature, int | float):
        return "warm white" if temperature < 3500 else "white" if temperature < 4500 else "cool white"
    if mode in ("hs", "rgb", "xy", "rgbw", "rgbww") and isinstance(hs, list | tuple) and len(hs) == 2:
        hue, saturation = float(hs[0]), float(hs[1])
        if saturation < 10:
            return "white"
        return min(COLORS, key=lambda name: _distance((hue, saturation), hue_and_saturation(COLORS[name])))
    return None


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    turn = abs(one[0] - other[0]) % 360
    return min(turn, 360 - turn) + abs(one[1] - other[1]) * 0.6


def _opening(device: Device, state: State) -> Clause:
    position = state.attributes.get("current_position")
    rest = _spelt(state.state)
    if state.state == "open" and isinstance(position, int | float) and 0 < position < 100:
        rest = f"open, at {round(position)} percent"
    entrance = device.kind is DeviceKind.ENTRANCE
    return Clause("is", rest, odd=entrance and state.state != "closed", lasting=entrance and state.state == "open")


def _alarm(state: State) -> Clause:
    names = {"armed_home": "armed, for at home", "armed_away": "armed, for away", "armed_night": "armed for the night",
             "armed_vacation": "armed for a holiday", "arming": "being armed", "pending": "about to go off",
             "triggered": "going off"}  # fmt: skip
    return Clause("is", names.get(state.state, _spelt(state.state)), odd=state.state in ("triggered", "pending"))


def _climate(state: State, *, detailed: bool) -> Clause:
    actions = {"heating": "heating", "cooling": "cooling", "idle": "idle", "drying": "drying", "fan": "only blowing"}
    modes = {"heat": "on, to heat", "cool": "on, to cool", "heat_cool": "on, to heat and cool", "auto": "on, in auto",
             "dry": "on, to dry", "fan_only": "on, only blowing"}  # fmt: skip
    action = state.attributes.get("hvac_action")
    rest = modes.get(state.state, _spelt(state.state))
    if state.state != "off" and detailed:
        rest = actions.get(str(action), rest)
    if not detailed:
        return Clause("is", rest)
    wanted, there = state.attributes.get("temperature"), state.attributes.get("current_temperature")
    low, high = state.attributes.get("target_temp_low"), state.attributes.get("target_temp_high")
    if isinstance(wanted, int | float):
        rest += f", set to {said_number(wanted)} degrees"
    elif isinstance(low, int | float) and isinstance(high, int | float):
        rest += f", set to between {said_number(low)} and {said_number(high)} degrees"
    if isinstance(there, int | float):
        rest += f"; it is {said_number(there)} degrees there"
    return Clause("is", rest)


def _media(state: State, *, detailed: bool) -> Clause:
    title, volume = state.attributes.get("media_title"), state.attributes.get("volume_level")
    rest = _spelt(state.state)
    if not detailed or state.state in ("off", "standby"):
        return Clause("is", rest)
    muted = state.attributes.get("is_volume_muted") is True
    playing = state.state in ("playing", "paused") and isinstance(title, str) and bool(_text(title))
    if playing:
        rest += f" {_text(str(title))}"
    if muted or isinstance(volume, int | float):
        rest += ", muted" if muted else f", at {round(float(volume or 0) * 100)} percent volume"
    return Clause("is", rest, tainted=playing)


def _fan(state: State, *, detailed: bool) -> Clause:
    percent, humidity = state.attributes.get("percentage"), state.attributes.get("humidity")
    mode = state.attributes.get("preset_mode") or state.attributes.get("mode")
    if state.state != "on" or not detailed:
        return Clause("is", _spelt(state.state))
    if isinstance(mode, str) and mode:
        return Clause("is", f"on, in {_text(mode)}")
    if isinstance(percent, int | float):
        return Clause("is", f"on, at {round(percent)} percent")
    return Clause("is", f"on, set to {round(humidity)} percent" if isinstance(humidity, int | float) else "on")


def _robot(state: State) -> Clause:
    names = {"returning": "on the way back", "docked": "docked", "error": "stuck"}
    return Clause("is", names.get(state.state, _spelt(state.state)), odd=state.state == "error")


_BINARY: Mapping[str, tuple[Clause, Clause]] = {
    **{name: (Clause("is", "open", odd=True, lasting=True), Clause("is", "closed"))
       for name in ("door", "garage_door", "window", "opening")},
    "lock": (Clause("is", "unlocked", odd=True, lasting=True), Clause("is", "locked")),
    "motion": (Clause("sees", "motion", lasting=True), Clause("sees", "no motion")),
    "moving": (Clause("is", "moving"), Clause("is", "still")),
    "vibration": (Clause("detects", "vibration"), Clause("detects", "no vibration")),
    "occupancy": (Clause("sees", "somebody"), Clause("sees", "nobody")),
    "presence": (Clause("is", "home"), Clause("is", "away")),
    "moisture": (Clause("is", "wet", odd=True, lasting=True), Clause("is", "dry")),
    "smoke": (Clause("detects", "smoke", odd=True), Clause("detects", "no smoke")),
    "gas": (Clause("detects", "gas", odd=True), Clause("detects", "no gas")),
    "carbon_monoxide": (Clause("detects", "carbon monoxide", odd=True), Clause("detects", "no carbon monoxide")),
    "battery": (Clause("is", "low", odd=True), Clause("is", "fine")),
    "battery_charging": (Clause("is", "charging"), Clause("is", "not charging")),
    "problem": (Clause("reports", "a problem", odd=True), Clause("reports", "no problem")),
    "tamper": (Clause("reports", "tampering", odd=True), Clause("reports", "no tampering")),
    "safety": (Clause("is", "unsafe", odd=True), Clause("is", "safe")),
    "connectivity": (Clause("is", "connected"), Clause("is", "disconnected", odd=True)),
    "power": (Clause("has", "power"), Clause("has", "no power")),
    "plug": (Clause("is", "plugged in"), Clause("is", "unplugged")),
    "light": (Clause("sees", "light"), Clause("sees", "no light")),
    "sound": (Clause("detects", "sound"), Clause("detects", "no sound")),
    "cold": (Clause("is", "cold"), Clause("is", "normal")),
    "heat": (Clause("is", "hot"), Clause("is", "normal")),
    "running": (Clause("is", "running"), Clause("is", "not running")),
    "update": (Clause("has", "an update"), Clause("is", "up to date")),
}  # fmt: skip
"""Device classes of binary sensors: what on means, and what off means."""


def _sensor(device: Device, state: State) -> Clause:
    if device.domain == "binary_sensor":
        on, off = _BINARY.get(device.device_class or "", (Clause("is", "on"), Clause("is", "off")))
        return on if state.state == "on" else off
    if device.domain in ("person", "device_tracker"):
        places = {"home": "home", "not_home": "away"}
        return Clause("is", places.get(state.state, f"at {_text(state.state)}"))
    if device.domain == "weather":
        warm = state.attributes.get("temperature")
        degrees = f", at {said_number(warm)} degrees" if isinstance(warm, int | float) else ""
        names = {"partlycloudy": "partly cloudy", "clear-night": "clear", "pouring": "pouring rain"}
        return Clause("says", names.get(state.state, _spelt(state.state)) + degrees)
    if device.domain == "camera":
        return Clause("is", _spelt(state.state))
    if (shown := measured(state)) is not None:
        last = device.name.split()[-1].casefold() if device.name.split() else ""
        return Clause("is" if last in _MEASURES else "shows", shown)
    if device.device_class in ("timestamp", "date") and (moment := _moment(state.state)) is not None:
        return Clause("says", moment)
    return Clause("says", _text(state.state), tainted=True)


_UNITS: Mapping[str, tuple[str, str]] = {
    "°C": ("degree", "degrees"), "°F": ("degree", "degrees"), "K": ("kelvin", "kelvin"), "%": ("percent", "percent"),
    "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "Wh": ("watt hour", "watt hours"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "V": ("volt", "volts"), "A": ("ampere", "amperes"),
    "mA": ("milliampere", "milliamperes"), "lx": ("lux", "lux"), "ppm": ("part per million", "parts per million"),
    "hPa": ("hectopascal", "hectopascal"), "mbar": ("millibar", "millibars"), "m/s": ("metre per second",
    "metres per second"), "km/h": ("kilometre per hour", "kilometres per hour"), "m³": ("cubic metre", "cubic metres"),
    "L": ("litre", "litres"), "mm": ("millimetre", "millimetres"), "cm": ("centimetre", "centimetres"),
    "km": ("kilometre", "kilometres"), "kg": ("kilogram", "kilograms"), "dB": ("decibel", "decibels"),
    "s": ("second", "seconds"), "min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days"),
    "µg/m³": ("microgram per cubic metre", "micrograms per cubic metre"), "dBm": ("dBm", "dBm"),
    "EUR": ("euro", "euros"), "€": ("euro", "euros"), "GB": ("gigabyte", "gigabytes"), "MB": ("megabyte", "megabytes"),
}  # fmt: skip


_MEASURES = frozenset(
    {"temperature", "humidity", "co2", "power", "energy", "pressure", "voltage", "current", "illuminance", "battery",
     "level", "speed", "consumption", "brightness", "distance", "volume"}
)  # fmt: skip
"""The temperature *is* 21 degrees; a thermometer *shows* them."""


def measured(state: State) -> str | None:
    """A number with its unit, for speech; None for what is no number."""
    try:
        value = float(state.state)
    except ValueError:
        return None
    if value != value or abs(value) > 1e15:
        return None
    said = said_number(value)
    unit = state.attributes.get("unit_of_measurement")
    if not isinstance(unit, str) or not unit.strip():
        return said
    one, many = _UNITS.get(unit, (_text(unit)[:12], _text(unit)[:12]))
    return f"{said} {one if said == '1' else many}"


def said_number(value: float) -> str:
    """One decimal below a hundred, none above: "21.5", "minus 3", "412"."""
    rounded = round(float(value), 1) if abs(value) < 100 else float(round(value))
    text = f"{abs(rounded):.0f}" if rounded.is_integer() else f"{abs(rounded):.1f}"
    return f"minus {text}" if rounded < 0 else text


def _moment(text: str) -> str | None:
    """A time as people say it, of this machine's time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2026-05-13"):
        return f"{moment.day} {moment:%B}"
    local = moment.astimezone()
    return f"at {local:%H:%M} on {local.day} {local:%B}"


def _text(text: str) -> str:
    """Somebody's words: without control characters, on one line, capped."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return words if len(words) <= LONGEST_TEXT else words[: LONGEST_TEXT - 1].rstrip() + "…"


def _spelt(state: str) -> str:
    return _text(state.replace("_", " "))


def is_plural(name: str) -> bool:
    """Whether "are" follows the name: "the counter lights"."""
    last = name.split()[-1].casefold() if name.split() else ""
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "'s")) and last not in ("gas", "sonos", "bias")

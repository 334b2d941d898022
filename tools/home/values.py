"""What a said value means: a share, a colour, a colour temperature, a mode. Pure."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping

from tools.names import plain

_SHARES: Mapping[str, float] = {
    "half": 50, "halfway": 50, "half way": 50, "middle": 50, "medium": 50, "a half": 50,
    "a quarter": 25, "quarter": 25, "1 quarter": 25, "three quarters": 75, "3 quarters": 75,
    "a third": 33, "1 third": 33, "third": 33, "two thirds": 67, "2 thirds": 67,
    "full": 100, "full brightness": 100, "fully": 100, "max": 100, "maximum": 100, "highest": 100, "brightest": 100,
    "bright": 100, "high": 100, "all the way": 100, "all the way up": 100, "loudest": 100, "full power": 100,
    "low": 20, "dim": 20, "dimmed": 20, "soft": 20, "softly": 20, "quiet": 20, "very low": 5,
    "min": 1, "minimum": 1, "lowest": 1, "dimmest": 1, "night light": 5, "nightlight": 5,
    "off": 0, "nothing": 0, "closed": 0, "shut": 0, "open": 100, "wide open": 100, "ajar": 10,
}  # fmt: skip
"""Per cent that people name in words; "min" is 1, as in Home Assistant's own sentences."""

_STEPS: Mapping[str, int] = {
    "brighter": 1, "up": 1, "higher": 1, "more": 1, "louder": 1, "warmer": 1, "hotter": 1, "faster": 1, "increase": 1,
    "dimmer": -1, "darker": -1, "down": -1, "lower": -1, "less": -1, "quieter": -1, "softer": -1, "cooler": -1,
    "colder": -1, "slower": -1, "decrease": -1,
}  # fmt: skip

COLORS: Mapping[str, tuple[int, int, int]] = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0), "orange": (255, 165, 0),
    "purple": (128, 0, 128), "violet": (160, 50, 255), "pink": (255, 192, 203), "magenta": (255, 0, 255),
    "fuchsia": (255, 0, 255), "cyan": (0, 255, 255), "turquoise": (64, 224, 208), "teal": (0, 160, 160),
    "lime": (190, 255, 0), "gold": (255, 200, 0), "amber": (255, 170, 0), "lavender": (180, 150, 255),
    "brown": (165, 82, 30), "crimson": (220, 20, 60), "coral": (255, 127, 80), "indigo": (75, 0, 200),
    "salmon": (250, 128, 114), "mint": (100, 255, 180),
}  # fmt: skip
"""Colours as lights show them, red, green, blue, 0 to 255: about what the names of CSS mean, but clear at any
brightness."""

_KELVIN: Mapping[str, int] = {
    "candle light": 1900, "candlelight": 1900, "warm": 2700, "warm white": 2700, "soft white": 2700, "cosy": 2700,
    "cozy": 2700, "warm light": 2700, "white": 4000, "neutral": 4000, "neutral white": 4000, "natural": 4000,
    "natural white": 4000, "cool": 5000, "cold": 5000, "cool white": 5000, "cold white": 5000, "bright white": 5000,
    "daylight": 6500, "day light": 6500,
}  # fmt: skip
"""Colour temperatures in kelvin; candle light, warm white and daylight as in Home Assistant's own sentences."""

LEAST_KELVIN = 1000
MOST_KELVIN = 12000

_NUMBER = re.compile(r"^(-?\d+(?:[.,]\d+)?)\s*(%|percent|per cent|degrees?|degrees celsius|°c?|c|k|kelvin)?$")


def number(value: object) -> float | None:
    """A number, with or without its unit; None for other words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _NUMBER.match(str(value).strip().casefold()) if value is not None else None
    return float(found.group(1).replace(",", ".")) if found else None


def share(value: object) -> float | None:
    """Per cent, 0 to 100; None for what is none."""
    said = number(value)
    if said is None:
        said = _SHARES.get(_words(value))
    return said if said is not None and 0 <= said <= 100 else None


def step(value: object) -> int:
    """1 for more, -1 for less, 0 for what is neither: "a bit brighter"."""
    words = [word for word in _words(value).split() if word not in ("a", "bit", "little", "slightly", "much")]
    return _STEPS.get(words[0], 0) if len(words) == 1 else 0


def color(value: object) -> tuple[int, int, int] | None:
    """Red, green, blue; None for what is no colour."""
    return COLORS.get(_words(value).removesuffix(" light"))


def kelvin(value: object) -> int | None:
    """A colour temperature: words, or a number that can be no share."""
    words = _words(value)
    if words in _KELVIN:
        return _KELVIN[words]
    said = number(value)
    return int(said) if said is not None and LEAST_KELVIN <= said <= MOST_KELVIN else None


def hue_and_saturation(rgb: tuple[int, int, int]) -> tuple[float, float]:
    """Degrees 0 to 360 and per cent, as the home system reports them."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    return hue * 360, saturation * 100


def chosen(value: object, options: Iterable[object]) -> str | None:
    """The option that is meant by the word, as the home system spells it; None for none of them."""
    said = _joined(value)
    known = [str(option) for option in options]
    exact = next((option for option in known if _joined(option) == said), None)
    if exact is not None or not said:
        return exact
    begun = [option for option in known if _joined(option).startswith(said) or said.startswith(_joined(option) or "\0")]
    return begun[0] if len(begun) == 1 else None


def _words(value: object) -> str:
    return " ".join(word for word in plain(str(value)) if word != "the")


def _joined(value: object) -> str:
    return "".join(word for word in plain(str(value).replace("_", " ")) if word not in ("mode", "the"))

"""The English words of units and money. Data only, so that a language can follow."""

from __future__ import annotations

from typing import NamedTuple


class Noun(NamedTuple):
    """One of them, and several."""

    one: str
    many: str


def counted(count: int, noun: Noun) -> str:
    """The noun for so many, with the number where it has a place for it."""
    return noun.one if count == 1 else noun.many.format(count=count)


def _same(word: str) -> Noun:
    return Noun(word, word)


_BYTES = {
    "": "byte",
    "k": "kilobyte",
    "K": "kilobyte",
    "M": "megabyte",
    "G": "gigabyte",
    "T": "terabyte",
    "P": "petabyte",
    "Ki": "kibibyte",
    "Mi": "mebibyte",
    "Gi": "gibbibyte",
    "Ti": "tebibyte",
    "Pi": "pebibyte",
}
_BITS = {"k": "kilobit", "K": "kilobit", "M": "megabit", "G": "gigabit", "T": "terabit"}

UNITS: dict[str, Noun] = {
    **{f"{prefix}B": Noun(word, word + "s") for prefix, word in _BYTES.items() if prefix},
    **{f"{prefix.lower()}b": Noun(word, word + "s") for prefix, word in _BYTES.items() if prefix in [*"kMGT"]},
    **{f"{prefix}{bit}": Noun(word, word + "s") for prefix, word in _BITS.items() for bit in ("bit", "Bit")},
    **{f"{prefix}b": Noun(word, word + "s") for prefix, word in _BITS.items() if prefix in "MGT"},
    **{f"{prefix}bps": Noun(f"{word} per second", f"{word}s per second") for prefix, word in _BITS.items()},
    **{f"{prefix}Bps": Noun(f"{word} per second", f"{word}s per second") for prefix, word in _BYTES.items() if prefix},
    "B": Noun("byte", "bytes"),
    "ns": Noun("nanosecond", "nanoseconds"),
    "µs": Noun("microsecond", "microseconds"),
    "μs": Noun("microsecond", "microseconds"),
    "ms": Noun("millisecond", "milliseconds"),
    "s": Noun("second", "seconds"),
    "sec": Noun("second", "seconds"),
    "secs": Noun("second", "seconds"),
    "min": Noun("minute", "minutes"),
    "mins": Noun("minute", "minutes"),
    "h": Noun("hour", "hours"),
    "hr": Noun("hour", "hours"),
    "hrs": Noun("hour", "hours"),
    "Hz": _same("hertz"),
    "kHz": _same("kilohertz"),
    "MHz": _same("megahertz"),
    "GHz": _same("gigahertz"),
    "rpm": _same("R P M"),
    "fps": Noun("frame per second", "frames per second"),
    "mW": Noun("milliwatt", "milliwatts"),
    "W": Noun("watt", "watts"),
    "kW": Noun("kilowatt", "kilowatts"),
    "MW": Noun("megawatt", "megawatts"),
    "Wh": Noun("watt hour", "watt hours"),
    "kWh": Noun("kilowatt hour", "kilowatt hours"),
    "MWh": Noun("megawatt hour", "megawatt hours"),
    "VA": Noun("volt ampere", "volt amperes"),
    "mV": Noun("millivolt", "millivolts"),
    "V": Noun("volt", "volts"),
    "kV": Noun("kilovolt", "kilovolts"),
    "mA": Noun("milliamp", "milliamps"),
    "mAh": Noun("milliamp hour", "milliamp hours"),
    "Ah": Noun("amp hour", "amp hours"),
    "dB": Noun("decibel", "decibels"),
    "dBm": _same("D B M"),
    "lx": _same("lux"),
    "lm": Noun("lumen", "lumens"),
    "ppm": _same("parts per million"),
    "hPa": Noun("hectopascal", "hectopascals"),
    "mbar": Noun("millibar", "millibars"),
    "mm": Noun("millimeter", "millimeters"),
    "cm": Noun("centimeter", "centimeters"),
    "km": Noun("kilometer", "kilometers"),
    "m²": Noun("square meter", "square meters"),
    "m³": Noun("cubic meter", "cubic meters"),
    "ml": Noun("milliliter", "milliliters"),
    "mL": Noun("milliliter", "milliliters"),
    "µg": Noun("microgram", "micrograms"),
    "μg": Noun("microgram", "micrograms"),
    "mg": Noun("milligram", "milligrams"),
    "kg": Noun("kilogram", "kilograms"),
    "px": Noun("pixel", "pixels"),
    "°C": Noun("degree", "degrees"),
    "℃": Noun("degree", "degrees"),
    "°F": Noun("degree Fahrenheit", "degrees Fahrenheit"),
    "℉": Noun("degree Fahrenheit", "degrees Fahrenheit"),
    "°": Noun("degree", "degrees"),
    "%": _same("percent"),
    "‰": _same("per mille"),
}
"""After a number, with or without a space."""

GLUED_UNITS: dict[str, Noun] = {
    "w": Noun("week", "weeks"),
    "d": Noun("day", "days"),
    "m": Noun("minute", "minutes"),
    "A": Noun("amp", "amps"),
    "us": Noun("microsecond", "microseconds"),
    "k": _same("thousand"),
    "M": _same("million"),
    "L": Noun("liter", "liters"),
    "l": Noun("liter", "liters"),
    "x": Noun("time", "times"),
    "×": Noun("time", "times"),
}
"""Only right behind the number: "5m" is five minutes and "4K" a screen's, "5 m" and "4 K" could be anything."""

PER = {
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "day": "day",
    "week": "week",
    "month": "month",
    "mo": "month",
    "year": "year",
    "kWh": "kilowatt hour",
    "GB": "gigabyte",
    "TB": "terabyte",
    "m²": "square meter",
    "m³": "cubic meter",
}
"""What may follow the slash of a rate."""

CURRENCIES: dict[str, tuple[Noun, Noun | None]] = {
    "€": (Noun("euro", "euros"), Noun("cent", "cents")),
    "EUR": (Noun("euro", "euros"), Noun("cent", "cents")),
    "$": (Noun("dollar", "dollars"), Noun("cent", "cents")),
    "US$": (Noun("dollar", "dollars"), Noun("cent", "cents")),
    "USD": (Noun("dollar", "dollars"), Noun("cent", "cents")),
    "£": (Noun("pound", "pounds"), Noun("penny", "pence")),
    "GBP": (Noun("pound", "pounds"), Noun("penny", "pence")),
    "CHF": (Noun("franc", "francs"), Noun("centime", "centimes")),
    "¥": (_same("yen"), None),
    "JPY": (_same("yen"), None),
    "₹": (Noun("rupee", "rupees"), None),
}
MULTIPLES = {"k": "thousand", "K": "thousand", "M": "million", "m": "million", "bn": "billion", "B": "billion"}

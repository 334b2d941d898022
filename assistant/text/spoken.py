"""Text for the screen → text for the synthesizer: what a person would say. Pure and idempotent."""

from __future__ import annotations

import re
import unicodedata

_UNITS = {
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "kB": "kilobytes",
    "KB": "kilobytes",
    "KiB": "kibibytes",
    "MB": "megabytes",
    "MiB": "mebibytes",
    "GB": "gigabytes",
    "GiB": "gibibytes",
    "TB": "terabytes",
    "TiB": "tebibytes",
    "W": "watts",
    "kWh": "kilowatt hours",
    "°C": "degrees",
    "°F": "degrees Fahrenheit",
    "°": "degrees",
    "%": "percent",
}
_UNIT = re.compile(
    r"(?<![\w.])(-?\d+(?:[.,]\d+)?)\s?("
    + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    + r")(?![\w°])"
)
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_URL = re.compile(r"\bhttps?://([^\s/:?#]+)(?::(\d+))?[^\s]*", re.IGNORECASE)
_IP = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d{1,5}))?\b")
_HOST_PORT = re.compile(r"\b([a-z][\w.-]*):(\d{2,5})\b", re.IGNORECASE)
_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)\b")
_DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?![\d.]|\.\d)")
_PATH = re.compile(r"(?<![\w/])((?:/[\w.@-]+)+)/?")
_BULLET = re.compile(r"^\s*(?:[-*•+]|\d+[.)])\s+", re.MULTILINE)
_HEADING = re.compile(r"^\s*#{1,6}\s+", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|~~|`+)")
_MINUS = re.compile(r"(?<![\w-])-(?=\d)")


MAX_PASSES = 12
"""Taking markup off can bring markup to light ("*-*5"); every pass shortens it or turns symbols into words."""


def to_spoken(text: str) -> str:
    """One line that can be synthesized. Never raises; no control characters, no markup, nothing added twice."""
    spoken = _one_pass(text)
    for _ in range(MAX_PASSES):
        again = _one_pass(spoken)
        if again == spoken:
            break
        spoken = again
    return spoken


def _one_pass(text: str) -> str:
    spoken = unicodedata.normalize("NFC", text)
    spoken = _FENCE.sub(" ", spoken)
    spoken = _LINK.sub(r"\1", spoken)
    spoken = _URL.sub(_say_url, spoken)
    spoken = _HEADING.sub("", _BULLET.sub("", spoken))
    spoken = _EMPHASIS.sub("", spoken)
    spoken = _IP.sub(_say_ip, spoken)
    spoken = _HOST_PORT.sub(r"\1 port \2", spoken)
    spoken = _PATH.sub(_say_path, spoken)
    spoken = _VERSION.sub(r"\1 point \2 point \3", spoken)
    spoken = _UNIT.sub(_say_unit, spoken)
    spoken = _MINUS.sub("minus ", spoken)
    spoken = _DECIMAL.sub(lambda m: f"{m.group(1)} point {' '.join(m.group(2)[:3])}", spoken)
    spoken = _without_symbols(spoken)
    return re.sub(r"\s+([.,!?;:])", r"\1", " ".join(spoken.split()))


def _say_url(match: re.Match[str]) -> str:
    return f"{match.group(1)} port {match.group(2)}" if match.group(2) else match.group(1)


def _say_ip(match: re.Match[str]) -> str:
    address = " dot ".join(match.group(number) for number in (1, 2, 3, 4))
    return f"{address} port {match.group(5)}" if match.group(5) else address


def _say_path(match: re.Match[str]) -> str:
    return match.group(1).rsplit("/", 1)[-1]


def _say_unit(match: re.Match[str]) -> str:
    number, unit = match.groups()
    words = _UNITS[unit]
    single = number in ("1", "-1") and words.endswith("s") and " " not in words
    return f"{number} {words[:-1] if single else words}"


def _without_symbols(text: str) -> str:
    """Emoji, control characters and box drawing are not said; brackets become pauses."""
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character in '{}[]()<>|\\"':
            kept.append(" ")
        elif character in "&":
            kept.append(" and ")
        elif category[0] == "C" or category in ("So", "Sk", "Co") or character in "\ufe0f\u200d":
            kept.append(" ")
        else:
            kept.append(character)
    return "".join(kept)

"""How tools say numbers, lists, ages and names. Pure; everything here is made to be spoken."""

from __future__ import annotations

from collections.abc import Sequence

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(count: int) -> str:
    """Words up to twelve, digits from there: "no", "one", … "twelve", "13"."""
    return _SMALL[count] if 0 <= count < len(_SMALL) else str(count)


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "one service", "two services", "13 services"."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"


def listing(items: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"; ``last`` is the word before the last."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def sentence(text: str) -> str:
    """First letter large, a stop at the end."""
    stripped = text.strip()
    if not stripped:
        return ""
    large = stripped[0].upper() + stripped[1:]
    return large if large[-1] in ".!?" else large + "."


def duration(seconds: float) -> str:
    """A length of time as people say it, one unit: "a few seconds", "ten minutes", "two hours", "three days"."""
    if seconds < 45:
        return "a few seconds"
    for unit, size, limit in (("minute", 60, 90), ("hour", 3600, 36), ("day", 86400, 60)):
        count = round(seconds / size)
        if count < limit:
            return counted(max(count, 1), unit)
    return counted(round(seconds / (86400 * 30.44)), "month")


def ago(seconds: float) -> str:
    """ "just now", "two hours ago", "yesterday" (a day, give or take), "three days ago"."""
    if seconds < 45:
        return "just now"
    if 22 * 3600 <= seconds < 36 * 3600:
        return "yesterday"
    return f"{duration(seconds)} ago"

"""Times of the day as said and as written: "ten to five", "half past seven", "6 p.m.", "eighteen thirty". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tools.when.time_words import MEASURES, SMALL, number, word_at

_WRITTEN_CLOCK = re.compile(r"([0-9]{1,2})([:.])([0-9]{2})(?::00)?(am|pm)?")
_GLUED_CLOCK = re.compile(r"([0-9]{1,2}?)([0-9]{2})?(am|pm)")
_NAMED = {"noon": 12, "midday": 12, "midnight": 0}
_PAST = frozenset({"past", "after"})
_TO = frozenset({"to", "before", "til", "till"})


class Clock(NamedTuple):
    """A time of the day as said. ``half`` is empty when morning or evening was left open ("six thirty")."""

    hour: int
    minute: int
    half: Literal["", "am", "pm", "24"]
    weight: int
    """0 for a bare number, 1 for what is hardly anything else ("six thirty", "noon"), 2 for what is a time ("6 pm")."""
    written: bool = False
    """Two digits and a colon: "10:30", which the canonical form means as 24 hours."""


def clock(words: Sequence[str], at: int) -> tuple[Clock, int] | None:
    """A time of the day without its "at": "six", "6:30 pm", "half past seven", "ten to five", "eighteen hundred"."""
    return _relative(words, at) or _named(words, at) or _written(words, at) or _counted(words, at)


def _named(words: Sequence[str], at: int) -> tuple[Clock, int] | None:
    at += word_at(words, at) in {"twelve", "12"} and word_at(words, at + 1) in _NAMED
    hour = _NAMED.get(word_at(words, at))
    return None if hour is None else (Clock(hour, 0, "24", 1), at + 1)


def _relative(words: Sequence[str], at: int) -> tuple[Clock, int] | None:
    """ "half past seven", "a quarter to six", "ten minutes after four", "half seven"."""
    start = at + (word_at(words, at) == "a")
    named = {"half": 30, "quarter": 15}.get(word_at(words, start))
    minutes, after = (named, start + 1) if named else number(words, at) or (0, at)
    said_minutes = word_at(words, after) in {"minute", "minutes"}
    after += said_minutes
    relation = word_at(words, after)
    if not 0 < minutes < 60:
        return None
    if named == 30 and (half := _counted(words, after)) and half[0].weight == 0 and half[0].hour in range(1, 13):
        return half[0]._replace(minute=30, weight=1), half[1]
    if not (relation in _PAST or (relation in _TO and named != 30) or (relation == "of" and named == 15)):
        return None
    hour = _named(words, after + 1) or _written(words, after + 1) or _counted(words, after + 1)
    if hour is None or hour[0].minute:
        return None
    base = hour[0]
    moment = base.hour * 60 + (minutes if relation in _PAST else -minutes)
    hours, minute = divmod(moment, 60)
    half_of_day, wrap = base.half, 12 if base.half == "" else 24
    if base.half in {"am", "pm"}:  # "ten to twelve pm" stands in the morning
        hours, half_of_day, wrap = hours + _shift(base), "24", 24
    hours %= wrap
    weight = 2 if named or said_minutes or base.weight == 2 else 1
    return Clock(hours if half_of_day else hours or 12, minute, half_of_day, weight), hour[1]


def _shift(said: Clock) -> int:
    """What to add to an hour of a.m. or p.m. for the hour of the day."""
    return {"am": -12 if said.hour == 12 else 0, "pm": 0 if said.hour == 12 else 12}.get(said.half, 0)


def _written(words: Sequence[str], at: int) -> tuple[Clock, int] | None:
    """ "18:30", "6.30", "6pm", "630pm"."""
    word = word_at(words, at)
    if found := _WRITTEN_CLOCK.fullmatch(word):
        said, separator, minute, half = found.groups()
        weight = 2 if separator == ":" or half else 1
        return _ended(words, at + 1, said, int(minute), half, weight)
    if found := _GLUED_CLOCK.fullmatch(word):
        return _ended(words, at + 1, found.group(1), int(found.group(2) or 0), found.group(3), 2)
    return None


def _counted(words: Sequence[str], at: int) -> tuple[Clock, int] | None:
    """An hour in words or digits and the minutes after it."""
    said = word_at(words, at)
    if said.isdecimal() and said.isascii() and len(said) in {3, 4}:
        if len(said) == 4 and word_at(words, at + 1) == "hours":
            return _ended(words, at + 2, said[:-2], int(said[-2:]), "24", 2)
        after, half = _half_of_day(words, at + 1)
        if half or (len(said) == 4 and word_at(words, after) not in MEASURES):
            return _ended(words, at + 1, said[:-2], int(said[-2:]), None if half else "24", 1)
        return None
    zero = said in {"oh", "zero"} and word_at(words, at + 1) in SMALL
    read = number(words, at + zero, hundreds=False)
    if read is None or read[0] > 23:
        return None
    hour, after = read
    text = f"{'0' if zero or (said.startswith('0') and said != '0') else ''}{hour}"
    if word_at(words, after) == "hundred":
        hours = word_at(words, after + 1) == "hours"
        sure = hours or len(text) == 2  # "eighteen hundred", "oh six hundred"; two hundred is a number
        return _ended(words, after + 1 + hours, text, 0, "24", 1 + hours) if sure else None
    minute, after = _minutes(words, after)
    return _ended(words, after, text, minute or 0, None, 0 if minute is None else 1)


def _minutes(words: Sequence[str], at: int) -> tuple[int | None, int]:
    """ "thirty", "oh five", "05" after an hour; nothing when the number counts something else."""
    zero = word_at(words, at) in {"oh", "o", "zero"}
    read = number(words, at + zero, hundreds=False)
    if read is None or word_at(words, read[1]) in MEASURES:
        return None, at
    minute, after = read
    digits = word_at(words, at)
    fits = minute < 10 if zero else len(digits) == 2 if digits.isdecimal() else minute >= 10
    return (minute, after) if fits and minute < 60 else (None, at)


def _half_of_day(words: Sequence[str], at: int) -> tuple[int, Literal["am", "pm"] | None]:
    """ "pm", or "p m" where the dots were taken off."""
    if word_at(words, at) in {"am", "pm"}:
        return at + 1, "am" if words[at] == "am" else "pm"
    if word_at(words, at) in {"a", "p"} and word_at(words, at + 1) == "m":
        return at + 2, "am" if words[at] == "a" else "pm"
    return at, None


def _ended(
    words: Sequence[str], at: int, hour: str, minute: int, half: str | None, weight: int
) -> tuple[Clock, int] | None:
    """The clock with what follows it ("o'clock", "p.m."), or None when there is no such time."""
    written = word_at(words, at - 1)[2:3] == ":"
    oclock = word_at(words, at) in {"o'clock", "oclock"} or (
        word_at(words, at) == "o" and word_at(words, at + 1) == "clock"
    )
    at += (1 + (words[at] == "o")) if oclock else 0
    after, said = _half_of_day(words, at)
    value = int(hour)
    if half == "24" or value > 12 or hour.startswith("0"):
        kind: Literal["", "am", "pm", "24"] = "24"
        after = after if said and value % 12 else at
    else:
        kind = "am" if (half or said) == "am" else "pm" if (half or said) == "pm" else ""
    if value > 23 or minute > 59 or (kind in {"am", "pm"} and value > 12):
        return None
    strong = oclock or kind in {"am", "pm"}
    return Clock(value, minute, kind, 2 if strong else weight, written), after

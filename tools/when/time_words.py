"""English words of time: tokens, numbers and durations ("an hour and a half"). Pure.

Every reader looks at ``words[at]`` and what follows, and gives what it read with the index after it, or None. None of
them searches, so the time taken is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

_TOKEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])"  # a date
    r"|[0-9]+(?:[:.][0-9]+)*(?:\.?[ap]\.m\b\.?|[^\W_]*)"  # 18:30, 6:30pm, 6p.m., 5min, 3d
    r"|\b[ap]\. ?m\b\.?"  # p.m.
    r"|[^\W\d_]+(?:['’][^\W\d_]+)*"  # words, o'clock
    r"|[%°@]",
    re.IGNORECASE,
)
_HALF_OF_DAY = re.compile(r"([ap])\.? ?m\.?$")
_GLUED = re.compile(r"(?:([0-9]{1,3})(h|hr|hrs))?(?:([0-9]{1,4})(m|min|mins))?(?:([0-9]{1,5})(s|sec|secs))?")

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
UNIT_SECONDS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "minute's"), _MINUTE),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "hour's"), _HOUR),
    **dict.fromkeys(("day", "days", "day's"), _DAY),
    **dict.fromkeys(("week", "weeks", "week's"), 7 * _DAY),
    **dict.fromkeys(("fortnight", "fortnights"), 14 * _DAY),
}
_UNIT_NAMES = ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes"), (1, "seconds"))

LONGEST_S = 366 * _DAY
"""A longer wait than a leap year is a mishearing."""

MEASURES = frozenset(UNIT_SECONDS) | {
    "%", "°", "percent", "per", "degree", "degrees", "celsius", "fahrenheit", "kelvin", "watt", "watts", "volt",
    "volts", "lumen", "lumens", "times", "point", "points", "x", "by", "people", "persons", "dollars", "euros",
    "pounds", "megabytes", "gigabytes", "terabytes", "meters", "metres", "kilometers", "miles", "or", "of", "past",
    "hundred", "thousand", "million",
}  # fmt: skip
"""A number before one of these counts something: it is no hour of the day."""

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
SMALL = {word: value for value, word in enumerate(_UNITS.split())}
"""zero to nineteen."""

_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TENS = {word: 10 * value for value, word in enumerate(_TENS, start=2)}


class Token(NamedTuple):
    """A word in lower case, and where it stands in the text."""

    word: str
    start: int
    end: int


class Duration(NamedTuple):
    """Seconds, and how to say them: ``amount`` of ``unit`` ("minutes")."""

    seconds: int
    amount: int
    unit: str


def tokens(text: str) -> list[Token]:
    """The words of a text, raw or normalized; "p.m.", "P.M" and "pm" are one."""
    return [Token(_plain(found.group()), found.start(), found.end()) for found in _TOKEN.finditer(text)]


def _plain(word: str) -> str:
    word = word.lower().replace("’", "'")
    return _HALF_OF_DAY.sub(r"\1m", word) if word[-1] in "m." and "." in word else word


def word_at(words: Sequence[str], at: int) -> str:
    """The word there, or an empty one outside the text."""
    return words[at] if 0 <= at < len(words) else ""


def number(words: Sequence[str], at: int, *, hundreds: bool = True) -> tuple[int, int] | None:
    """A whole number of at most eight digits; in words below 1000 ("one hundred and five"), or 100 without hundreds."""
    word = word_at(words, at)
    if word.isascii() and word.isdecimal() and len(word) <= 8:
        return int(word), at + 1
    if word in TENS:
        more = SMALL.get(word_at(words, at + 1), 0)
        return (TENS[word] + more, at + 2) if 0 < more < 10 else (TENS[word], at + 1)
    if word not in SMALL:
        return None
    if not hundreds or word_at(words, at + 1) != "hundred" or not 0 < SMALL[word] < 10:
        return SMALL[word], at + 1
    after = at + 2 + (word_at(words, at + 2) == "and")
    more_than = number(words, after, hundreds=False) if word_at(words, after).isalpha() else None
    return (100 * SMALL[word] + more_than[0], more_than[1]) if more_than else (100 * SMALL[word], at + 2)


def duration(words: Sequence[str], at: int) -> tuple[Duration, int] | None:
    """ "ten minutes", "an hour and a half", "2 hours 5 minutes", "90s"; None for nothing, and beyond LONGEST_S."""
    part = _part(words, at)
    if part is None:
        return None
    total, smallest, at = part
    while (part := _part(words, at + (word_at(words, at) == "and"))) and part[1] < smallest:
        total, smallest, at = total + part[0], part[1], part[2]
    if total.denominator != 1 or not 0 < total <= LONGEST_S:
        return None
    return _said(int(total), smallest), at


def _said(seconds: int, smallest: int) -> Duration:
    size, name = next((size, name) for size, name in _UNIT_NAMES if size <= smallest and seconds % size == 0)
    return Duration(seconds, seconds // size, name)


def _glued(words: Sequence[str], at: int) -> tuple[Fraction, int, int] | None:
    """ "5min", "1h30m"."""
    found = _GLUED.fullmatch(word_at(words, at))
    if found is None or not found.group():
        return None
    hours, minutes, seconds = (int(found.group(group) or 0) for group in (1, 3, 5))
    smallest = 1 if found.group(5) else _MINUTE if found.group(3) else _HOUR
    return Fraction(hours * _HOUR + minutes * _MINUTE + seconds), smallest, at + 1


def _part(words: Sequence[str], at: int) -> tuple[Fraction, int, int] | None:
    """Seconds and unit of one amount, with the "and a half" before or after the unit, and the index after it."""
    if glued := _glued(words, at):
        return glued
    if (read := _amount(words, at)) is None:
        return None
    amount, at = read
    more, at = _and_a_half(words, at)
    unit = UNIT_SECONDS.get(word_at(words, at))
    if unit is None:
        return None
    if not more:
        more, at = _and_a_half(words, at + 1)
        return (amount + more) * unit, unit, at
    return (amount + more) * unit, unit, at + 1


def _and_a_half(words: Sequence[str], at: int) -> tuple[Fraction, int]:
    if word_at(words, at) == "and" and word_at(words, at + 1) == "a":
        share = {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}.get(word_at(words, at + 2))
        if share is not None and word_at(words, at + 3) not in {"a", "an", "of"}:
            return share, at + 3
    return Fraction(0), at


def _amount(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    word = word_at(words, at)
    share_at = at + (word in {"a", "an", "one"})
    share = word_at(words, share_at)
    if share == "couple":
        return Fraction(2), share_at + 1 + (word_at(words, share_at + 1) == "of")
    if share in {"half", "quarter"} or (word == "three" and word_at(words, at + 1) == "quarters"):
        share_at += share == "three"
        after = share_at + 1 + (word_at(words, share_at + 1) == "of")
        after += word_at(words, after) in {"a", "an"}
        return {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}.get(share, Fraction(3, 4)), after
    if word in {"a", "an"}:
        return Fraction(1), at + 1
    if re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,3}", word):
        return Fraction(word), at + 1
    whole = number(words, at)
    return whole and (Fraction(whole[0]), whole[1])

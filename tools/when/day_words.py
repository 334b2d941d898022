"""Days as people name them: "the day after tomorrow", "next week on monday", "on june third". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tools.when.canonical_time import WEEKDAYS
from tools.when.time_words import TENS, number, word_at

_NUMBERS = {name: at for at, name in enumerate(WEEKDAYS)}
_SHORT = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
)  # fmt: skip
_ORDINAL = {word: value for value, word in enumerate(_ORDINALS, start=1)}
_WRITTEN_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DIGIT_ORDINAL = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)")


class Day(NamedTuple):
    """A day that is named once."""

    kind: Literal["ahead", "weekday", "next week", "day of month", "next month", "day of year", "date"]
    number: int = 0
    """Days ahead, weekday from Monday as 0, or day of the month."""
    month: int = 0
    year: int = 0


def ordinal(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """ "fifteenth", "twenty first", "3rd": 1 to 31."""
    word = word_at(words, at)
    if found := _DIGIT_ORDINAL.fullmatch(word):
        value, after = int(found.group(1)), at + 1
    elif word in _ORDINAL:
        value, after = _ORDINAL[word], at + 1
    elif word in {"twenty", "thirty"} and 0 < (unit := _ORDINAL.get(word_at(words, at + 1), 0)) < 10:
        value, after = TENS[word] + unit, at + 2
    else:
        value, after = {"twentieth": 20, "thirtieth": 30}.get(word, 0), at + 1
    return (value, after) if 1 <= value <= 31 else None


def day_phrase(words: Sequence[str], at: int, *, short: bool = False) -> tuple[Day, int, bool] | None:
    """A day, the index after it, and whether it is one even when it stands alone. ``short``: "fri" is a weekday too."""
    word, on = word_at(words, at), word_at(words, at) == "on"
    if word in {"today", "tomorrow"}:
        return Day("ahead", int(word == "tomorrow")), at + 1, word == "tomorrow"
    if word == "at" and tuple(words[at + 1 : at + 3]) == ("the", "weekend"):
        return Day("weekday", WEEKDAYS.index("saturday")), at + 3, True
    if word == "next" and word_at(words, at + 1) == "month":
        the = at + 2 + (word_at(words, at + 2) == "on")
        read = ordinal(words, the + (word_at(words, the) == "the"))
        return (Day("next month", read[0]), read[1], True) if read else None
    after_the = at + (word == "the")
    if tuple(words[after_the : after_the + 3]) == ("day", "after", "tomorrow"):
        return Day("ahead", 2), after_the + 3, True
    return _weekday_phrase(words, at + on, on, short) or _date_phrase(words, at + on, on)


def _weekday_phrase(words: Sequence[str], at: int, on: bool, short: bool) -> tuple[Day, int, bool] | None:
    if word_at(words, at) == "next" and word_at(words, at + 1) == "week":
        after = at + 2 + (word_at(words, at + 2) == "on")
        number = weekday(words, after, short=short)
        return None if number is None else (Day("next week", number), after + 1, True)
    on = on or word_at(words, at - 1) in {"for", "me", "us"}  # "a reminder for friday", "remind me friday"
    if on and tuple(words[at : at + 2]) in {("the", "weekend"), ("this", "weekend")}:
        return Day("weekday", WEEKDAYS.index("saturday")), at + 2, True
    led = word_at(words, at) in {"next", "this", "coming"}
    number = weekday(words, at + led, short=short)
    if number is None:
        return None
    after = at + led + 1
    if tuple(words[after : after + 2]) == ("next", "week"):
        return Day("next week", number), after + 2, True
    return Day("weekday", number), after, on or led


def weekday(words: Sequence[str], at: int, *, short: bool) -> int | None:
    """0 for monday; ``short``: "mon" too."""
    word = word_at(words, at)
    return _NUMBERS.get(word, _SHORT.get(word) if short else None)


def _date_phrase(words: Sequence[str], at: int, on: bool) -> tuple[Day, int, bool] | None:
    if written := _WRITTEN_DATE.fullmatch(word_at(words, at)):
        year, month, day = map(int, written.groups())
        return Day("date", day, month, year), at + 1, on
    if word_at(words, at) in _MONTHS:
        month, read = _MONTHS.index(words[at]) + 1, _day_number(words, at + 1 + (word_at(words, at + 1) == "the"))
        return read and _with_year(words, month, read, on)
    start = at + (word_at(words, at) == "the")
    if (read := _day_number(words, start)) is None:
        return None
    day, after = read
    after += word_at(words, after) == "of"
    if word_at(words, after) in _MONTHS and (on or after > read[1] or ordinal(words, start)):
        return _with_year(words, _MONTHS.index(words[after]) + 1, (day, after + 1), on)
    if not on or ordinal(words, start) is None:
        return None
    if tuple(words[after : after + 2]) in {("the", "month"), ("this", "month"), ("next", "month")} and after > read[1]:
        return Day("next month" if words[after] == "next" else "day of month", day), after + 2, True
    alone = word_at(words, read[1]) in {"", "at", "in", "to"} and (start > at or day > 3)
    return (Day("day of month", day), read[1], True) if alone else None


def _day_number(words: Sequence[str], at: int) -> tuple[int, int] | None:
    return ordinal(words, at) or number(words, at, hundreds=False)


def _with_year(words: Sequence[str], month: int, read: tuple[int, int], on: bool) -> tuple[Day, int, bool] | None:
    day, after = read
    year = word_at(words, after)
    if len(year) == 4 and year.isascii() and year.isdecimal() and year.startswith("20"):
        return Day("date", day, month, int(year)), after + 1, on
    return (Day("day of year", day, month), after, on) if 1 <= day <= 31 else None

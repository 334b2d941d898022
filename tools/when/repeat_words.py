"""How things come again, as people say it: "every weekday", "nightly", "on the first of every month". Pure.

A recurrence that has no canonical form ("every other day", "on monday and thursday") is read as UNSAYABLE, so that it
is not taken for the part of it that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tools.when.canonical_time import WEEKDAYS
from tools.when.day_words import ordinal, weekday
from tools.when.time_words import UNIT_SECONDS, Duration, duration, number, word_at

_EVERY = frozenset({"every", "each"})
_PER = frozenset({"a", "an", "per", "every", "each"})
_UNSAYABLE = frozenset({"yearly", "annually", "quarterly", "biweekly", "fortnightly", "biannually"})
_ADVERBS: dict[str, tuple[str, int]] = {
    "daily": ("day", 0), "everyday": ("day", 0), "nightly": ("night", 0), "weekly": ("week", 0),
    "monthly": ("month", 0), "hourly": ("wait", 3600),
}  # fmt: skip
_OWNED = frozenset({"the", "my", "our", "your", "this", "that", "last", "latest", "a"})
_NOUNS = frozenset(
    {"backup", "backups", "back", "job", "jobs", "report", "reports", "check", "checks", "test", "tests", "restore",
     "snapshot", "snapshots", "summary", "digest", "task", "tasks", "schedule", "builds"}
)  # fmt: skip
_EXCEPT = frozenset({"except", "excluding", "but"})
_DETERMINERS = frozenset({"the", "my", "our", "all", "every", "that", "this", "a", "an"})
_SETTING_UP = frozenset({"schedule", "plan", "set", "setup", "create", "add"})


class Repeat(NamedTuple):
    """Days that come again. ``number``: the weekday or day of the month, -1 when it was not said."""

    kind: Literal[
        "day", "night", "noon", "midnight", "weekday", "weekdays", "weekend", "week", "month", "wait", "unsayable"
    ]
    number: int = -1
    wait: Duration | None = None


UNSAYABLE = Repeat("unsayable")


def repeat_phrase(words: Sequence[str], at: int) -> tuple[Repeat, int, bool] | None:
    """A recurrence, the index after it, and whether it is one even when it stands alone."""
    word = word_at(words, at)
    if word in _UNSAYABLE:
        return (UNSAYABLE, at + 1, True) if _is_adverb(words, at) else None
    if word in _ADVERBS:
        kind, seconds = _ADVERBS[word]
        return _with_day(words, _repeat(kind, seconds), at + 1) if _is_adverb(words, at) else None
    if word in _EVERY:
        read = _every(words, at + 1)
        return (UNSAYABLE, read[1], True) if read and word_at(words, read[1]) in _EXCEPT else read
    times = {"once": 1, "twice": 2}.get(word, 0)
    after = at + 1
    if not times and (counted := number(words, at)) and word_at(words, counted[1]) == "times":
        times, after = counted[0] + 1, counted[1] + 1
    if (
        times
        and word_at(words, after) in _PER
        and word_at(words, after + 1) in {"hour", "day", "week", "month", "year"}
    ):
        unit = words[after + 1]
        repeat = UNSAYABLE if times > 1 or unit == "year" else _repeat("wait" if unit == "hour" else unit, 3600)
        return _with_day(words, repeat, after + 2)
    if times == 1 and word_at(words, after) in _ADVERBS:
        kind, seconds = _ADVERBS[words[after]]
        return _with_day(words, _repeat(kind, seconds), after + 1)
    return _monday_to_friday(words, at) or _plural_days(words, at) or _day_of_every_month(words, at)


def _repeat(kind: str, seconds: int) -> Repeat:
    match kind:
        case "wait":
            return Repeat("wait", wait=Duration(seconds, 1, "hours"))
        case "night":
            return Repeat("night")
        case "week":
            return Repeat("week")
        case "month":
            return Repeat("month")
        case _:
            return Repeat("day")


def _is_adverb(words: Sequence[str], at: int) -> bool:
    """Not the adjective of "run the nightly backup", though "schedule a nightly backup" says when."""
    before, after = word_at(words, at - 1), word_at(words, at + 1)
    object_at = at + 2 + (word_at(words, at + 2) == "up")
    noun = after in _NOUNS and word_at(words, object_at) not in _DETERMINERS  # "weekly check the backups": a verb
    if before == "a" or (before not in _OWNED and noun):
        return not _SETTING_UP.isdisjoint(words[:at])
    return before not in _OWNED


def _with_day(words: Sequence[str], repeat: Repeat, at: int) -> tuple[Repeat, int, bool]:
    """ "monthly on the fifteenth", "weekly on sunday"."""
    start = at + (word_at(words, at) == "on")
    start += word_at(words, start) == "the"
    if repeat.kind == "month":
        if word_at(words, start) == "last":
            return UNSAYABLE, start + 1, True
        if read := ordinal(words, start) or _day_and_number(words, start):
            return _monthly(words, read)
    named = weekday(words, start, short=True)
    if repeat.kind == "week" and named is not None:
        return _only(words, Repeat("weekday", named), start + 1)
    return repeat, at, True


def _day_and_number(words: Sequence[str], at: int) -> tuple[int, int] | None:
    read = number(words, at + 1, hundreds=False) if word_at(words, at) == "day" else None
    return read if read and 1 <= read[0] <= 31 else None


def _monthly(words: Sequence[str], read: tuple[int, int]) -> tuple[Repeat, int, bool]:
    """A day of the month, unless what follows makes it "the first sunday"."""
    day, after = read
    if weekday(words, after, short=True) is not None or word_at(words, after) in {"weekday", "weekend"}:
        return UNSAYABLE, after + 1, True
    return Repeat("month", day), after + (word_at(words, after) == "day"), True


def _every(words: Sequence[str], at: int) -> tuple[Repeat, int, bool] | None:
    word = word_at(words, at)
    if word == "single":
        at, word = at + 1, word_at(words, at + 1)
    two = f"{word} {word_at(words, at + 1)}"
    if two in {"week day", "work day"}:
        return Repeat("weekdays"), at + 2, True
    if word in {"morning", "afternoon", "evening"}:
        return Repeat("day"), at, True  # the part of the day is a piece of its own
    simple: dict[str, Repeat] = {
        "day": Repeat("day"), "night": Repeat("night"), "noon": Repeat("noon"), "midnight": Repeat("midnight"),
        "weekday": Repeat("weekdays"), "workday": Repeat("weekdays"), "weekend": Repeat("weekend"),
        "week": Repeat("week"), "month": Repeat("month"), "year": UNSAYABLE, "other": UNSAYABLE, "few": UNSAYABLE,
        "second": UNSAYABLE,
    }  # fmt: skip
    if word in simple:
        return _with_day(words, simple[word], at + 1)
    if span := _monday_to_friday(words, at):
        return span
    named = weekday(words, at, short=True)
    if named is not None:
        return _only(words, Repeat("weekday", named), at + 1)
    if word in UNIT_SECONDS:
        return Repeat("wait", wait=Duration(UNIT_SECONDS[word], 1, f"{word}s")), at + 1, True
    if word not in {"a", "an", "one"} and (read := duration(words, at)):
        return Repeat("wait", wait=read[0]), read[1], True
    if read_day := ordinal(words, at):
        if word_at(words, read_day[1]) in {*UNIT_SECONDS, "night", "morning", "month"}:
            return UNSAYABLE, read_day[1] + 1, True
        repeat, after, firm = _monthly(words, read_day)
        return repeat, after + 3 * (tuple(words[after : after + 3]) == ("of", "the", "month")), firm
    return None


def _only(words: Sequence[str], repeat: Repeat, at: int) -> tuple[Repeat, int, bool]:
    """One weekday; "monday and thursday" has no canonical form."""
    more = at + (word_at(words, at) in {"and", "or"})
    more += word_at(words, more) in {"every", "on"} and more > at
    if weekday(words, more, short=False) is not None or word_at(words, more) in _PLURALS:
        return UNSAYABLE, more + 1, True
    return repeat, at, True


_PLURALS: dict[str, Repeat] = {
    "weekdays": Repeat("weekdays"), "workdays": Repeat("weekdays"), "weekends": Repeat("weekend"),
    **{f"{name}s": Repeat("weekday", at) for at, name in enumerate(WEEKDAYS)},
}  # fmt: skip


def _monday_to_friday(words: Sequence[str], at: int) -> tuple[Repeat, int, bool] | None:
    """The working week; other spans of days have no canonical form. Alone it may bound anything ("photos from …")."""
    start = at + (word_at(words, at) == "from")
    first, last = weekday(words, start, short=False), weekday(words, start + 2, short=False)
    if first is None or last is None or word_at(words, start + 1) not in {"to", "till", "until", "through"}:
        return None
    return (Repeat("weekdays") if (first, last) == (0, 4) else UNSAYABLE), start + 3, False


def _plural_days(words: Sequence[str], at: int) -> tuple[Repeat, int, bool] | None:
    """ "on mondays", "at weekends"."""
    led = word_at(words, at) in {"on", "at"}
    repeat = _PLURALS.get(word_at(words, at + led))
    if repeat is None:
        return None
    read = _only(words, repeat, at + led + 1) if repeat.kind == "weekday" else (repeat, at + led + 1, True)
    return read[0], read[1], led


def _day_of_every_month(words: Sequence[str], at: int) -> tuple[Repeat, int, bool] | None:
    """ "on the first of every month", "on day 15 of each month"."""
    start = at + (word_at(words, at) == "on")
    start += word_at(words, start) == "the"
    last = word_at(words, start) == "last"
    read = (0, start + 1) if last else ordinal(words, start) or _day_and_number(words, start)
    if read is None:
        return None
    day, after = read
    named = weekday(words, after, short=False) is not None
    after += named or word_at(words, after) == "day"
    if tuple(words[after : after + 2]) not in {("of", "every"), ("of", "each"), ("of", "the")}:
        return None
    if word_at(words, after + 2) != "month" or (words[after + 1] == "the" and not (last or named)):
        return None
    return UNSAYABLE if last or named else Repeat("month", day), after + 3, True

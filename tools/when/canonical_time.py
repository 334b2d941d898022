"""The canonical ways of saying when, what they mean, and when that is next. Pure.

============================================  ============================================================
``in 10 minutes`` (seconds, hours, days)      once, so much later; a day is 24 hours
``at 18:00``                                  once, the next time the clock shows it
``tomorrow at 18:00``                         once, on the day after today
``on friday at 18:00``                        once, on the next friday on which it is still to come
``on 2026-12-24 at 18:00``                    once
``every 20 minutes`` (hours)                  again and again, first after that time
``every day at 18:00``                        again and again; also ``weekday`` (Monday to Friday), ``weekend``
                                              (Saturday and Sunday) or one day of the week: ``every sunday``
``monthly on day 15`` (``at 18:00``)          every month; in a shorter one on its last day; without a time at 09:00
============================================  ============================================================
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from tools.when.time_words import LONGEST_S, UNIT_SECONDS

DEFAULT_TIME = time(9)
"""When a day was named without a time."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""In the order of ``date.weekday()``."""

_DAYS = {
    "day": range(7),
    "weekday": range(5),
    "weekend": range(5, 7),
    **{name: range(number, number + 1) for number, name in enumerate(WEEKDAYS)},
}
_FORM = re.compile(
    r"(?P<how>in|every) (?P<amount>[0-9]{1,8}) (?P<unit>second|minute|hour|day)s?"
    r"|(?P<lead>at|tomorrow at|(?:on|every) (?P<day>[a-z]+) at|on (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}) at)"
    r" (?P<clock>[0-9]{1,2}:[0-9]{2})"
    r"|monthly on day (?P<month_day>[0-9]{1,2})(?: at (?P<month_clock>[0-9]{1,2}:[0-9]{2}))?"
)


class Meaning(NamedTuple):
    """What a canonical form says, for comparing: equal meanings are equal tuples."""

    kind: str
    """``in``, ``every``, ``at``, ``tomorrow``, ``on``, ``date``, ``days``, ``month``."""
    clock: time = DEFAULT_TIME
    seconds: int = 0
    days: tuple[int, ...] = ()
    on: date = date.min
    month_day: int = 0


def meaning_of(canonical: str) -> Meaning | None:
    """What a canonical form means; None for any other text."""
    found = _FORM.fullmatch(canonical)
    if found is None:
        return None
    if found["how"]:
        return _wait(found["how"], int(found["amount"]), found["unit"])
    clock = _clock(found["clock"] or found["month_clock"])
    if clock is None:
        return None
    if found["month_day"]:
        day = int(found["month_day"])
        return Meaning("month", clock, month_day=day) if 1 <= day <= 31 else None
    if found["date"]:
        on = _date(found["date"])
        return Meaning("date", clock, on=on) if on else None
    if found["day"]:
        return _on_days(found["lead"].startswith("every"), found["day"], clock)
    return Meaning("at" if found["lead"] == "at" else "tomorrow", clock)


def _wait(how: str, amount: int, unit: str) -> Meaning | None:
    seconds = amount * UNIT_SECONDS[unit]
    fits = 0 < seconds <= LONGEST_S and (how == "in" or unit in {"minute", "hour"})
    return Meaning(how, seconds=seconds) if fits else None


def _on_days(every: bool, name: str, clock: time) -> Meaning | None:
    if name not in _DAYS or not (every or name in WEEKDAYS):
        return None
    return Meaning("days" if every else "on", clock, days=tuple(_DAYS[name]))


def _clock(text: str | None) -> time | None:
    if text is None:
        return DEFAULT_TIME
    hour, minute = map(int, text.split(":"))
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _date(text: str) -> date | None:
    """``2026-12-24``, when there is such a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_recurring(canonical: str) -> bool:
    """Whether a canonical form means more than one time."""
    return canonical.startswith(("every ", "monthly "))


def next_time(canonical: str, now: datetime) -> datetime:
    """The first moment after ``now`` that a canonical form means; aware of its time zone when ``now`` is.

    Waits ("in", "every 20 minutes") are elapsed time; all others are what the clock on the wall shows. A time that the
    change to summer time skips comes an hour later by the clock; one that comes twice in autumn counts once.
    Raises ValueError when the text is no canonical form, and for a date that has passed.
    """
    meaning = meaning_of(canonical)
    if meaning is None:
        raise ValueError(f"{canonical!r} is no canonical time")
    if meaning.seconds:
        return _later(now, timedelta(seconds=meaning.seconds))
    today = now.date()
    if meaning.kind == "date":
        days = [meaning.on]
    elif meaning.kind == "tomorrow":
        days = [today + timedelta(days=1)]
    elif meaning.kind == "month":
        days = [_month_day(today, months, meaning.month_day) for months in range(3)]
    else:
        week = [today + timedelta(days=ahead) for ahead in range(9)]
        days = [day for day in week if not meaning.days or day.weekday() in meaning.days]
    for day in days:
        moment = _on_the_wall(datetime.combine(day, meaning.clock, now.tzinfo))
        if _is_after(moment, now):
            return moment
    raise ValueError(f"{canonical!r} has passed")


def _later(now: datetime, wait: timedelta) -> datetime:
    return now + wait if now.tzinfo is None else (now.astimezone(UTC) + wait).astimezone(now.tzinfo)


def _on_the_wall(moment: datetime) -> datetime:
    """The moment as a clock shows it, which a skipped time is not until it has been there and back."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).astimezone(moment.tzinfo)


def _is_after(moment: datetime, now: datetime) -> bool:
    """By elapsed time: aware datetimes of one zone are compared by the wall, where an hour may come twice."""
    return moment > now if now.tzinfo is None else moment.astimezone(UTC) > now.astimezone(UTC)


def _month_day(today: date, months: int, day: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))

"""What was said about a time → its canonical form. Pure; the defaults are told in ``tools.when``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tools.when.canonical_time import DEFAULT_TIME, WEEKDAYS, next_time
from tools.when.clock_words import Clock
from tools.when.day_words import Day
from tools.when.repeat_words import Repeat
from tools.when.time_pieces import Part
from tools.when.time_words import LONGEST_S, Duration

PART_TIMES = {"morning": DEFAULT_TIME, "afternoon": time(15), "evening": time(19), "night": time(21)}
"""When a part of the day was named without an hour."""

NIGHT_TIME = time(3)
"""When "every night" is, for what is done while nobody is up."""

_ONE_DAY = timedelta(days=1)
_LONGEST = timedelta(seconds=LONGEST_S)
_SMALL_HOURS = time(6)


@dataclass(frozen=True, slots=True)
class Said:
    """The pieces of a time. ``night``, ``waking``: what the bare hours of what recurs mean; ``whole``: said alone."""

    clock: Clock | None = None
    part: Part | None = None
    day: Day | None = None
    repeat: Repeat | None = None
    wait: Duration | None = None
    night: bool = False
    waking: bool = False
    whole: bool = False


def canonical(said: Said, now: datetime) -> str | None:
    """The canonical form, or None when there is no such time."""
    wall = now.replace(tzinfo=None, fold=0)
    if said.repeat:
        return _again(said, said.repeat)
    if said.wait:
        if not (said.clock or said.part):
            return f"in {_amount(said.wait)}"
        return _on_date(wall.date() + timedelta(days=said.wait.amount), said, wall)
    if said.day is None:
        return f"at {_next_clock(said, wall):%H:%M}" if said.clock or said.part else None
    return _on_day(said, said.day, wall)


def _amount(wait: Duration) -> str:
    return f"{wait.amount} {wait.unit if wait.amount != 1 else wait.unit.removesuffix('s')}"


def _again(said: Said, repeat: Repeat) -> str | None:
    if repeat.kind == "wait":
        return _every_so_often(said, repeat.wait)
    number = repeat.number
    if said.day is not None:
        number = said.day.number
    at = f" at {_clock_of(said):%H:%M}"
    match repeat.kind:
        case "month":
            if not (said.clock or said.part):
                at = ""
            day = max(number, 1)
            return f"monthly on day {day}{at}" if day <= 31 else None
        case "weekday" | "week":
            number = max(number, 0)
            return f"every {WEEKDAYS[(number + _into_next_day(said)) % 7]}{at}"
        case "weekdays" | "weekend":
            return None if _into_next_day(said) else f"every {repeat.kind.removesuffix('s')}{at}"
        case _:
            return f"every day{at}"


def _every_so_often(said: Said, wait: Duration | None) -> str | None:
    if wait is None or said.clock or said.part or said.day or wait.seconds % 60:
        return None
    if wait.seconds % 3600 == 0 and wait.unit in {"hours", "days"}:
        hours = wait.seconds // 3600
        return f"every {hours} hour{'s' * (hours != 1)}"
    minutes = wait.seconds // 60
    return f"every {minutes} minute{'s' * (minutes != 1)}"


def _on_day(said: Said, day: Day, wall: datetime) -> str | None:
    today = wall.date()
    clock = _clock_of(said)
    match day.kind:
        case "ahead" if day.number == 0:
            return _today(said, wall)
        case "ahead" if day.number == 1 and not _into_next_day(said):
            return f"tomorrow at {clock:%H:%M}"
        case "weekday" if not _into_next_day(said):
            return f"on {WEEKDAYS[day.number]} at {clock:%H:%M}"
        case "weekday":
            return f"on {WEEKDAYS[(day.number + 1) % 7]} at {clock:%H:%M}"
        case _:
            on = _date_of(day, today, wall, clock)
            return _on_date(on, said, wall) if on else None


def _date_of(day: Day, today: date, wall: datetime, clock: time) -> date | None:
    match day.kind:
        case "ahead":
            return today + day.number * _ONE_DAY
        case "next week":
            return today + (7 - today.weekday() + day.number) * _ONE_DAY
        case "date":
            return _existing(day.year, day.month, day.number)
        case "next month":
            return _existing(today.year + today.month // 12, today.month % 12 + 1, day.number)
        case "day of month":
            months = [divmod(today.year * 12 + today.month - 1 + ahead, 12) for ahead in range(3)]
            dates = [_existing(year, month + 1, day.number) for year, month in months]
        case _:
            dates = [_existing(today.year + ahead, day.month, day.number) for ahead in range(2)]
    return next((on for on in dates if on and datetime.combine(on, clock) > wall), None)


def _existing(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _on_date(on: date, said: Said, wall: datetime) -> str | None:
    """A date, or tomorrow, unless it has passed or is too far."""
    on += _into_next_day(said) * _ONE_DAY
    moment = datetime.combine(on, _clock_of(said))
    if not wall < moment <= wall + _LONGEST:
        return None
    if said.wait and on == wall.date() + _ONE_DAY:
        return f"tomorrow at {moment:%H:%M}"
    return f"on {on.isoformat()} at {moment:%H:%M}"


def _today(said: Said, wall: datetime) -> str | None:
    """A time that is still to come today; the small hours of "tonight" are tomorrow's. "today" alone is no time."""
    if said.clock is None and said.part is None:
        return None
    clock = _next_clock(said, wall)
    small = clock == time(0) or (said.part is not None and said.part.name == "night" and clock < _SMALL_HOURS)
    passed = datetime.combine(wall.date(), clock) <= wall
    return None if passed and not small else f"at {clock:%H:%M}"


def _next_clock(said: Said, wall: datetime) -> time:
    """The clock time, a bare hour as the next that comes."""
    clock = said.clock
    if clock is None or said.part or not _is_bare(clock, whole=said.whole):
        return _clock_of(said)
    shown = [time(clock.hour % 12 + later, clock.minute) for later in (0, 12)]
    return min(shown, key=lambda time_of_day: next_time(f"at {time_of_day:%H:%M}", wall))


def _is_bare(clock: Clock, *, whole: bool) -> bool:
    """Morning or evening was left open; the canonical "at 10:30" leaves nothing open."""
    return not clock.half and not (clock.written and whole)


def _clock_of(said: Said) -> time:
    """The clock time on a day of its own, with the defaults."""
    clock, repeat = said.clock, said.repeat
    if clock is None:
        return _default(said)
    hour = clock.hour
    if clock.half == "24" or (clock.half == "" and clock.written and said.whole):
        return time(hour, clock.minute)
    if clock.half:
        return time(hour % 12 + 12 * (clock.half == "pm"), clock.minute)
    part = said.part.name if said.part else "night" if repeat and repeat.kind == "night" else ""
    today = said.day is not None and said.day.kind == "ahead" and said.day.number == 0
    return time(_hour(hour, part, said, today=today), clock.minute)


def _hour(hour: int, part: str, said: Said, *, today: bool) -> int:
    """The hour of the day for one of 1 to 12."""
    match part:
        case "morning":
            return hour % 12
        case "afternoon":
            return hour % 12 + 12
        case "evening":
            return (hour + 12) % 24
        case "night":
            return hour % 12 if hour == 12 or hour < 5 or (hour == 5 and not today) else hour + 12
    early = range(1, 12) if said.repeat and said.night else range(4, 12) if said.waking else range(7, 12)
    return hour if hour in early or hour == 12 else hour + 12


def _default(said: Said) -> time:
    kind = said.repeat.kind if said.repeat else ""
    if kind in {"noon", "midnight"}:
        return time(12 if kind == "noon" else 0)
    part = "night" if kind == "night" else said.part.name if said.part else ""
    if part == "night" and said.repeat and said.night:
        return NIGHT_TIME
    return PART_TIMES.get(part, DEFAULT_TIME)


def _into_next_day(said: Said) -> int:
    """1 when the hour is one of the small ones of "friday night", which the calendar calls saturday."""
    night = said.part is not None and said.part.name == "night" and said.part.of_day
    return int(night and said.clock is not None and _clock_of(said) < _SMALL_HOURS)

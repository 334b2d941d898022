"""How often something runs, as crontabs and systemd timers say it, in hours. Pure, and a guess where it has to be."""

from __future__ import annotations

import re

HOUR, DAY, WEEK, MONTH = 1.0, 24.0, 168.0, 744.0

_NAMED = {
    "hourly": HOUR, "daily": DAY, "midnight": DAY, "weekly": WEEK, "monthly": MONTH, "quarterly": 3 * MONTH,
    "yearly": 12 * MONTH, "annually": 12 * MONTH,
}  # fmt: skip
_DAYS = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)", re.IGNORECASE)


def cron_interval_h(fields: str) -> float | None:
    """The longest pause between two runs: of "@daily", or of five fields (crontab(5)); None for what is neither."""
    if fields.startswith("@"):
        return _NAMED.get(fields[1:])
    parts = fields.split()
    if len(parts) != 5:
        return None
    _, hour, day, month, weekday = parts
    if month != "*":
        return 12 * MONTH
    if day not in ("*", "*/1"):
        return _stepped(day, DAY) or MONTH
    if weekday not in ("*", "0-6", "0-7", "1-7"):
        return _of_weekdays(weekday)
    return _hours(hour)


def calendar_interval_h(expression: str) -> float | None:
    """Of ``OnCalendar=`` (systemd.time(7)): "daily", "Mon *-*-* 03:00", "*-*-01 04:00"; None for what is not known."""
    text = expression.strip().lower()
    if text in _NAMED:
        return _NAMED[text]
    if _DAYS.search(text):
        return _of_weekdays(_DAYS.sub(lambda match: match[0], text).split()[0].replace("..", "-"))
    if (date := re.search(r"([*\d]+)-([*\d/,]+)-([*\d/,]+)", text)) is not None:
        if date[2] != "*":
            return 12 * MONTH
        if date[3] != "*":
            return _stepped(date[3], DAY) or MONTH
    clock = re.search(r"([*\d/,]+):[*\d/,]+(:[*\d/,.]+)?\s*$", text)
    return _hours(clock[1]) if clock else None


def span_h(expression: str) -> float | None:
    """Of ``OnUnitActiveSec=``: "1h 30min", "1d", "86400"; None for what is not known."""
    sizes = {"s": 1 / 3600, "sec": 1 / 3600, "m": 1 / 60, "min": 1 / 60, "h": HOUR, "hr": HOUR, "d": DAY, "w": WEEK}
    named = {"day": DAY, "days": DAY, "hour": HOUR, "hours": HOUR, "week": WEEK, "weeks": WEEK, "minutes": 1 / 60}
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", expression.lower())
    found = [float(number) * (sizes | named).get(unit or "s", 0.0) for number, unit in parts]
    return sum(found) or None


def max_age_h(interval_h: float | None) -> float:
    """What is too old for that: an interval, and a tenth of it (at least two hours) for a run that takes its time."""
    interval = DAY if interval_h is None else interval_h
    return round(interval + max(2.0, interval / 10), 1)


def _hours(field: str) -> float:
    if field == "*":
        return HOUR
    times = {int(part) for part in field.split(",") if part.isdecimal()}
    return _stepped(field, HOUR) or (_widest(sorted(times), 24) if len(times) > 1 else DAY)


def _stepped(field: str, unit: float) -> float | None:
    step = re.fullmatch(r"[*\d]+(?:-\d+)?/(\d+)", field)
    return max(int(step[1]), 1) * unit if step else None


def _widest(times: list[int], around: int) -> float:
    return float(max((later - at) % around for at, later in zip(times, times[1:] + times[:1], strict=True)))


def _of_weekdays(field: str) -> float:
    """A week for one day; for several the widest pause between them."""
    order = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    days: set[int] = set()
    for part in field.lower().split(","):
        first, _, last = part.partition("-")
        ends = [order.index(name[:3]) if name[:3] in order else int(name) % 7 for name in (first, last or first)
                if name[:3] in order or name.isdecimal()]  # fmt: skip
        if len(ends) == 2:
            days |= {(ends[0] + step) % 7 for step in range((ends[1] - ends[0]) % 7 + 1)}
    return 24.0 * (_widest(sorted(days), 7) or 7.0) if len(days) > 1 else WEEK

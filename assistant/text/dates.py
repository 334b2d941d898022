"""Dates, times of day and lengths of time → speech. Pure."""

from __future__ import annotations

import re

from assistant.text import words
from assistant.text.rules import NUMBER, Rule, listing, rule
from assistant.text.unit_words import Noun

_YEAR = r"(?:19|20|21)[0-9]{2}"
_CLOCK = r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9]"


def _date(year: str, month: str, day: str) -> str:
    number = int(day)
    ordinal = f"{number}{words.ORDINAL_ENDS.get(number, words.ORDINAL_END)}"
    return words.DATE.format(month=words.MONTHS[int(month) - 1], day=ordinal, year=year)


def _counted(number: str, noun: Noun) -> str:
    return f"{number} {noun.one if number == '1' else noun.many}"


@rule(
    "ISO date and time",
    rf"""(?<![\w./:-]) ({_YEAR}) - (0[1-9]|1[0-2]) - (0[1-9]|[12][0-9]|3[01])
         (?: (?:T|,?[ ]) ([01][0-9]|2[0-4]) : ([0-5][0-9]) (?: :[0-6][0-9](?:[.,][0-9]{{1,9}})? )?
             (?: [ ]? (Z|UTC|[+-][0-9]{{2}}:?[0-9]{{2}}) (?!\w) )? )?
         (?![\w/:-]|\.\w)""",
    re.VERBOSE,
)
def iso(match: re.Match[str]) -> str:
    """Seconds and below are on the screen."""
    year, month, day, hour, minute, zone = match.groups()
    said = _date(year, month, day)
    if hour is None:
        return said
    return f"{said} {words.AT} {_time_of_day(int(hour), int(minute))}{_zone(zone)}"


def _zone(zone: str | None) -> str:
    if zone is None:
        return ""
    if zone in ("Z", "UTC") or not zone.strip("+-0:"):
        return " UTC"
    digits = zone[1:].replace(":", "")
    sign = words.PLUS if zone[0] == "+" else words.MINUS
    return f" UTC {sign} {int(digits[:2])}" + (f":{digits[2:]}" if digits[2:] != "00" else "")


@rule("year and month", rf"(?<![\w./:-])({_YEAR})-(0[1-9]|1[0-2])(?![\w/:-]|\.[\w])")
def year_month(match: re.Match[str]) -> str:
    return f"{words.MONTHS[int(match.group(2)) - 1]} {match.group(1)}"


@rule("date", rf"(?<![\w./:-])([0-9]{{1,2}})([./])([0-9]{{1,2}})\2({_YEAR})(?![\w/:-]|\.[\w])")
def date(match: re.Match[str]) -> str:
    """Day and month only where just one order is possible; else the figures as they stand."""
    first, mark, second, year = match.groups()
    one, two = int(first), int(second)
    if 1 <= two <= 12 and (12 < one <= 31 or one == two):
        return _date(year, second, first)
    if mark == "/" and 1 <= one <= 12 and 12 < two <= 31:
        return _date(year, first, second)
    return f" {words.DOT if mark == '.' else words.SLASH} ".join((str(one), str(two), year))


_SHORT = {month[:3]: month for month in words.MONTHS} | {"Sept": "September"}
_DAYS = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday", "Sat": "Saturday",
         "Sun": "Sunday"}  # fmt: skip


@rule(
    "month",
    rf"""(?<!\w) ([0-3]?[0-9][ ])? ({"|".join(_SHORT)}) (?!\w)\.?
         ([ ][0-3]?[0-9](?!\w|:|\.[0-9]) | [ ]{_YEAR}(?!\w))?""",
    re.VERBOSE,
)
def month(match: re.Match[str]) -> str:
    before, short, behind = match.groups()
    return f"{before or ''}{_SHORT[short]}{behind or ''}" if before or behind else match.group()


@rule("weekday", rf"(?<!\w)({'|'.join(_DAYS)})\.?(?=,? (?:[0-3]?[0-9](?!\w)|{'|'.join(words.MONTHS)}))")
def weekday(match: re.Match[str]) -> str:
    return _DAYS[match.group(1)]


# ── times of day ──────────────────────────────────────────────────────────────────────────────────────────────────


def _time_of_day(hour: int, minute: int, half: str = "") -> str:
    """As it is, without a leading zero: "fourteen zero five" is understood, "fourteen oh five" is heard as 41 05."""
    if not half and hour % 24 == 0:
        return words.MIDNIGHT if minute == 0 else f"{_counted(str(minute), words.MINUTE)} {words.PAST_MIDNIGHT}"
    if minute == 0:
        return f"{hour}{half}" if half else f"{hour} {words.O_CLOCK if hour <= 12 else words.HUNDRED}"
    return f"{hour}:{minute:02}{half}"


@rule(
    "time",
    r"""(?<![\w:.,/-]) ([0-9]{1,3}) : ([0-5][0-9]) (?: :([0-5][0-9])(?:[.,][0-9]{1,6})? )?
        (?: [ ]?([aApP])\.?[mM](?!\w)\.? )? (?: [ ]?(?:h|hrs?|hours|min|minutes)(?!\w) )?
        (?![\w:/%]|[.,][0-9])""",
    re.VERBOSE,
)
def time(match: re.Match[str]) -> str:
    hour, minute, second, half = match.groups()
    unit = re.search(r" ?(h|hrs?|hours|min|minutes)$", match.group())
    if unit is None and (half or not _is_length(match)):
        if int(hour) > 24:
            return match.group()
        said = _time_of_day(int(hour), int(minute), f" {half.upper()}M" if half else "")
        if second is None or second == "00":
            return said
        return f"{said} {words.AND} {_counted(str(int(second)), words.SECOND)}"
    nouns = (words.HOUR, words.MINUTE, words.SECOND)[1 if unit and unit.group(1).startswith("min") else 0 :]
    figures = [int(figure) for figure in (hour, minute, second) if figure is not None]
    parts = [_counted(str(figure), noun) for figure, noun in zip(figures, nouns, strict=False) if figure]
    return listing(parts, words.AND) or _counted("0", nouns[-1])


def _is_length(match: re.Match[str]) -> bool:
    """00:03:20, 72:10:00, and 01:20:30 or 0:45 behind "took"."""
    hour, _, second, _ = match.groups()
    before = match.string[max(0, match.start() - 20) : match.start()].casefold()
    lead = re.search(r"([a-z]+):? $", before)
    led = lead is not None and lead.group(1) in words.DURATION_LEADS
    if second is None:
        return led and hour == "0"
    return led or int(hour) > 23 or hour == "00"


@rule("times from to", rf"(?<![\w:.])({_CLOCK}) ?[-–—] ?(?={_CLOCK}(?![\w:]))")
def clock_range(match: re.Match[str]) -> str:
    return f"{match.group(1)} {words.TO} "


# ── lengths of time ───────────────────────────────────────────────────────────────────────────────────────────────

_PART = r"[0-9]{1,9} ?(?:" + "|".join(sorted(words.DURATION_PARTS, key=len, reverse=True)) + r")(?![A-Za-z])"


@rule("duration", rf"(?<![\w.,:])({_PART}(?: ?{_PART}){{1,5}})(?!\w)")
def duration(match: re.Match[str]) -> str:
    parts = re.findall(r"([0-9]+) ?([a-z]+)", match.group(1))
    return listing([_counted(str(int(n)), words.DURATION_PARTS[u]) for n, u in parts], words.AND)


@rule("ISO duration", rf"(?<!\w)P((?:{NUMBER}[YMWD]){{0,4}})(?:T((?:{NUMBER}[HMS]){{1,3}}))?(?!\w)")
def iso_duration(match: re.Match[str]) -> str:
    parts = [
        _counted(number, nouns[letter])
        for text, nouns in ((match.group(1), words.ISO_DATE_PARTS), (match.group(2) or "", words.ISO_TIME_PARTS))
        for number, letter in re.findall(r"([0-9.,]+)([A-Z])", text)
    ]
    return listing(parts, words.AND) or match.group()


RULES: tuple[Rule, ...] = (iso, year_month, date, iso_duration, duration, clock_range, time, month, weekday)

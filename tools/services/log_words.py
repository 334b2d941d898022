"""A log line as people can read it: no colours, no JSON around it, no secrets; when, how bad, and what. Pure.

What stands in a log may come from anybody. Cleaning makes it readable and keeps secrets in; it makes nothing trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from tools.engines.port import LogLine

HIDDEN = "[hidden]"
LONGEST = 300
"""Characters of a line that is shown."""

LOOKED_AT = 800
"""Characters of a raw line that are looked at; secrets are hidden before it is cut to LONGEST."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\-_])")
_ERROR = frozenset({"ERR", "ERROR", "CRIT", "CRITICAL", "FATAL", "PANIC", "ALERT", "EMERG", "EMERGENCY", "SEVERE"})
_NAMES = r"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|PANIC|ALERT|EMERG(?:ENCY)?|SEVERE"
_LEVEL = re.compile(rf"(?:^|[\s\[(|/<])({_NAMES})(?=$|[\s\]):|,>])")
_BRACKETED = re.compile(rf"(?:[\[<]|^|\blevel=\"?|\blvl=\"?)({_NAMES})(?=[\]>:\"]|\s|$)", re.IGNORECASE)
_GLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d")
_WRONG = re.compile(
    r"\b(?:errors?|exception|traceback|fatal|panic|fail(?:ed|ure|s)?|cannot|can't|could not|couldn't|unable to|denied"
    r"|refused|segfault|out of memory|no space left|killed process|timed out|corrupt(?:ed)?)\b|\w(?:Error|Exception)\b",
    re.IGNORECASE,
)
_NOT_WRONG = re.compile(
    r"\b(?:no|0|zero|without(?: an?y?)?) (?:errors?|failures?|failed)\b"
    r"|\b(?:errors?|failures?|failed)\s*[:=]\s*(?:0|none|null|false)\b",
    re.IGNORECASE,
)
_LOOK_FOR_LEVEL = 120
"""Characters at the beginning of a line in which its level stands."""

_KEY = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|credentials?|cookie"
    r"|session[-_]?id"
)
_VALUE = r"(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&\"'}]+)"
_SECRETS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"(\bauthorization[\"']?\s?[:=]\s?[\"']?)(?:(?:bearer|basic|digest|token) )?{_VALUE}", rf"\1{HIDDEN}"),
        (r"\b(bearer|basic) [\w.~+/=-]{8,}", rf"\1 {HIDDEN}"),
        (r"(://)[^\s/@]+@", rf"\1{HIDDEN}@"),
        (rf"((?:{_KEY})[\w.-]{{0,40}}[\"']?\s?[:=]\s?){_VALUE}", rf"\1{HIDDEN}"),
        (rf"\b((?:{_KEY}) (?:is|was) )\S+", rf"\1{HIDDEN}"),
        (r"\b(?:gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|akia|eyj)[\w.~+/=-]{8,}", HIDDEN),
        (r"(?<![\w/.+=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{32,}", HIDDEN),
    )
)
"""What looks like a secret, and what stands there instead; spaces are single by then. The last: long runs of letters
and digits, as keys are."""

_MESSAGES = ("message", "msg", "error", "err", "event", "log", "text")
_NUMBERED = {50: "ERROR", 60: "FATAL"}
"""Levels of bunyan and pino."""

_TIMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?\]?[\s|:-]*"), "iso"),
    (re.compile(r"^\[?(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(?:[.,]\d+)?()\]?[\s|:-]*"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"^\[?(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d) ([+-]\d{4})\]?[\s|:-]*"), "%d/%b/%Y:%H:%M:%S"),
    (re.compile(r"^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)() (?:\S+ )?"), "%b %d %H:%M:%S"),
)  # fmt: skip
"""Times at the beginning of a line: ISO 8601 and Python, Go and nginx, Apache, syslog (without a year)."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line, readable. ``at``: Unix time, None where it has none; ``wrong``: it tells of an error. Secrets may stand
    in ``text`` until it is ``shown``."""

    at: float | None
    text: str
    wrong: bool


def read(line: LogLine, now: float, zone: tzinfo | None, *, marks: bool) -> Said:
    """``zone``: of times that name none, None for that of this machine. ``marks``: the engine's own mark of an error is
    believed (a journal's priority); else a line has to say it itself."""
    text = printable(line.text[:LOOKED_AT])
    at, text = _time(text, line.at, now, zone)
    level, text = _unwrap(text)
    level = level or _level(text)
    wrong = level in _ERROR if level else _sounds_wrong(text)
    return Said(at, _short(text), wrong or (marks and line.error))


def shown(text: str) -> str:
    """As it may be said and kept: without secrets, and not long."""
    return cut(hide(text), LONGEST)


def printable(text: str) -> str:
    """Without escape sequences and control characters, spaces as one; marks that turn text around go too."""
    kept = "".join(letter if letter.isprintable() else " " for letter in _ESCAPES.sub("", text))
    return " ".join(kept.split())


def hide(text: str) -> str:
    """With HIDDEN where something looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def cut(text: str, longest: int) -> str:
    """At a space, with an ellipsis."""
    if len(text) <= longest:
        return text
    whole = text[: longest - 1].rsplit(" ", 1)[0] if " " in text[longest // 2 : longest - 1] else text[: longest - 1]
    return whole.rstrip(" ,;:.-") + "…"


def _time(text: str, at: float | None, now: float, zone: tzinfo | None) -> tuple[float | None, str]:
    """The line's own time is taken off; it counts where the engine knows none."""
    for pattern, form in _TIMES:
        if (match := pattern.match(text)) is None:
            continue
        try:
            found = _moment(match[1], match[2] or "", form, now, zone)
        except (ValueError, OverflowError, OSError):
            return at, text
        return (at if at is not None else found), text[match.end() :]
    return at, text


def _moment(text: str, offset: str, form: str, now: float, zone: tzinfo | None) -> float:
    if form == "iso":
        found = datetime.fromisoformat(text + offset)
    elif form.startswith("%b"):
        year = datetime.fromtimestamp(now, zone).year
        found = datetime.strptime(f"{year} {text}", f"%Y {form}")
        if found.replace(tzinfo=zone).timestamp() > now + 86_400:  # it has no year: December, read in January
            found = found.replace(year=year - 1)
    else:
        found = datetime.strptime(text + offset, form + ("%z" if offset else ""))
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def _unwrap(text: str) -> tuple[str, str]:
    """Level and message of a line that is JSON or logfmt; no level, and the line, otherwise."""
    if text.startswith("{"):
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            return "", text
        return _of_object(raw, text) if isinstance(raw, dict) else ("", text)
    if "msg=" in text and (match := re.search(r'\bmsg=("(?:[^"\\]|\\.)*"|\S+)', text)):
        level = re.search(r'\b(?:level|lvl)="?(\w+)', text)
        why = re.search(r'\b(?:err|error)=("(?:[^"\\]|\\.)*"|\S+)', text)
        said = match[1].strip('"') + (f": {why[1].strip(chr(34))}" if why else "")
        return (level[1].upper() if level else ""), said
    return "", text


def _of_object(raw: Mapping[str, Any], text: str) -> tuple[str, str]:
    level = raw.get("level", raw.get("severity", raw.get("lvl", "")))
    named = _NUMBERED.get(level, "INFO") if isinstance(level, int) else str(level).upper()
    said = [str(raw[key]) for key in _MESSAGES if isinstance(raw.get(key), str) and raw[key]]
    whole = ": ".join(dict.fromkeys(said[:2]))
    return (named if re.fullmatch(_NAMES, named) else ""), printable(whole) or text


def _level(text: str) -> str:
    begin = text[:_LOOK_FOR_LEVEL]
    if glog := _GLOG.match(begin):
        return {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}[glog[1]]
    match = _LEVEL.search(begin) or _BRACKETED.search(begin)
    return match[1].upper() if match else ""


def _sounds_wrong(text: str) -> bool:
    return _WRONG.search(_NOT_WRONG.sub(" ", text)) is not None


def _short(text: str) -> str:
    """Without the level at its beginning, which is said anyway."""
    return re.sub(rf"^[\[<(]?(?:{_NAMES})[\])>]?[\s:|-]+", "", text, flags=re.IGNORECASE) or text

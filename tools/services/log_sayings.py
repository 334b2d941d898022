"""The lines of a log → what went wrong lately, in two sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.services.log_words import Said, cut, shown
from tools.wording import ago, counted, sentence

LATELY_S = 3600.0
KEPT = 200
"""Errors that are kept with their text, the newest."""

SPOKEN_LONGEST = 120
"""Characters of a log's own words that are said aloud."""

_INSIDE = re.compile(r"^(?:at |\.\.\. \d+ more|File \")")
"""Lines of a stack trace, below its first or above its last line (Java and JavaScript; Python)."""


@dataclass(frozen=True, slots=True)
class Errors:
    """``found``: the newest KEPT errors among the lines, oldest first, as they may be shown; ``count``: of all;
    ``lately``: how many in the last hour, None where the lines have no times; ``more``: there may be more, in lines
    that were not read; ``last_at``: of the last line."""

    found: tuple[Said, ...]
    count: int
    lately: int | None
    more: bool
    lines: int
    last_at: float | None


def gather(lines: Sequence[Said], now: float, *, full: bool) -> Errors:
    """``full``: as many lines as were asked for came, so there may be more before them."""
    found = [line for line in _without_traces(lines) if line.wrong and line.text]
    times = [line.at for line in lines if line.at is not None]
    lately = [line for line in found if line.at is not None and now - line.at <= LATELY_S]
    more = full and bool(times) and now - min(times) <= LATELY_S
    kept = tuple(replace(line, text=shown(line.text)) for line in found[-KEPT:])
    return Errors(kept, len(found), len(lately) if times else None, more, len(lines), max(times) if times else None)


def _without_traces(lines: Sequence[Said]) -> list[Said]:
    """Of a Python traceback its last line, which says what it was; of other traces the first."""
    kept: list[Said] = []
    inside = False
    for line in lines:
        if line.text.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and (_INSIDE.match(line.text) or not re.match(r"[\w.]+(?:$|:)", line.text)):
            continue
        elif inside:
            kept.append(Said(line.at, line.text, wrong=True))
            inside = False
        elif not _INSIDE.match(line.text):
            kept.append(line)
    return kept


def say(name: str, errors: Errors, now: float, state: str = "") -> str:
    """Two sentences. ``state``: said first, where the service does not run."""
    if not errors.lines:
        return f"{state} The log of {name} is empty.".lstrip()
    if not errors.found:
        return f"{state} {_nothing_wrong(name, errors, now)}".lstrip()
    newest = errors.found[-1]
    words = cut(newest.text, SPOKEN_LONGEST)
    when = f", {ago(now - newest.at)}" if newest.at is not None else ""
    if state:
        return f"{state} {sentence(f'Its last error{when}: {words}')}"
    if errors.lately is None:
        first = (
            f"There {'is' if errors.count == 1 else 'are'} {counted(errors.count, 'error')} in {_lines(name, errors)}"
        )
        which = "It is" if errors.count == 1 else "The newest"
    elif errors.lately:
        least = "at least " if errors.more else ""
        first = f"{name} logged {least}{counted(errors.lately, 'error')} in the last hour"
        which = "It was" if errors.lately == 1 and not errors.more else "The newest"
    else:
        first, which = f"{name} logged no error in the last hour", "The last one"
    return f"{sentence(first)} {sentence(f'{which}{when}: {words}')}"


def _nothing_wrong(name: str, errors: Errors, now: float) -> str:
    said = f"There are no errors in {_lines(name, errors)}"
    if errors.last_at is None:
        return sentence(said)
    which, age = "it" if errors.lines == 1 else "the last one", now - errors.last_at
    return sentence(f"{said}; {which} is {'new' if age < 45 else f'from {ago(age)}'}")


def _lines(name: str, errors: Errors) -> str:
    lines = "line" if errors.lines == 1 else f"last {counted(errors.lines, 'line')}"
    return f"the {'one ' if errors.lines == 1 else ''}{lines} of {name}'s log"

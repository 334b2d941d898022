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
    first = f"{state} " if state else ""
    if not errors.lines:
        return f"{first}The log of {name} is empty."
    if not errors.found:
        when = f"; its last line is from {ago(now - errors.last_at)}" if errors.last_at is not None else ""
        when = when.replace("from just now", "new")
        return f"{first}There are no errors in the last {counted(errors.lines, 'line')} of {name}'s log{when}."
    newest = errors.found[-1]
    words = cut(newest.text, SPOKEN_LONGEST)
    when = f", {ago(now - newest.at)}" if newest.at is not None else ""
    if state:
        return f"{state} {sentence(f'Its last error{when}: {words}')}"
    if errors.lately:
        least = "at least " if errors.more else ""
        count = sentence(f"{name} logged {least}{counted(errors.lately, 'error')} in the last hour")
        which = "It was" if errors.lately == 1 and not errors.more else "The newest"
        return f"{count} {sentence(f'{which}{when}: {words}')}"
    if errors.lately is None:
        count = f"There are {counted(errors.count, 'error')}" if errors.count > 1 else "There is one error"
        return (
            f"{count} in the last {counted(errors.lines, 'line')} of {name}'s log. {sentence(f'The newest: {words}')}"
        )
    return f"{sentence(f'{name} logged no error in the last hour')} {sentence(f'The last one{when}: {words}')}"

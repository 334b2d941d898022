"""When something is to be done, from what was said: "every sunday at three" → ``every sunday at 03:00``. English. Pure.

The canonical forms and what they mean stand in ``tools.when.canonical_time``. Nothing is guessed: a recurrence that has
no form, a time today that has passed, or an hour that no clock shows gives None rather than something near it.

Defaults, where people leave it open. A bare hour is the next time it comes; on another day, or recurring, 1 to 6 are
p.m. and 7 to 11 a.m. (1 to 6 are a.m. when a recurring order is one for the night, and 4 to 11 when it is to wake
somebody). A day without a time is DEFAULT_TIME, a part of the day the hour in PART_TIMES; "weekly" is on Mondays and
"monthly" on day 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from tools.when.canonical_time import is_recurring, meaning_of, next_time
from tools.when.clock_words import Clock
from tools.when.day_words import Day
from tools.when.moments import Said, canonical
from tools.when.repeat_words import Repeat
from tools.when.time_pieces import Part, Piece, pieces
from tools.when.time_words import Duration, Token, tokens

Value = TypeVar("Value", Clock, Part, Day, Repeat, Duration)

__all__ = ["WhenFound", "find_when", "is_recurring", "next_time", "parse_when", "same_when"]

_ASKS_OF_THE_PAST = frozenset({"did", "was", "were", "had"})
_QUESTION_WORDS = frozenset({"what", "when", "why", "how", "which", "who", "where", "whats"})
_HAPPENED = _ASKS_OF_THE_PAST | {"happened", "failed", "went"}
_PARTICLES = frozenset({"on", "off", "up", "down", "out"})
_SWITCHING = frozenset({"turn", "switch", "put", "power", "turning", "switching", "leave", "keep"})
_DANGLING = frozenset({"for", "starting", "beginning"})
"""What would be left hanging before a day or a clock time: "a reminder for friday"."""
_WAKING = frozenset({"wake", "alarm", "alarms"})
_OPENING = re.compile(r"(?:[\s,;:.–-]++|(?:and|then)\b)++", re.IGNORECASE)
_LEFT_OVER = (" and", " then")
_SPACES = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r"(?:\s?,)*+\s?([.;:!?])|\s?,(?:\s?,)*+")


@dataclass(frozen=True, slots=True)
class WhenFound:
    """A time found in an utterance.

    ``when``: canonical. ``start``, ``end``: from the first to behind the last character of what was said about time.
    ``rest``: the utterance without it; words that stood between two pieces of the time are kept.
    """

    when: str
    start: int
    end: int
    rest: str
    recurring: bool


def find_when(words: str, now: datetime, *, recurring_night: bool = False) -> WhenFound | None:
    """The time in an utterance, raw or normalized; None when there is none, or none that has a canonical form.

    ``now``: local time. ``recurring_night``: what is asked for is done at night when it recurs (backups, restore
    tests): "every sunday at three" is 03:00.
    """
    said = tokens(words)
    plain = [token.word for token in said]
    if _asks_of_the_past(plain):
        return None
    found, whole = _choose(list(pieces(plain))), False
    if not found:
        found, whole = _choose_whole(plain), True
    when = canonical(_said(found, plain, recurring_night=recurring_night, whole=whole), now)
    if when is None or (whole and len(plain) < 2):  # "two" alone answers a question
        return None
    cuts = _cuts(found, said, plain)
    return WhenFound(when, cuts[0][0], cuts[-1][1], _without(words, cuts), is_recurring(when))


def parse_when(text: str, now: datetime, *, recurring_night: bool = False) -> str | None:
    """The canonical form of a text that is nothing but a time, as said or canonical already; None for any other."""
    said = tokens(text)
    plain = [token.word for token in said]
    return canonical(_said(_choose_whole(plain), plain, recurring_night=recurring_night, whole=True), now)


def same_when(a: str, b: str) -> bool:
    """Whether two canonical times mean the same ("in 60 minutes", "in 1 hour"); other texts: whether they are equal."""
    one, other = (" ".join(text.casefold().split()) for text in (a, b))
    meaning = meaning_of(one)
    return one == other or (meaning is not None and meaning == meaning_of(other))


def _asks_of_the_past(words: Sequence[str]) -> bool:
    """ "what happened at six": no time to do anything."""
    first = words[0] if words else ""
    return first in _ASKS_OF_THE_PAST or (first in _QUESTION_WORDS and not _HAPPENED.isdisjoint(words[1:5]))


def _choose(found: Sequence[Piece]) -> list[Piece]:
    """The pieces that make up the time: those of one stretch first, then others that say what it leaves open."""
    if any(isinstance(piece.value, Repeat) and piece.value.kind == "unsayable" for piece in found):
        return []
    stretches = [stretch for stretch in _stretches(found) if all(piece.kind != "past" for piece in stretch)]
    firm = [stretch for stretch in stretches if len(stretch) > 1 or stretch[0].firm]
    weak = [stretch for stretch in stretches if stretch not in firm and stretch[0].kind == "wait"]
    order = sorted(firm, key=lambda stretch: all(piece.kind != "repeat" for piece in stretch)) or weak[:1]
    chosen: list[Piece] = []
    for stretch in order:
        if all(_fits(piece, [*chosen, *stretch[:at]]) for at, piece in enumerate(stretch)):
            chosen.extend(stretch)
    return sorted(chosen, key=lambda piece: piece.start)


def _choose_whole(words: Sequence[str]) -> list[Piece]:
    """The pieces of words that are nothing but a time."""
    found = list(pieces(words, whole=True))
    chosen = _choose(found)
    all_of_it = len(chosen) == len(found) and sum(piece.end - piece.start for piece in found) == len(words)
    return chosen if all_of_it else []


def _stretches(found: Sequence[Piece]) -> list[list[Piece]]:
    """Runs of pieces that follow each other and go together."""
    runs: list[list[Piece]] = []
    for piece in found:
        touches = bool(runs) and runs[-1][-1].end == piece.start
        if touches and (piece.kind == "past" or runs[-1][-1].kind == "past" or _fits(piece, runs[-1])):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _fits(piece: Piece, others: Sequence[Piece]) -> bool:
    """Whether a piece says something that the others leave open."""
    kinds = {other.kind for other in others}
    if piece.kind in kinds:
        return False
    days_on = [one for one in (piece, *others) if one.kind == "wait"]
    if days_on and kinds:
        wait = days_on[0].value
        return {piece.kind, *kinds} <= {"wait", "clock", "part"} and getattr(wait, "unit", "") == "days"
    if {piece.kind, *kinds} >= {"day", "repeat"}:
        values = [one.value for one in (piece, *others) if one.kind in {"day", "repeat"}]
        return _narrows(values)
    return True


def _narrows(values: Sequence[object]) -> bool:
    """ "every week on monday", "once a month on the third"."""
    kinds = {getattr(value, "kind", "") for value in values}
    return kinds in ({"week", "weekday"}, {"month", "day of month"})


def _said(found: Sequence[Piece], words: Sequence[str], *, recurring_night: bool, whole: bool) -> Said:
    return Said(
        clock=_value(found, Clock),
        part=_value(found, Part),
        day=_value(found, Day),
        repeat=_value(found, Repeat),
        wait=_value(found, Duration),
        night=recurring_night,
        waking=not _WAKING.isdisjoint(words),
        whole=whole,
    )


def _value(found: Sequence[Piece], kind: type[Value]) -> Value | None:
    return next((piece.value for piece in found if isinstance(piece.value, kind)), None)


def _cuts(found: Sequence[Piece], said: Sequence[Token], words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the pieces stand in the text. In "turn the heating on friday" the "on" stays with the heating."""
    taken = {at for piece in found for at in range(piece.start, piece.end)}
    outside = {word for at, word in enumerate(words) if at not in taken}
    needs_on = bool(outside & _SWITCHING) and not outside & _PARTICLES
    cuts = []
    for piece in found:
        if piece.start == piece.end:  # the evening of "tonight", which is one word
            continue
        start = piece.start + (needs_on and words[piece.start] == "on" and piece.end - piece.start > 1)
        start -= start > 0 and start - 1 not in taken and words[start - 1] in _DANGLING
        cuts.append((said[start].start, said[piece.end - 1].end))
    return cuts


def _without(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in cuts:
        kept.append(text[at:start])
        at = end
    rest = _SPACES.sub(" ", " ".join([*kept, text[at:]]))
    rest = _SPACE_BEFORE_MARK.sub(lambda found: found.group(1) or ",", rest)
    opening = _OPENING.match(rest)
    rest = rest[opening.end() :] if opening else rest
    rest = rest.rstrip(" ,;:–-")
    while rest.casefold().endswith(_LEFT_OVER):
        rest = rest.rpartition(" ")[0].rstrip(" ,;:–-")
    return rest

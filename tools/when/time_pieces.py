"""The pieces of a time phrase: "every sunday", "at three", "tomorrow", "in the evening", "in ten minutes". Pure.

A piece is read where it begins, by the first reader that knows it; ``tools.when`` puts pieces together. What looks like
a time and is none for us is a piece too, so that nothing is read out of its middle: the past ("yesterday at six", "for
the last two hours"), spans ("from six to eight"), names ("the six o'clock news").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tools.when.clock_words import Clock, clock
from tools.when.day_words import Day, day_phrase
from tools.when.repeat_words import UNSAYABLE, Repeat, repeat_phrase
from tools.when.time_words import MEASURES, Duration, duration, number, word_at

Kind = Literal["clock", "part", "day", "repeat", "wait", "past"]

_PARTS = {
    "morning": "morning", "mornings": "morning", "afternoon": "afternoon", "afternoons": "afternoon",
    "evening": "evening", "evenings": "evening", "night": "night", "nights": "night",
}  # fmt: skip
_ABOUT = frozenset({"about", "around", "exactly", "approximately", "roughly"})
_SPANS = frozenset({"since", "until", "til", "till", "from", "before", "between", "after", "than"})
"""A time after one of these bounds a span; it is not when something is to be done."""
_LOOKS = frozenset({"look", "looking", "looks", "stare", "point", "good", "bad", "aim"})
_TIMERS = frozenset({"timer", "timers", "alarm", "alarms", "countdown", "reminder", "reminders", "snooze", "pomodoro"})
_LEVELS = frozenset(
    {"heating", "heater", "heat", "thermostat", "temperature", "volume", "brightness", "radiator", "fan", "oven", "ac",
     "humidity", "light", "lights", "lamp", "lamps"}
)  # fmt: skip
_KEEP_LEVEL = frozenset({"set", "keep", "hold", "maintain"})
_DEFINITE = frozenset({"the", "my", "our", "your", "that", "this"})
_STARTS = frozenset({"set", "start", "begin"})


class Part(NamedTuple):
    """A part of the day; ``of_day``: said with its day ("friday night"), whose small hours are the next day's."""

    name: str
    of_day: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, in ``words[start:end]``. ``firm``: a time even on its own, not only beside another piece."""

    kind: Kind
    start: int
    end: int
    value: Clock | Part | Day | Repeat | Duration | None = None
    firm: bool = True


def pieces(words: Sequence[str], *, whole: bool = False) -> Iterator[Piece]:
    """All pieces from left to right. ``whole``: the text is nothing but a time, so that "six" alone is one."""
    reader = _Reader(words, whole)
    at = 0
    before: Piece | None = None
    while at < len(words):
        found = reader.read(at, before if before and before.end == at else None)
        for piece in found:
            yield piece
            before = piece
        at = found[-1].end if found else at + 1


class _Reader:
    """What the whole utterance says about how its pieces are meant."""

    def __init__(self, words: Sequence[str], whole: bool) -> None:
        self._words = words
        self._whole = whole
        said = frozenset(words)
        text = " ".join(words)
        self._timer = whole or bool(said & _TIMERS) or "time me" in text or "on the clock" in text
        self._timer = self._timer or any(w == "time" and number(words, at + 1) for at, w in enumerate(words))
        self._alarm = bool(said & (_TIMERS | {"wake"}))
        self._level = bool(said & _KEEP_LEVEL and said & _LEVELS) and not (self._alarm or "to" in said)

    def read(self, at: int, before: Piece | None) -> list[Piece]:
        """The piece that begins here, with those that are one word with it ("tonight"), or nothing."""
        if piece := self._before_something(at) or self._from_monday(at) or self._past(at) or self._wait(at):
            return [piece]
        if word_at(self._words, at) == "tonight":
            return self._today_with(at, at + 1, "night")
        if word_at(self._words, at) == "this" and word_at(self._words, at + 1) in _PARTS:
            return self._today_with(at, at + 2, _PARTS[self._words[at + 1]])
        if read := repeat_phrase(self._words, at):
            return [Piece("repeat", at, read[1], read[0], read[2] or self._whole)]
        piece = self._part(at, before) or self._clock(at, before) or self._day(at)
        return [piece] if piece else []

    def _today_with(self, start: int, end: int, part: str) -> list[Piece]:
        return [Piece("day", start, end, Day("ahead", 0)), Piece("part", end, end, Part(part, of_day=True))]

    def _before_something(self, at: int) -> Piece | None:
        """ "ten minutes before the meeting", "an hour before": no clock shows when that is."""
        read = duration(self._words, at)
        if read is None or word_at(self._words, read[1]) not in {"before", "beforehand", "prior", "early"}:
            return None
        told = clock(self._words, at)
        return None if told and told[1] > read[1] else Piece("repeat", at, read[1] + 1, UNSAYABLE)

    def _from_monday(self, at: int) -> Piece | None:
        """ "from monday to friday" recurs beside a time of the day; alone it is a span."""
        read = repeat_phrase(self._words, at) if word_at(self._words, at) == "from" else None
        if read is None or word_at(self._words, read[1]) not in {"at", "in"}:
            return None
        return Piece("repeat", at, read[1], read[0], firm=False)

    def _past(self, at: int) -> Piece | None:
        words, word = self._words, word_at(self._words, at)
        if word == "yesterday":
            return Piece("past", at, at + 1 + (word_at(words, at + 1) in _PARTS))
        if word in {"last", "past", "previous"}:
            known = word_at(words, at + 1) in {*_PARTS, "weekend", "month", "year"}
            read = duration(words, at + 1) or day_phrase(words, at + 1) or duration(("one", *words[at + 1 : at + 2]), 0)
            return Piece("past", at, max(at + 2, read[1] if read else 0)) if known or read else None
        if word in _SPANS and word_at(words, at - 1) not in {"starting", "beginning", "start"}:
            return self._span(at)
        if (ago := duration(words, at)) and word_at(words, ago[1]) in {"ago", "old", "earlier"}:
            return Piece("past", at, ago[1] + 1)
        if word in {"a", "one"} and word_at(words, at + 1) == "week" and word_at(words, at + 2) in {"on", "from"}:
            day = day_phrase(words, at + 2 + (words[at + 2] == "from"))
            return Piece("past", at, day[1]) if day else None
        return None

    def _span(self, at: int) -> Piece | None:
        """ "until six", "from eight to ten", "since monday"; but "after ten minutes" is a wait."""
        words, end = self._words, at
        if words[at] == "after" and duration(words, at + 1):
            return None
        while (
            end == at
            or (words[at] in {"from", "between"} and word_at(words, end) in {"to", "and", "until", "till", "til"})
        ) and (read := self._moment(end + 1)):
            end = read
        return Piece("past", at, end) if end > at else None

    def _moment(self, at: int) -> int | None:
        if named := day_phrase(self._words, at):
            return named[1]
        read = clock(self._words, at)
        return read[1] if read and word_at(self._words, read[1]) not in MEASURES else None

    def _wait(self, at: int) -> Piece | None:
        """ "in ten minutes", "an hour from now", "a five minute timer"."""
        words, word = self._words, word_at(self._words, at)
        lead = 0
        if word in {"in", "after", "wait"}:
            lead = 1 + (word == "wait" and word_at(words, at + 1) == "for")
        elif self._timer and word in {"for", "to", "of", "on", "with"}:
            lead = 1
        lead += bool(lead) and word_at(words, at + lead) in _ABOUT
        if (read := duration(words, at + lead)) is None:
            return None
        waited, end = read
        if (told := clock(words, at + lead)) and told[1] > end:  # "ten minutes to six"
            return None
        later = tuple(words[end : end + 2]) == ("from", "now") or word_at(words, end) == "later"
        if later:
            return Piece("wait", at, end + (1 if words[end] == "later" else 2), waited)
        if word in {"in", "after", "wait"}:
            end += word_at(words, end) == "time"
            if day := word_at(words, end) in {"on", "from"} and day_phrase(words, end + (words[end] == "from")):
                return Piece("past", at, day[1])  # "in a week on friday": which friday that is, few agree
            return None if word_at(words, end) in {"ago", "of", "old"} else Piece("wait", at, end, waited)
        before = word_at(words, at - 1)
        if before in {"every", "each", "and", "or", "to"} or not self._timer:
            return None
        if word == "to" and number(words, at - 1):  # "ten to fifteen minutes"
            return None
        if word_at(words, end) in _TIMERS:
            if before in _DEFINITE and word_at(words, at - 2) not in _STARTS:
                return None
            at += words[at] in {"a", "an"} and end - at > 2
            return Piece("wait", at, end, waited)
        return Piece("wait", at, end, waited, firm=self._whole or before in _TIMERS)

    def _part(self, at: int, before: Piece | None) -> Piece | None:
        words = self._words
        if tuple(words[at : at + 2]) == ("in", "the") and word_at(words, at + 2) in _PARTS:
            name = _PARTS[words[at + 2]]
            return Piece("part", at, at + 3, Part(name, of_day=False), firm=name != "night")
        if tuple(words[at : at + 2]) == ("at", "night"):
            return Piece("part", at, at + 2, Part("night", of_day=False), firm=False)
        if word_at(words, at) in _PARTS and before and before.kind in {"day", "repeat", "clock"}:
            return Piece("part", at, at + 1, Part(_PARTS[words[at]], of_day=before.kind != "clock"))
        return None

    def _clock(self, at: int, before: Piece | None) -> Piece | None:
        words, word = self._words, word_at(self._words, at)
        start = at + (word in {"starting", "beginning"} and word_at(words, at + 1) in {"at", "from"})
        lead = word_at(words, start) if start > at or word in {"at", "@", "by", "for", "to", "around", "about"} else ""
        said = start + bool(lead)
        said += lead == "at" and word_at(words, said) in _ABOUT
        read = clock(words, said)
        if read is None or (read[0].weight < 2 and word_at(words, read[1]) in MEASURES):
            return None
        found, end = read
        end += word_at(words, end) in {"sharp", "exactly"}
        if not lead and word_at(words, at - 1) in _DEFINITE and word_at(words, at - 2) not in _STARTS:
            return Piece("past", at, end)
        if self._another(end):
            return Piece("repeat", at, end, UNSAYABLE)
        enough = 0 if self._whole else self._weight_wanted(lead, at, end, before)
        return Piece("clock", at, end, found, firm=found.weight >= enough) if found.weight >= min(enough, 1) else None

    def _another(self, at: int) -> bool:
        """ "… and eight", "… and at eight": two times of the day have no canonical form."""
        if word_at(self._words, at) not in {"and", "or"}:
            return False
        if day_phrase(self._words, at + 1):  # "on monday at six and tuesday at seven"
            return True
        led = word_at(self._words, at + 1) == "at"
        read = clock(self._words, at + 1 + led)
        return read is not None and (
            read[0].weight == 2
            or word_at(self._words, read[1]) in {"", "every"}
            or (led and word_at(self._words, read[1]) not in MEASURES)
        )

    def _weight_wanted(self, lead: str, at: int, end: int, before: Piece | None) -> int:
        """How much a clock must look like one after these words."""
        previous = word_at(self._words, at - 1)
        of_day = tuple(self._words[end : end + 2]) == ("in", "the") and word_at(self._words, end + 2) in _PARTS
        if of_day and before is not None and before.kind in {"day", "repeat"}:
            return 0  # "each saturday four in the morning"
        if lead in {"at", "@", "from"}:
            return 1 if (self._level or previous in _LOOKS) and before is None else 0
        if lead == "for" and previous in _TIMERS | {"scheduled", "up"} and previous not in {"timer", "timers"}:
            return 0
        if lead == "for" and word_at(self._words, end) == "" and "schedule" in self._words:
            return 0
        if self._alarm and (lead in {"for", "to"} or (not lead and previous in _TIMERS | {"me", "up"})):
            return 1
        return 2

    def _day(self, at: int) -> Piece | None:
        words = self._words
        if (read := day_phrase(words, at, short=self._whole)) is None:
            return None
        day, end, firm = read
        if word_at(words, end) in {"and", "or"} and day_phrase(words, end + 1):
            return Piece("repeat", at, end, UNSAYABLE)
        if word_at(words, at) == "on" and word_at(words, at - 1) in {"turn", "switch", "put", "power"}:
            return Piece("day", at + 1, end, day, firm=False)  # "turn on friday": the lamp, rather
        return Piece("day", at, end, day, firm=firm or self._whole)

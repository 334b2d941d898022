"""Whether a planned call is the one that was expected. Pure; what names mean is asked of the house.

Rules, in the words of ``tests/eval/README.md``: the arguments named in the expectation must match after resolution,
others that follow from the same thing do not count, and none may narrow or widen the call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.contract import JsonObject
from tools.names import plain
from tools.when import same_when

PLACE = frozenset({"target", "area"})
"""Together they stand for devices: two ways to say the same devices are the same."""

FOLLOWS_FROM_THE_SAME = frozenset({"area"})
"""Where no home says which devices are meant: the area of a lamp follows from the lamp."""

LOOSE = frozenset({"what", "message"})
"""Arguments in the speaker's own words, compared by their content words."""

LOOSE_SHARE = 0.6
"""Of the expected content words, how many must be there: "most" of them."""

_SMALL = """
a an the to of me my your our i you we it that this is are am was were be will would shall can could have has had
on in at for and or do does did set please up run now just
"""
SMALL_WORDS = frozenset(_SMALL.split())
"""Words without which a message says the same."""

TELLING_WORDS = frozenset({"not", "no", "never", "off", "unlock", "stop", "cancel"})
"""Words that turn a message into its opposite: they must be in both or in neither."""

TASK_KINDS = frozenset({"timer", "reminder", "alarm", "about"})
"""What a task is, beside what it is called."""

_CONTRACTIONS = (
    (re.compile(r"\bcan['’]t\b"), "can not"),
    (re.compile(r"\bwon['’]t\b"), "will not"),
    (re.compile(r"n['’]t\b"), " not"),
    (re.compile(r"\blet['’]s\b"), "let us"),
    (re.compile(r"['’]s\b"), " is"),
    (re.compile(r"['’]m\b"), " am"),
    (re.compile(r"['’]re\b"), " are"),
    (re.compile(r"['’]ll\b"), " will"),
    (re.compile(r"['’]ve\b"), " have"),
    (re.compile(r"['’]d\b"), " would"),
)
_BACK_UP = re.compile(r"\bback(?:s|ed|ing)?[ -]?ups?\b")

Order = tuple[str, JsonObject]
"""A tool and its canonical arguments."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What calls mean in the house that the set is about.

    ``canonical``: a call's arguments after resolution, None when they cannot be planned; ``devices``: what target and
    area stand for, empty when that is nothing; ``order``: the call that words to be carried out later come to.
    """

    canonical: Callable[[str, JsonObject], JsonObject | None] = lambda _tool, arguments: arguments
    devices: Callable[[JsonObject], frozenset[Hashable]] = lambda _arguments: frozenset()
    order: Callable[[str], Order | None] = lambda _words: None


def difference(tool: str, wanted: JsonObject, planned: JsonObject, meaning: Meaning) -> str:
    """Empty when ``planned`` (canonical) is what ``wanted`` asks of the tool; else the first difference, in words."""
    named = {key for key, value in wanted.items() if value is not None}
    resolved = meaning.canonical(tool, wanted)
    expected = _given(wanted if resolved is None else resolved)
    got = _given(planned)
    settled: frozenset[str] = frozenset()
    if "target" in named:
        devices, actual = meaning.devices(expected), meaning.devices(got)
        if devices and actual:
            if devices != actual:
                return f"expected {_place(expected)}, got {_place(got)}"
            settled = PLACE
    asked = named & expected.keys()
    for key in sorted(asked - settled):
        if key not in got:
            return f"{key}: expected {expected[key]!r}, got none"
        if not _same(key, expected[key], got[key], meaning):
            return f"{key}: expected {expected[key]!r}, got {got[key]!r}"
    for key in sorted(got.keys() - asked - FOLLOWS_FROM_THE_SAME - settled):
        if key not in expected or not _same(key, expected[key], got[key], meaning):
            return f"{key}: expected none, got {got[key]!r}"
    return ""


def _given(arguments: Mapping[str, Any]) -> JsonObject:
    return {key: value for key, value in arguments.items() if value is not None}


def _place(arguments: JsonObject) -> str:
    area = arguments.get("area")
    return f"{arguments.get('target')!r}" + (f" in {area!r}" if area else "")


def _same(key: str, wanted: Any, planned: Any, meaning: Meaning) -> bool:
    if isinstance(wanted, str) and isinstance(planned, str):
        if key in LOOSE:
            return _same_words(wanted, planned, meaning)
        if key == "task":
            return _same_task(wanted, planned)
        if key == "when":
            return same_when(wanted, planned)
        return wanted.casefold().strip() == planned.casefold().strip()
    if isinstance(wanted, bool) or isinstance(planned, bool):
        return wanted is planned
    number, other = _number(wanted), _number(planned)
    return number == other if number is not None and other is not None else bool(wanted == planned)


def _number(value: Any) -> float | None:
    """30, 30.0 and "30" are the same setting."""
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _same_task(wanted: str, planned: str) -> bool:
    """ "the bins reminder", "reminder about the bins" and "bins" are one; "timer" and "pasta timer" are not."""
    words, got = content_words(wanted), content_words(planned)
    kinds, other = words.keys() & TASK_KINDS, got.keys() & TASK_KINDS
    if kinds and other and kinds != other:
        return False
    called, named = words.keys() - TASK_KINDS, got.keys() - TASK_KINDS
    if not called or not named:
        return called == named
    return len(called & named) >= LOOSE_SHARE * len(called)


def _same_words(wanted: str, planned: str, meaning: Meaning) -> bool:
    """The same order where both are one; else most content words, and no opposite."""
    order, other = meaning.order(wanted), meaning.order(planned)
    if order is not None and other is not None:
        return order[0] == other[0] and not difference(order[0], order[1], other[1], meaning)
    words, got = content_words(wanted), content_words(planned)
    if words.keys() & TELLING_WORDS != got.keys() & TELLING_WORDS:
        return False
    if not words:
        return plain(wanted) == plain(planned)
    return (words & got).total() >= LOOSE_SHARE * words.total()


def content_words(text: str) -> Counter[str]:
    """The words that carry a message, contractions written out, "back up" as one word."""
    lowered = text.casefold()
    for pattern, full in _CONTRACTIONS:
        lowered = pattern.sub(full, lowered)
    return Counter(word for word in plain(_BACK_UP.sub("backup", lowered)) if word not in SMALL_WORDS)

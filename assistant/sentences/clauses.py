"""Compound utterances: where they may be split, and what the halves say on their own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.ports import WantedCall
from assistant.sentences.normalize import order_core, utterance_core

_PAUSES = re.compile(r"[,;.!?]\s+|\s[-–—]\s")
_JOINTS = ("and then", "and also", "and please", "after that", "and", "then", "plus", "also", "as well as")
_THING = ("service", "vm", "target", "area")

MAX_CARRIED = 4
"""Words that one half may lend to the other ("turn off the lights and the television")."""


def sentences_of(text: str, language: str = "en") -> list[str]:
    """What stands between pauses, without what is only filler; one piece when there is no pause."""
    pieces = [utterance_core(piece, language) for piece in _PAUSES.split(text)]
    return [piece for piece in pieces if piece and not _says_nothing(piece, language)]


def _says_nothing(piece: str, language: str) -> bool:
    """ "if you please", "thank you": only politeness."""
    return "x" in (order_core(f"x {piece}", language), order_core(f"{piece} x", language))


def halves(words: str) -> Iterator[tuple[str, str]]:
    """Every way to split the words at a joint, the first joint first."""
    seen: set[tuple[str, str]] = set()
    parts = words.split()
    for place in range(1, len(parts) - 1):
        for joint in _JOINTS:
            size = len(joint.split())
            if parts[place : place + size] == joint.split() and place + size < len(parts):
                split = " ".join(parts[:place]), " ".join(parts[place + size :])
                if split not in seen:
                    seen.add(split)
                    yield split
                break


def last_words(calls: list[WantedCall]) -> list[WantedCall]:
    """Of two acts on the same thing the later: "up to nineteen, er, just twenty", "take it down and up, restart it"."""
    about = [(call.tool, *(str(call.arguments.get(key)) for key in _THING)) for call in calls]
    return [call for n, call in enumerate(calls) if "action" not in call.arguments or about[n] not in about[n + 1 :]]


def completed(left: str, right: str) -> Iterator[tuple[str, str]]:
    """The halves with words of the other one: "turn off the lights" + "turn off the television"."""
    first, second = left.split(), right.split()
    for lent in range(1, min(MAX_CARRIED, len(first) - 1) + 1):
        yield left, " ".join([*first[:lent], *second])
    for back in range(1, min(MAX_CARRIED, len(second) - 1) + 1):
        for lent in range(0, min(MAX_CARRIED, len(first) - 1) + 1):
            yield " ".join([*first, *second[-back:]]), " ".join([*first[:lent], *second])

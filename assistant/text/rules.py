"""One rule of spoken text: what it finds, and what is said for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
"""1234, 1,234, 3.5: as espeak-ng reads them, so they stay as they are."""

NOT_INSIDE = r"(?<![\w.,])"
"""Before a number that begins here. Every pattern is anchored on its left like this: no text takes quadratic time."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``say`` gets the match and returns words; a rule must not find anything in what it returned."""

    name: str
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str]

    def __call__(self, text: str) -> str:
        return self.pattern.sub(self.say, text)


def rule(name: str, pattern: str, flags: int = re.NOFLAG) -> Callable[[Callable[[re.Match[str]], str]], Rule]:
    """Makes a rule of a function that says its match."""
    return lambda say: Rule(name, re.compile(pattern, flags), say)


def one_of(words: Iterable[str]) -> str:
    """An alternation of literal words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def listing(items: list[str], last: str) -> str:
    """ "a", "a and b", "a, b and c"; ``last`` stands before the last."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"

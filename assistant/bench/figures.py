"""Figures of the voice benchmark: percentiles, word errors, rates with the bound that they allow, events. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.when.time_words import number

CONFIDENCE = 0.95
"""Of every upper bound, one-sided."""

_SIGNS = {"%": " percent ", "°": " degrees ", "&": " and "}
_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_INITIALS = re.compile(r"\b(?![ai] )(?:[a-z] )+[a-z]\b")
_SAME = {"okay": "ok"}


def percentile(values: Sequence[float], rank: float) -> float:
    """By nearest rank: the smallest value that at least ``rank`` (0–1) of the values do not exceed.

    Raises ValueError without values, or for a rank outside 0–1.
    """
    if not values or not 0 <= rank <= 1:
        raise ValueError("a percentile needs values and a rank of 0 to 1")
    return sorted(values)[max(math.ceil(rank * len(values)) - 1, 0)]


def normalized(text: str) -> list[str]:
    """Words to compare: lower case, no punctuation, numbers as digits, initials joined ("V M", "VM" → "vm").

    Nothing that is heard wrong is mended here.
    """
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = " ".join(re.sub(r"[^\w]|_", " ", text).split())
    words = _INITIALS.sub(lambda initials: initials[0].replace(" ", ""), text).split()
    return _digits([_SAME.get(word, word) for word in words])


def _digits(words: list[str]) -> list[str]:
    done: list[str] = []
    at = 0
    while at < len(words):
        read = number(words, at)
        done.append(words[at] if read is None else str(read[0]))
        at = at + 1 if read is None else read[1]
    return done


@dataclass(frozen=True, slots=True)
class WordErrors:
    """``errors``: words substituted, left out and added, at least; ``words``: of what was said."""

    errors: int
    words: int

    @property
    def rate(self) -> float | None:
        """Word error rate; above 1 where more was heard than said; None where nothing was said."""
        return self.errors / self.words if self.words else None


def word_errors(said: str, heard: str) -> WordErrors:
    """Levenshtein distance over normalized words."""
    wanted, got = normalized(said), normalized(heard)
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted, 1):
        before, row = row, [i]
        for j, other in enumerate(got, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other)))
    return WordErrors(row[-1], len(wanted))


def pooled(errors: Iterable[WordErrors]) -> WordErrors:
    """All utterances together: long ones weigh more, as they should."""
    kept = list(errors)
    return WordErrors(sum(one.errors for one in kept), sum(one.words for one in kept))


def upper_bound(events: int, exposure: float, confidence: float = CONFIDENCE) -> float | None:
    """The rate that is not exceeded with this confidence, when ``events`` were counted over ``exposure`` (hours).

    Exact for a Poisson process: the mean of which so few or fewer are seen with probability ``1 - confidence``, which
    is χ²(confidence, 2·events + 2)/2 and, without events, ``-ln(1 - confidence)``: the rule of three. None where
    nothing was heard. (F. Garwood, Biometrika 28, 1936.)
    """
    if exposure <= 0:
        return None
    low, high = 0.0, 10.0 + 3.0 * events
    while _at_most(events, high) > 1 - confidence:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, middle) > 1 - confidence else (low, middle)
    return high / exposure


def _at_most(events: int, mean: float) -> float:
    """P(X ≤ events) of a Poisson variable."""
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))


def detections(scores: Sequence[float], threshold: float, refractory: int) -> list[int]:
    """Frames at which a wake word is heard, of one score per frame: an event, not its frames.

    A run of frames at or above the threshold is one event, at its first frame; so are runs that begin within
    ``refractory`` frames of an event.
    """
    found: list[int] = []
    before = False
    for frame, score in enumerate(scores):
        above = score >= threshold
        if above and not before and (not found or frame - found[-1] >= max(refractory, 1)):
            found.append(frame)
        before = above
    return found

"""Digits as people say them and as speech recognition writes them, in the answer to a question for the PIN. Pure.

"4271", "4-2-7-1", "four two seven one", "forty two, seventy one", "double four oh one": what is found is taken out of
the text before anybody else sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REDACTED = "••••"
"""Stands for the digits, however many there were."""

LEAST_DIGITS = 4
"""A PIN has so many."""

_UNITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_SOUNDS_LIKE = {"to": "2", "too": "2", "for": "4", "fore": "4", "won": "1", "ate": "8", "sex": "6", "niner": "9"}
"""What a digit is heard as, beside others."""

_TIMES = {"double": 2, "triple": 3, "treble": 3}
_SMALL = frozenset(
    {"my", "the", "a", "pin", "pins", "pen", "code", "number", "is", "its", "it", "and", "with", "s", "please", "here",
     "dash", "hyphen"}
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[0-9]+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class HeardPin:
    """``text``: the utterance without its digits; ``rest``: what else is said, without the words around a PIN ("my pin
    is"); ``pin``: the digits, None where there are none."""

    text: str
    rest: str
    pin: str | None


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    end: int
    digits: str


def without_pin_words(text: str) -> str:
    """What an answer says beside its (redacted) digits and the words around them."""
    return _rest(text)


def hear_pin(text: str) -> HeardPin:
    """Take all digits out of an answer. Never raises; a text without any comes back as it is."""
    runs = _runs(text)
    if not runs:
        return HeardPin(text, _rest(text), None)
    pieces, at = [], 0
    for run in runs:
        pieces += [text[at : run.start], REDACTED]
        at = run.end
    told = re.sub(rf"{REDACTED}(?:[\s,.;:–-]*{REDACTED})+", REDACTED, "".join([*pieces, text[at:]]))
    return HeardPin(told, _rest(told), "".join(run.digits for run in runs))


def _rest(text: str) -> str:
    words = [found.group() for found in _WORD.finditer(text.replace(REDACTED, " "))]
    return " ".join(word for word in words if word.casefold() not in _SMALL)


def _runs(text: str) -> list[_Run]:
    """Stretches of digits with nothing but punctuation and "dash" between them."""
    words = list(_WORD.finditer(text))
    runs: list[_Run] = []
    n = 0
    while n < len(words):
        digits, taken = _digits(words, n, inside=bool(runs) and _joined(text, runs[-1].end, words[n].start()))
        if not digits:
            n += 1
            continue
        runs.append(_Run(words[n].start(), words[n + taken - 1].end(), digits))
        n += taken
    return runs


def _joined(text: str, end: int, start: int) -> bool:
    return not any(c.isalnum() for c in re.sub(r"\b(?:dash|hyphen|and)\b", "", text[end:start], flags=re.IGNORECASE))


def _digits(words: list[re.Match[str]], n: int, *, inside: bool) -> tuple[str, int]:
    """The digits that begin at a word, and how many words they are."""
    word = words[n].group().casefold()
    following = words[n + 1].group().casefold() if n + 1 < len(words) else ""
    if word[0].isdigit():
        return (word if word.isascii() else ""), 1
    if word in _TIMES and (digit := _UNITS.get(following) or (following if _one_digit(following) else "")):
        return digit * _TIMES[word], 2
    if word in _TENS:
        unit = _UNITS.get(following, "")
        if unit and unit != "0":
            return _TENS[word] + unit, 2
        return _TENS[word] + "0", 1
    if word in _UNITS:
        return ("", 1) if word in ("oh", "o") and not inside and not _begins(words, n) else (_UNITS[word], 1)
    if word in _TEENS:
        return _TEENS[word], 1
    heard_so = word in _SOUNDS_LIKE and (inside or _begins(words, n))
    return (_SOUNDS_LIKE[word], 1) if heard_so else ("", 1)


def _begins(words: list[re.Match[str]], n: int) -> bool:
    """Whether an "oh" is a zero and no sigh, and "for" is a four: a digit comes after it."""
    if n + 1 >= len(words):
        return False
    following = words[n + 1].group().casefold()
    return following[0].isdigit() or following in _UNITS or following in _TENS or following in _TEENS


def _one_digit(word: str) -> bool:
    return len(word) == 1 and word.isascii() and word.isdigit()

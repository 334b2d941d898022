"""Word errors of a transcript: what was said and what was heard, made comparable and aligned. Pure."""

from __future__ import annotations

import re
import unicodedata

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

_SAME = {
    "okay": "ok", "mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "alright": "all right",
    "%": "percent", "°": "degrees", "°c": "degrees", "&": "and", "oh": "zero", "o": "zero", "gonna": "going to",
    "wanna": "want to", "tv": "television", "cannot": "can not", "towards": "toward", "grey": "gray", "colour": "color",
    "centre": "center",
}  # fmt: skip
"""Two spellings of one thing that was said, each → the other; "oh" is how people read out a zero."""

_CONTRACTIONS = (
    (r"\bwon't\b", "will not"), (r"\bcan't\b", "can not"), (r"\bshan't\b", "shall not"), (r"n't\b", " not"),
    (r"\blet's\b", "let us"), (r"'re\b", " are"), (r"'ve\b", " have"), (r"'ll\b", " will"), (r"'m\b", " am"),
    (r"\b(what|where|who|how|when|it|that|there|here|he|she|everything|something|nothing)'s\b", r"\1 is"),
    (r"'d\b", " would"),
)  # fmt: skip

JOINED_WORDS = 3
"""As many words may have been written as one: "next cloud", "back up", "open web UI"."""


def spelled_out(text: str) -> list[str]:
    """Lower-case words without punctuation: numbers in words, contractions in full, spelled letters as one word.

    What sounds the same is the same: "21 °C" and "twenty-one degrees", "What's" and "what is", "N. T. F. Y." and
    "ntfy". A hyphen divides words. Idempotent on what it returns, joined by spaces.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    for pattern, full in _CONTRACTIONS:
        plain = re.sub(pattern, full, plain)
    plain = re.sub(r"(\d+)(st|nd|rd|th)\b", lambda found: _ordinal(int(found[1][:6])), plain)
    plain = re.sub(r"(?<=\d)\.(?=\d)", " point ", plain)
    plain = re.sub(r"\d+", lambda found: f" {_digits(found[0])} ", plain).replace("'", "")
    raw = re.findall(r"[^\W_]+|°c\b|[%°&]", plain)
    return [word for part in _letters_joined(raw) for word in _SAME.get(part, part).split()]


def number_words(number: int) -> str:
    """0–999,999 as it is said, without "and"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = f" {number_words(number % size)}" if number % size else ""
    return f"{number_words(number // size)} {name}{rest}"


def _digits(digits: str) -> str:
    """A long row of digits, or one that begins with a zero, is said digit by digit."""
    if len(digits) > 6 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_ONES[int(digit)] for digit in digits)
    return number_words(int(digits))


def _ordinal(number: int) -> str:
    *before, last = number_words(number).split()
    ending = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return " ".join([*before, ending])


def _letters_joined(words: list[str]) -> list[str]:
    """ "n t f y" → "ntfy"; a letter alone stays."""
    joined: list[str] = []
    spelling = False
    for word in words:
        letter = len(word) == 1 and word.isalpha()
        if letter and spelling:
            joined[-1] += word
        else:
            joined.append(word)
        spelling = letter
    return joined


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Errors (substitutions, insertions, deletions at the least) and the number of words said.

    Levenshtein's distance over ``spelled_out`` words, where up to JOINED_WORDS words written as one are no error.
    """
    reference, hypothesis = spelled_out(said), spelled_out(heard)
    rows = [[0] * (len(hypothesis) + 1) for _ in range(len(reference) + 1)]
    for i in range(len(reference) + 1):
        for j in range(len(hypothesis) + 1):
            if i and j:
                ways = [rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + 1]
                rows[i][j] = min(*ways, *_same_sound(reference, hypothesis, i, j, rows))
            else:
                rows[i][j] = i + j
    return rows[-1][-1], len(reference)


def _same_sound(reference: list[str], hypothesis: list[str], i: int, j: int, rows: list[list[int]]) -> list[int]:
    """Costs of reading the last words of both as the same letters, divided otherwise."""
    return [
        rows[i - m][j - n]
        for m in range(1, min(JOINED_WORDS, i) + 1)
        for n in range(1, min(JOINED_WORDS, j) + 1)
        if "".join(reference[i - m : i]) == "".join(hypothesis[j - n : j])
    ] or [len(reference) + len(hypothesis)]

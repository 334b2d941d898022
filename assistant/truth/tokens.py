"""A sentence → tokens: names, states, numbers with their units, negations, and the rest. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.truth.lexicon import Lexicon
from assistant.truth.words import Role, Words, stem, words_of

_PIECE = re.compile(
    r"(?P<number>(?<!\w)(?:(?<![\d.])[-−+])?\d+(?:[.,:/-]\d+)*\w*)"
    r"|(?P<word>[^\W_]+(?:'[^\W_]+)*)"
    r"|(?P<stop>[,;()\[\]—–…]|(?<=\s)-(?=\s)|\.)"
    r"|(?P<colon>:)|(?P<unit>[%°])|(?P<quiet>[!\"'*\s-])|(?P<odd>.)",
    re.DOTALL,
)
_FIGURE = re.compile(r"([-−+]?\d+(?:[.,:/-]\d+)*)(\w*)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"', "‑": "-", "\u202f": " "})
_SPELLED = {"'ll": " will", "'ve": " have", "'re": " are", "'d": " would", "n't": " not"}
_SHORT = re.compile("(?:" + "|".join(_SPELLED) + ")$")
_SUFFIX_IS_ORDINAL = frozenset({"st", "nd", "rd", "th"})


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` as it was said; ``values``: what a name may mean, a state's groups, a mark's kinds, a number's key."""

    role: Role
    text: str
    values: frozenset[str] = frozenset()
    is_area: bool = False


def normal(text: str) -> str:
    """Lower case, straight quotes, single spaces: two sentences that come to the same are the same."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold().split())


@lru_cache(maxsize=256)
def tokens(text: str, lexicon: Lexicon, language: str = "en") -> tuple[Token, ...]:
    """All of a sentence. Never raises. Kept a while, because a sentence is read again with its neighbour."""
    words = words_of(language)
    pieces = list(_pieces(_THOUSANDS.sub("", normal(text)), words))
    return tuple(_Reader(pieces, lexicon, words).read())


def _pieces(text: str, words: Words) -> Iterator[tuple[str, str]]:
    """(kind, text) of each word, figure or mark; contractions spelled out, possessives off."""
    for found in _PIECE.finditer(text):
        kind, piece = str(found.lastgroup), found.group()
        if kind == "word":
            spelled = words.contractions.get(piece)
            if spelled is None:
                spelled = _SHORT.sub(lambda short: _SPELLED[short.group()], piece).removesuffix("'s").replace("'", "")
            yield from (("word", word) for word in spelled.split())
        elif kind != "quiet":
            yield kind, piece


class _Reader:
    """Reads pieces from left to right, the longest meaning first."""

    def __init__(self, pieces: Sequence[tuple[str, str]], lexicon: Lexicon, words: Words) -> None:
        self._pieces = pieces
        self._plain = [text if kind in ("word", "number") else "\0" for kind, text in pieces]
        self._lexicon = lexicon
        self._words = words

    def read(self) -> Iterator[Token]:
        at = 0
        while at < len(self._pieces):
            count, token = self._next(at)
            at += count
            yield token

    def _next(self, at: int) -> tuple[int, Token]:
        kind, text = self._pieces[at]
        if kind in ("stop", "colon", "odd", "unit"):
            role = {"stop": Role.STOP, "colon": Role.COLON}.get(kind, Role.ODD)
            return 1, Token(role, text)
        hit = self._lexicon.longest(self._plain, at)
        phrase = self._phrase(at)
        if hit and (phrase is None or hit[0] >= phrase[0]):
            count, named = hit
            return count, Token(Role.NAME, " ".join(self._plain[at : at + count]), named.things, named.is_area)
        if phrase:
            return phrase
        return self._number(at) or (1, self._word(text))

    def _phrase(self, at: int) -> tuple[int, Token] | None:
        longest = self._words.phrase_words.get(self._plain[at], 0)
        for count in range(min(longest, len(self._plain) - at), 1, -1):
            phrase = " ".join(self._plain[at : at + count])
            if phrase in self._words.moments:
                return count, _number_token(phrase, phrase, "")
            if phrase in self._words.roles:
                return count, self._word(phrase)
        return None

    def _word(self, text: str) -> Token:
        role, values = self._words.roles.get(text, (Role.WORD, frozenset()))
        return Token(role, stem(text) if role is Role.WORD and " " not in text else text, values)

    # ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _number(self, at: int) -> tuple[int, Token] | None:
        kind, text = self._pieces[at]
        words = self._words
        if kind == "number":
            found = _FIGURE.fullmatch(text)
            figure, suffix = (found.group(1), found.group(2)) if found else (text, "")
            return self._with_unit(at, 1, _value(figure), suffix)
        if text in words.numbers or (text in words.scales and at and self._plain[at - 1] in ("a", "the")):
            count, value = self._spelled(at)
            return self._with_unit(at, count, value, "")
        if text in words.ordinals:
            return 1, _number_token(text, str(words.ordinals.index(text) + 1), "th")
        if text in words.amounts or text in words.moments:
            return self._with_unit(at, 1, text, "") if text in words.amounts else (1, _number_token(text, text, ""))
        if text in ("a", "an") and at + 1 < len(self._plain) and self._plain[at + 1] in words.units:
            return self._with_unit(at, 1, "1", "")
        return None

    def _spelled(self, at: int) -> tuple[int, str]:
        """ "twenty one", "two hundred and five", "three and a half", "two point five"."""
        words, plain, start = self._words, self._plain, at
        total, current = 0, 0
        while at < len(plain):
            word = plain[at]
            if word in words.numbers:
                value = words.numbers[word]
                if current and not (current % 100 == 0 or (current % 10 == 0 and value < 10 <= current % 100)):
                    break
                current += value
            elif word in words.scales:
                current = max(current, 1) * words.scales[word]
                if words.scales[word] > 100:
                    total, current = total + current, 0
            elif not (word == "and" and at > start and plain[at - 1] in words.scales and self._is_number(at + 1)):
                break
            at += 1
        value_text = str(total + current)
        if plain[at : at + 3] == ["and", "a", "half"]:
            return at + 3 - start, f"{value_text}.5"
        if at + 1 < len(plain) and plain[at] == "point" and plain[at + 1] in words.numbers:
            return at + 2 - start, f"{value_text}.{words.numbers[plain[at + 1]]}"
        return at - start, value_text

    def _is_number(self, at: int) -> bool:
        return at < len(self._plain) and self._plain[at] in self._words.numbers

    def _with_unit(self, at: int, count: int, value: str, suffix: str) -> tuple[int, Token]:
        words = self._words
        if suffix:
            unit = "th" if suffix in _SUFFIX_IS_ORDINAL else words.unit_suffixes.get(suffix, words.units.get(suffix))
            return count, _number_token(self._plain[at], value, suffix if unit is None else unit)
        rest = at + count
        for step in (2, 1):  # "half an hour", "20 °c"
            said = self._unit_words(rest, step)
            if said in words.units:
                unit = words.units[said]
                if unit in words.time_units and at and self._plain[at - 1] == "in":
                    unit = f"until {unit}"
                return count + step, _number_token(value, value, unit)
        return count, _number_token(value, value, "")

    def _unit_words(self, at: int, count: int) -> str:
        texts = [text for _, text in self._pieces[at : at + count]]
        if len(texts) < count:
            return ""
        return texts[1] if count == 2 and texts[0] in ("a", "an") else "".join(texts)


def _number_token(text: str, value: str, unit: str) -> Token:
    return Token(Role.NUMBER, text, frozenset({f"{value} {unit}".strip()}))


def _value(figure: str) -> str:
    """ "21.0" and "21" are one number; what is no decimal (7:30, 10.0.0.1) stays as it is."""
    figure = figure.replace("−", "-").removeprefix("+")
    if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", figure):
        number = float(figure)
        return str(int(number)) if number.is_integer() else repr(number)
    return figure

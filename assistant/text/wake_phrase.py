"""The wake phrase at the start of a transcript, also as speech recognition writes it wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

DEFAULT_WAKE_WORDS = ("hey_jarvis",)

GREETINGS = frozenset({"hey", "hi", "ok", "okay", "hello"})
"""What a wake phrase may begin with; whichever of them is heard."""

_HEARD_GREETINGS = frozenset({"a", "ay", "eh", "he", "hay", "hei", "hej", "hate", "h", "yo"})
"""What Whisper makes of "hey". They are words of sentences too, so only a known form of the name may follow."""

_MISHEARD = {
    "jarvis": "jarvus jervis jarvi jarvie jarvies jarves jarvise jarvises jarviz javis jervais charvis garvis darvis "
    "jardis marvis arvis jarvas jarvist jarvish gervais jarvic jarvice jarvys tarvis",
    "alexa": "elexa alexia alexer lexa",
    "mycroft": "microft mycraft mikecroft mykroft",
    "computer": "computa",
}
"""Name → what Whisper writes that is no other word."""

_MISTAKEN = {
    "jarvis": "travis davis harvest marvis chavez jervais jar",
    "alexa": "alex alexis",
    "mycroft": "microsoft",
    "computer": "computers commuter compute",
}
"""Name → other words that Whisper writes for it. They count behind a greeting, or set off by a pause."""

LIKE = 0.86
"""Likeness from which an unknown word behind a greeting is the name: "jarvus" has 0.97, "joris" 0.85, "service" 0.70
for Jarvis; "microft" 0.96, "minecraft" 0.85 for Mycroft."""

LIKE_WHEN_HEARD = 0.63
"""Likeness of the beginning to the whole phrase, where it is known to have been said: "hrvs" has 0.67, "hitchardis"
0.64; "hey is gitea" 0.59, "there was a restart" 0.55, "is the backup" 0.40."""

AHEAD_OF_NAME = 2
"""Words before the name that are its greeting, heard as something else."""

MOST_PIECES = 4
"""Words that a phrase heard wrong falls into."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_POSSESSIVE = re.compile(r"['’]s$")
_SET_OFF = re.compile(r"\s*[,.!?:;–—-]\W*\w")
_AFTER = " \t,.!?:;-–—…_'’\"“”"


@dataclass(frozen=True, slots=True)
class _Name:
    """The name in a wake phrase: "jarvis" in "hey jarvis"."""

    words: int
    joined: str
    misheard: frozenset[str]
    mistaken: frozenset[str]

    def heard(self, pieces: Sequence[str], greeting: str, apart: bool) -> bool:
        """Whether those words are the name. ``apart``: punctuation follows them, and then more words."""
        said = "".join(_POSSESSIVE.sub("", piece.casefold()) for piece in pieces)
        if said == self.joined or said in self.misheard:
            return True
        if not (greeting in GREETINGS or (not greeting and apart)):
            return False
        return said in self.mistaken or (len(pieces) <= self.words and likeness(said, self.joined) >= LIKE)


def spoken_wake_word(wake_word: str) -> str:
    """The phrase of a wake word's name: ``hey_jarvis`` is said "hey jarvis"."""
    return " ".join(re.sub(r"_v\d.*$", "", wake_word.casefold()).replace("_", " ").split())


def without_wake_phrase(text: str, wake_words: Sequence[str] = DEFAULT_WAKE_WORDS) -> str:
    """The text without wake phrases and punctuation at its start. Words that only resemble one further on stay."""
    names = tuple(name for word in wake_words if (name := _name(word)) is not None)
    while (end := _end_of_phrase(text, names)) is not None:
        text = text[end:].lstrip(_AFTER)
    return text


def without_heard_wake_phrase(text: str, wake_words: Sequence[str] = DEFAULT_WAKE_WORDS) -> str:
    """The same where the wake word was detected in the sound, so that its phrase stands at the start in whatever form:
    "K Jarvis, what's up", "H-R-V-S is the door locked"."""
    plain = without_wake_phrase(text, wake_words)
    if plain != text:
        return plain
    found = list(_WORD.finditer(text[:200]))
    for word in wake_words:
        name = _name(word)
        if name is None:
            continue
        for end in range(min(AHEAD_OF_NAME + name.words, len(found)), 0, -1):
            if name.heard([piece.group() for piece in found[max(end - name.words, 0) : end]], "hey", apart=True):
                return text[found[end - 1].end() :].lstrip(_AFTER)
        phrase = spoken_wake_word(word).replace(" ", "")
        likest = (
            max(
                (likeness("".join(piece.group().casefold() for piece in found[:end]), phrase), -end)
                for end in range(1, min(MOST_PIECES, len(found)) + 1)
            )
            if found
            else (0.0, 0)
        )
        if likest[0] >= LIKE_WHEN_HEARD:
            return text[found[-likest[1] - 1].end() :].lstrip(_AFTER)
    return text


def likeness(one: str, other: str) -> float:
    """0–1: the mean of spelling (Jaro-Winkler) and sound (Metaphone, Philips 1990)."""
    sounds = fuzz.ratio(jellyfish.metaphone(one), jellyfish.metaphone(other)) / 100
    return (JaroWinkler.similarity(one, other) + sounds) / 2


@lru_cache(64)
def _name(wake_word: str) -> _Name | None:
    words = spoken_wake_word(wake_word).split()
    if len(words) > 1 and words[0] in GREETINGS:
        words = words[1:]
    joined = "".join(words)
    if not joined:
        return None
    known = _MISHEARD.get(joined, "").split()
    return _Name(len(words), joined, frozenset(known), frozenset(_MISTAKEN.get(joined, "").split()))


def _end_of_phrase(text: str, names: Sequence[_Name]) -> int | None:
    """Where the wake phrase at the start of the text ends; None when there is none."""
    found = list(_WORD.finditer(text[:200]))
    if not found:
        return None
    first = found[0].group().casefold()
    greeted = first in GREETINGS or first in _HEARD_GREETINGS
    for name in names:
        for start in (1, 0) if greeted else (0,):
            for size in range(name.words + 1, 0, -1):
                stretch = found[start : start + size]
                if len(stretch) < size:
                    continue
                apart = _SET_OFF.match(text, stretch[-1].end()) is not None
                if name.heard([word.group() for word in stretch], first if start else "", apart):
                    return stretch[-1].end()
    return _glued(found[0], names)


def _glued(first: re.Match[str], names: Sequence[_Name]) -> int | None:
    """ "Heyjarvis": greeting and name as one word."""
    word = first.group().casefold()
    for greeting in ("hey", "he", "hay", "okay", "ok"):
        rest = word.removeprefix(greeting)
        if rest != word and any(rest == name.joined or rest in name.misheard for name in names):
            return first.end()
    return None

"""The words of ``states.yaml`` and what each of them does in a sentence. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from assistant.sentences.normalize import grammar_file


class Role(Enum):
    """What a word, or a phrase, does in a sentence."""

    NAME = auto()
    STATE = auto()
    NUMBER = auto()
    MARK = auto()
    """Turns round, weakens or counts: "not", "never", "may", "all", "none"."""
    VERB = auto()
    PREPOSITION = auto()
    PRONOUN = auto()
    SPLIT = auto()
    CAUSE = auto()
    STOP = auto()
    """Punctuation between two clauses."""
    COLON = auto()
    NEUTRAL = auto()
    WORD = auto()
    """Any other word: it may be said only where a tool said it."""
    ODD = auto()
    """A character that no spoken sentence has."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a result is about: words that may be said of anything in it, and states that only such a thing has.

    ``by_name``: where things of several kinds have one name, the name alone means the one of this kind.
    """

    name: str
    keys: frozenset[str]
    words: frozenset[str]
    groups: frozenset[str]
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """``states.yaml`` of a language, looked up by word."""

    roles: Mapping[str, tuple[Role, frozenset[str]]]
    """Word or phrase → its role and what it comes to: groups of a state, kinds of a mark."""
    phrase_words: Mapping[str, int]
    """First word of a phrase → how many words the longest phrase with it has."""
    numbers: Mapping[str, int]
    scales: Mapping[str, int]
    ordinals: tuple[str, ...]
    amounts: frozenset[str]
    moments: frozenset[str]
    units: Mapping[str, str]
    time_units: frozenset[str]
    unit_suffixes: Mapping[str, str]
    contractions: Mapping[str, str]
    topics: tuple[Topic, ...]
    of_the_moment: frozenset[str]
    past: frozenset[str]
    droppable: frozenset[str]
    quantifiers: frozenset[str]
    openers: frozenset[str]
    orders: frozenset[str]
    house: frozenset[str]
    definite: frozenset[str]
    deeds: frozenset[str]
    done: frozenset[str]
    unable: tuple[str, ...]


@cache
def words_of(language: str = "en") -> Words:
    """Raises FileNotFoundError, YAMLError or KeyError when the installation is damaged."""
    data = grammar_file("states", language)
    roles: dict[str, tuple[Role, frozenset[str]]] = {}
    for key, role in _PLAIN.items():
        roles.update((word, (role, frozenset())) for word in data[key])
    for key in ("marks", "quantifiers"):
        roles.update((word, (Role.MARK, kinds)) for word, kinds in _inverted(data[key]).items())
    roles.update((word, (Role.STATE, groups)) for word, groups in _inverted(data["groups"]).items())
    longest: dict[str, int] = defaultdict(int)
    for phrase in (*roles, *data["moments"]):
        first, *rest = phrase.split()
        if rest:
            longest[first] = max(longest[first], len(rest) + 1)
    return Words(
        roles=roles,
        phrase_words=dict(longest),
        numbers=data["numbers"],
        scales=data["scales"],
        ordinals=tuple(data["ordinals"]),
        units={word: unit for unit, words in data["units"].items() for word in words},
        unit_suffixes=data["unit_suffixes"],
        contractions=grammar_file("common", language)["contractions"],
        topics=tuple(_topic(name, entry) for name, entry in data["topics"].items()),
        quantifiers=frozenset(data["quantifiers"]),
        unable=tuple(data["unable"]),
        **{key: frozenset(data[key]) for key in _SETS},
    )


_PLAIN = {
    "neutral": Role.NEUTRAL,
    "prepositions": Role.PREPOSITION,
    "verbs": Role.VERB,
    "splitters": Role.SPLIT,
    "pronouns": Role.PRONOUN,
    "causes": Role.CAUSE,
    "idioms": Role.WORD,
    "droppable": Role.WORD,
}
"""Sections that are lists of words of one role; of a word in several the last one holds."""

_SETS = (
    "amounts", "moments", "time_units", "of_the_moment", "past", "droppable", "openers", "orders", "house", "definite",
    "deeds", "done",
)  # fmt: skip


def _topic(name: str, entry: Mapping[str, Any]) -> Topic:
    return Topic(
        name,
        frozenset(entry["keys"]),
        frozenset(entry["words"]),
        frozenset(entry["groups"]),
        entry.get("by_name", False),
    )


@cache
def kind_words(language: str = "en") -> frozenset[str]:
    """Words for kinds of things: "service", "backup", "machine"."""
    return frozenset(word for topic in words_of(language).topics for word in topic.words)


def _inverted(sections: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for section, words in sections.items():
        for word in words:
            found[word].add(section)
    return {word: frozenset(kinds) for word, kinds in found.items()}


def stem(word: str) -> str:
    """Plural as singular: "backups" and "backup" are one word."""
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith("ss") else word

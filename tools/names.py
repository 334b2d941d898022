"""The resolver: names as people and speech recognition say them → canonical names. Pure.

Exact, then alias, then sound and spelling with a margin: a name that is close to two things, or to nothing, is never
guessed; the nearest names are given back instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

import jellyfish
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from tools.settings import ToolSettings

How = Literal["exact", "alias", "fuzzy"]

THRESHOLD = 0.80
"""Score from which a misheard name counts as meant: over the demo homelab's names, what speech recognition makes of
them ("pie hole", "get tea") scores 0.82 and more, other household words 0.75 and less (tests/tools/test_names.py)."""

MARGIN = 0.06
"""A second name closer than this to the best makes it a tie, and a tie asks back."""

SYLLABLE = 0.99
"""Weight of a name whose first syllable was heard as an article ("a mitch" for immich), or one of whose syllables as a
letter ("get t" for gitea): everything else goes first."""

NEAREST = 3
"""Candidates named when nothing fits."""

LONGEST = 100
"""Characters of a name that are looked at; the rest of a longer text is no name."""

REMEMBERED = 4_096
"""Stretches whose resolution is kept per kind."""

_ARTICLES = frozenset({"the", "my", "our", "a", "an", "your", "all"})
_FILLERS = frozenset({"server", "service", "backup", "backups", "back", "up", "job", "app", "container", "box", "s",
                      "vm", "vms", "machine", "virtual"})  # fmt: skip
_LETTERS = {
    "b": "bee", "c": "see", "d": "dee", "f": "eff", "g": "jee", "j": "jay", "k": "kay", "l": "ell", "m": "em",
    "n": "en", "p": "pee", "q": "cue", "r": "ar", "t": "tee", "u": "you", "v": "vee", "x": "ex", "y": "why", "z": "zee",
}  # fmt: skip
"""As letters are said; an a, an i, an o and an s are words of their own."""

_NUMBERS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one name that was meant; ``score`` is 1.0 for exact and alias."""

    name: str
    how: How
    score: float


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No name, or several: ``names`` are the nearest, best first; ``ambiguous`` when they are equally close."""

    said: str
    names: tuple[str, ...]
    ambiguous: bool


class NameIndex:
    """The names of the house, per kind (``service``, ``job``): canonical name → aliases."""

    def __init__(self, by_kind: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._kinds = {
            kind: _Kind({name: tuple(aliases) for name, aliases in names.items()}) for kind, names in by_kind.items()
        }

    @classmethod
    def from_settings(cls, settings: ToolSettings) -> NameIndex:
        """The index of what is configured."""
        devices: dict[str, list[str]] = {
            name: [] for area in settings.areas.values() for name in (*area.lights, *area.devices)
        }
        for said, meant in settings.home_aliases.items():
            if meant in devices:  # else it is a name of the home system
                devices[meant].append(said)
        return cls(
            {
                "service": {name: service.aliases for name, service in settings.services.items()},
                "job": {name: job.aliases for name, job in settings.backups.items()},
                "vm": {name: vm.aliases for name, vm in settings.vms.items()},
                "device": devices,
                "area": {name: area.aliases for name, area in settings.areas.items()},
            }
        )

    def replace(self, kind: str, names: Mapping[str, Iterable[str]]) -> None:
        """The names of one kind, where they come from outside and have changed."""
        self._kinds[kind] = _Kind({name: tuple(aliases) for name, aliases in names.items()})

    def as_json(self) -> dict[str, dict[str, list[str]]]:
        """What the resource ``jarvis://names`` holds."""
        return {
            kind: {name: list(aliases) for name, aliases in index.aliases.items()}
            for kind, index in self._kinds.items()
        }

    def names(self, kind: str) -> tuple[str, ...]:
        """Canonical names, in the order of the configuration."""
        return tuple(self._kinds[kind].aliases) if kind in self._kinds else ()

    def exact(self, kind: str, written: str) -> str | None:
        """The one name that is written like this, or has it as an alias: case, spaces and punctuation aside."""
        index = self._kinds.get(kind)
        return index.exact(written[:LONGEST]) if index else None

    def resolve(self, kind: str, said: str) -> Resolved | Unresolved:
        """The name of that kind that ``said`` means. Never raises."""
        index, said = self._kinds.get(kind), said[:LONGEST]
        return index.resolve(said) if index else Unresolved(said, (), ambiguous=False)


@dataclass(frozen=True)
class _Kind:
    aliases: Mapping[str, tuple[str, ...]]
    _resolved: dict[str, Resolved | Unresolved] = field(default_factory=dict)

    @cached_property
    def _forms(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Keys of the canonical names, and keys of the aliases, each → the names that they stand for."""
        canonical: dict[str, set[str]] = defaultdict(set)
        alias: dict[str, set[str]] = defaultdict(set)
        for name, others in self.aliases.items():
            canonical[_key(name)].add(name)
            for other in others:
                alias[_key(other)].add(name)
        return dict(canonical), dict(alias)

    def resolve(self, said: str) -> Resolved | Unresolved:
        """Remembered, because an utterance is looked at in many stretches."""
        known = self._resolved.get(said)
        if known is None:
            if len(self._resolved) >= REMEMBERED:
                self._resolved.clear()
            known = self._resolved[said] = self._resolve(said)
        return known

    def exact(self, written: str) -> str | None:
        """Nothing is left out of it and nothing is guessed: it is what another program calls the thing."""
        key = _key(written)
        meant = next((forms[key] for forms in self._forms if key and key in forms), set())
        return next(iter(meant)) if len(meant) == 1 else None

    def _resolve(self, said: str) -> Resolved | Unresolved:
        spoken = _key(said)
        if not spoken:
            return Unresolved(said, (), ambiguous=False)
        canonical, alias = self._forms
        for key in _variants(said):  # the fullest key first: an alias as said beats a name that needs a plural
            if key in canonical:
                return _one_of(canonical[key], said, "exact")
            if key in alias:
                return _one_of(alias[key], said, "alias")
        return self._by_sound(said)

    def _by_sound(self, said: str) -> Resolved | Unresolved:
        best: dict[str, float] = {}
        keys = dict.fromkeys((*_first_syllable(said), *_spelled(said)), SYLLABLE) | dict.fromkeys(_variants(said), 1.0)
        for forms in self._forms:
            for form, names in forms.items():
                score = max(_similarity(key, form) * weight for key, weight in keys.items())
                for name in names:
                    best[name] = max(best.get(name, 0.0), score)
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        if not ranked or ranked[0][1] < THRESHOLD:
            return Unresolved(said, tuple(name for name, _ in ranked[:NEAREST]), ambiguous=False)
        name, score = ranked[0]
        rivals = tuple(other for other, rival in ranked if score - rival < MARGIN)
        return Unresolved(said, rivals, ambiguous=True) if len(rivals) > 1 else Resolved(name, "fuzzy", score)


def _one_of(names: set[str], said: str, how: How) -> Resolved | Unresolved:
    if len(names) == 1:
        return Resolved(next(iter(names)), how, 1.0)
    return Unresolved(said, tuple(sorted(names)), ambiguous=True)


def plain(text: str) -> list[str]:
    """Lower-case words without accents, punctuation and possessives, numbers as digits."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    lowered = re.sub(r"['’]s\b", "", bare.casefold())
    words = re.sub(r"[^\w]+|_", " ", lowered).split()
    return [_NUMBERS.get(word, word) for word in words]


LONGEST_NAME = 40
"""Characters of what reads like a name: "living room corner window contact" has 33."""

MOST_WORDS = 6


def is_name(text: str) -> bool:
    """Whether it reads like the name of a thing. What is longer, or has the marks of a sentence, of markup or of code
    in it, may have been written to be obeyed: it is said as it is, and treated as text from outside."""
    return len(text) <= LONGEST_NAME and len(text.split()) <= MOST_WORDS and not _NO_NAME.search(text)


_NO_NAME = re.compile(r"[^\w\s.,'’()&+/°·-]|[.,]\s|_{2}")


def _key(text: str) -> str:
    """Articles off the front and the words joined: "the Next Cloud" and "nextcloud" are one name."""
    words = plain(text)
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return "".join(words)


def _variants(said: str) -> tuple[str, ...]:
    """Keys to look for, the fullest first: as said, then without filler words, then singular or plural."""
    words = plain(said)
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    bare = [word for word in words if word not in _FILLERS] or words
    keys = ["".join(words), "".join(bare)]
    keys += [key[:-1] if key.endswith("s") else key + "s" for key in keys if len(key) > 3]
    return tuple(dict.fromkeys(keys))


def _first_syllable(said: str) -> tuple[str, ...]:
    """The key with an article that may have been the first syllable of the name."""
    words = plain(said)
    return ("".join(words),) if len(words) > 1 and words[0] in ("a", "an") else ()


def _spelled(said: str) -> tuple[str, ...]:
    """The key with a lone letter among its words as it is said: it may have been a syllable."""
    words = plain(said)
    letters = sum(word in _LETTERS for word in words)
    return (_key(" ".join(_LETTERS.get(word, word) for word in words)),) if 0 < letters < len(words) else ()


def _similarity(said: str, name: str) -> float:
    """0–1: the mean of spelling and sound; short words must agree in both."""
    if min(len(said), len(name)) < 3:
        return 1.0 if said == name else 0.0
    spelling = max(JaroWinkler.similarity(said, name), fuzz.ratio(said, name) / 100)
    sound_said, sound_name = _sound(said), _sound(name)
    if not sound_said or not sound_name:
        return spelling * 0.8
    sound = fuzz.ratio(sound_said, sound_name) / 100
    length = min(len(said), len(name)) / max(len(said), len(name))
    return (0.45 * spelling + 0.55 * sound) * (0.7 + 0.3 * length)


@lru_cache(maxsize=4096)
def _sound(word: str) -> str:
    """Metaphone (Philips 1990) without its vowels, the first of which is any vowel ("emich" is immich), voiced and
    unvoiced stops as one, also where one follows the other ("jitdy" is gitea), th like f."""
    code = jellyfish.metaphone(re.sub("[td]{2,}", "t", word)).replace(" ", "")
    code = code.translate(str.maketrans("GDBVZJ0", "KTPFSXF"))
    return f"A{code[1:]}" if code.startswith(("A", "E", "I", "O", "U")) else code

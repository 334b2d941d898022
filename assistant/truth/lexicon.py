"""The names of the house as they may stand in a sentence. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.ports import DeviceName, Names
from assistant.sentences.vocabulary import spoken_forms

LONGEST_FORM_WORDS = 5

_Entries = tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A stretch of words that is a name: the things it may mean, and whether it is an area's."""

    things: frozenset[str]
    is_area: bool


class Lexicon:
    """Every form of every name → what it may mean; a form may mean things of several kinds."""

    def __init__(self, kinds: _Entries, devices: Sequence[DeviceName]) -> None:
        self._forms: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self._areas: dict[str, set[str]] = defaultdict(set)
        for kind, entries in kinds:
            for form, canonical in spoken_forms(dict(entries)).items():
                self._add(form, canonical, kind)
        for device in devices:
            self._add(device.name.casefold(), device.name, "device")
            self._add(device.area.casefold(), device.area, "area")
            self._areas[device.name].add(device.area)
        self._first_words = {form[0] for form in self._forms}

    def _add(self, form: str, canonical: str, kind: str) -> None:
        words = tuple(form.replace("-", " ").split())
        if not words:
            return
        for variant in (words, (*words[:-1], f"{words[-1]}s")):
            self._forms[variant].add(canonical)
        self._kinds[canonical].add(kind)

    def longest(self, words: Sequence[str], start: int) -> tuple[int, Named] | None:
        """How many words from ``start`` are a name, and which; the longest there is."""
        if words[start] not in self._first_words:
            return None
        for count in range(min(LONGEST_FORM_WORDS, len(words) - start), 0, -1):
            things = self._forms.get(tuple(words[start : start + count]))
            if things:
                area = any(self._kinds[thing] == {"area"} for thing in things)
                return count, Named(frozenset(things), area and len(things) == 1)
        return None

    def find(self, words: Sequence[str]) -> frozenset[str]:
        """Every thing that the words may name."""
        found: set[str] = set()
        at = 0
        while at < len(words):
            hit = self.longest(words, at)
            if hit:
                found |= hit[1].things
            at += hit[0] if hit else 1
        return frozenset(found)

    def kinds(self, thing: str) -> int:
        """How many kinds have a thing of that name: a service and its backup."""
        return len(self._kinds.get(thing, ()))

    def areas(self, thing: str) -> int:
        """How many areas have a device of that name."""
        return len(self._areas.get(thing, ()))


def lexicon_of(names: Names) -> Lexicon:
    """Kept while the names stay the same."""
    kinds = tuple(
        (kind, tuple((name, tuple(aliases)) for name, aliases in entries.items()))
        for kind, entries in names.by_kind.items()
    )
    return _lexicon(kinds, tuple(names.devices))


@lru_cache(maxsize=8)
def _lexicon(kinds: _Entries, devices: tuple[DeviceName, ...]) -> Lexicon:
    return Lexicon(kinds, devices)

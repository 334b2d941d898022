"""The templates filled with the live names: one clause in, the readings out that cover it best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from hassil import Intents, recognize_all
from hassil.intents import SlotList, TextSlotList
from hassil.util import merge_dict

from assistant.ports import Names
from assistant.sentences.normalize import grammar_file
from assistant.sentences.vocabulary import KINDS, spoken_forms

REMEMBERED = 512
"""Readings kept: the parts of a compound are read again and again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a template reads: an intent with its slots.

    ``free``: characters that stand where anything may stand; ``named``: characters of names. The less of the one and
    the more of the other, the better the template fits.
    """

    intent: str
    template: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    free: int = 0
    named: int = 0

    @property
    def fit(self) -> tuple[int, int]:
        """Smaller is better."""
        return self.free, -self.named

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Two readings with the same key mean the same."""
        return self.intent, tuple(sorted((name, str(value)) for name, value in self.slots.items()))


class Grammar:
    """Some files of ``prompts/sentences/<language>`` with lists of names. Immutable."""

    def __init__(self, files: Sequence[str], names: Names, language: str = "en") -> None:
        self._language = language
        self._intents = _intents(tuple(files), language)
        self._lists: dict[str, SlotList] = {
            kind: TextSlotList.from_tuples(
                sorted(spoken_forms(names.by_kind.get(kind, {}), language).items()), allow_template=False, name=kind
            )
            for kind in KINDS
        }

        self.read = lru_cache(REMEMBERED)(self._read)
        """The one reading that fits best, of the intents in ``only``; None when there is none, or a tie."""

    def _read(self, words: str, only: frozenset[str] | None = None) -> Reading | None:
        readings = []
        for result in recognize_all(words, self._intents, slot_lists=self._lists, language=self._language):
            if only is not None and result.intent.name not in only:
                continue
            template = (result.intent_sentence and result.intent_sentence.text) or result.intent.name
            readings.append(
                Reading(
                    result.intent.name,
                    template,
                    {entity.name: _plain(entity.value) for entity in result.entities_list},
                    sum(len(entity.text) for entity in result.entities_list if entity.is_wildcard),
                    sum(len(entity.text.strip()) for entity in result.entities_list if not entity.is_wildcard),
                )
            )
        return one_that_fits(readings)


@cache
def _intents(files: tuple[str, ...], language: str) -> Intents:
    """Whoever has other names shares the templates: they are parsed when they are first used, which takes longer than
    all the rest of a grammar."""
    merged: dict[str, Any] = {}
    for file in ("common", *files):
        merge_dict(merged, deepcopy(grammar_file(file, language)))
    merged["language"] = language
    return Intents.from_dict(merged)


def one_that_fits(readings: Iterable[Reading]) -> Reading | None:
    """The reading that fits best; None when there is none, or when two that mean different things fit equally well."""
    found: dict[object, Reading] = {}
    for reading in readings:
        known = found.get(reading.key)
        if known is None or reading.fit < known.fit:
            found[reading.key] = reading
    best = min((reading.fit for reading in found.values()), default=None)
    fitting = [reading for reading in found.values() if reading.fit == best]
    return fitting[0] if len(fitting) == 1 else None


def _plain(value: Any) -> Any:
    """Wildcards without the space around them, whole numbers as such."""
    if isinstance(value, str):
        return value.strip()
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""Sentence match: answering from a sentence template before any model is asked.

Templates are hassil's (``prompts/sentences/<language>/<tool>.yaml``); an intent is named like the tool it calls and
its lists like the tool's parameters. None is always allowed, a wrong call never is: a template has to cover the whole
utterance, a name that means two things is left out, and two templates that read different calls cancel each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy

from hassil import Intents, recognize_all
from hassil.intents import SlotList, TextSlotList
from hassil.util import merge_dict

from assistant.ports import Names, SentenceMatch
from assistant.sentences.normalize import grammar_file, plain_words, utterance_core

TOOLS = ("check_services", "check_backups")
"""The tools that have templates."""

KINDS = ("service", "job")
"""Kinds of names that templates use, each a list of the same name."""

MAX_WORDS = 24
"""Longer utterances are no simple question; the templates' optional parts would only cost time."""


class HassilMatcher:
    """Templates filled with the live names. Immutable; build a new one when the names change."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        merged: dict[str, object] = {}
        for file in ("common", *TOOLS):
            merge_dict(merged, deepcopy(grammar_file(file, language)))
        merged["language"] = language
        self._intents = Intents.from_dict(merged)
        self._lists: dict[str, SlotList] = {
            kind: TextSlotList.from_tuples(
                sorted(spoken_forms(names.by_kind.get(kind, {}), language).items()), allow_template=False, name=kind
            )
            for kind in KINDS
        }
        self.match("is this the first sentence")  # templates are parsed when first used: not in somebody's turn

    def match(self, text: str) -> SentenceMatch | None:
        """The one call that the templates read out of ``text``, or None."""
        words = utterance_core(text, self._language)
        if not words or len(words.split()) > MAX_WORDS:
            return None
        found: dict[tuple[str, tuple[tuple[str, str], ...]], SentenceMatch] = {}
        for result in recognize_all(words, self._intents, slot_lists=self._lists, language=self._language):
            arguments = {entity.name: str(entity.value) for entity in result.entities_list if entity.name in KINDS}
            template = (result.intent_sentence and result.intent_sentence.text) or result.intent.name
            key = (result.intent.name, tuple(sorted(arguments.items())))
            found.setdefault(key, SentenceMatch(template=template, tool=result.intent.name, arguments=arguments))
            if len(found) > 1:
                return None
        return next(iter(found.values()), None)


def spoken_forms(names: Mapping[str, Iterable[str]], language: str = "en") -> dict[str, str]:
    """What people say for each name → the canonical name; forms that could mean two names are left out.

    Canonical names outrank aliases, aliases outrank singular forms ("the photo backup" for photos).
    """
    forms: dict[str, str] = {}
    for rank in (_canonical_forms, _alias_forms, _singular_forms):
        meant: dict[str, set[str]] = defaultdict(set)
        for canonical, aliases in names.items():
            for form in rank(canonical, aliases, language):
                meant[form].add(canonical)
        for form, canonicals in meant.items():
            if len(canonicals) == 1 and form and form not in forms:
                forms[form] = next(iter(canonicals))
    return forms


def _canonical_forms(canonical: str, _aliases: Iterable[str], language: str) -> Iterator[str]:
    yield plain_words(canonical, language)


def _alias_forms(_canonical: str, aliases: Iterable[str], language: str) -> Iterator[str]:
    for alias in aliases:
        yield _without_article(plain_words(alias, language))


def _singular_forms(canonical: str, aliases: Iterable[str], language: str) -> Iterator[str]:
    for name in (canonical, *aliases):
        words = _without_article(plain_words(name, language))
        if words.endswith("s") and not words.endswith("ss") and len(words) > 3:
            yield words[:-1]


def _without_article(words: str) -> str:
    for article in ("the ", "my ", "our "):
        if words.startswith(article):
            return words[len(article) :]
    return words

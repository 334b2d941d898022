"""Sentence match: answering from a sentence template before any model is asked.

Templates are hassil's (``prompts/sentences/<language>/<tool>.yaml``); an intent is named like the tool it calls and
its lists like the tool's parameters. None is always allowed, a wrong call never is: a template has to cover the whole
utterance, a name that means two things is left out, and two templates that read different calls cancel each other.
"""

from __future__ import annotations

from copy import deepcopy

from hassil import Intents, recognize_all
from hassil.intents import SlotList, TextSlotList
from hassil.util import merge_dict

from assistant.ports import Names, SentenceMatch
from assistant.sentences.normalize import grammar_file, plain_words, utterance_core
from assistant.sentences.vocabulary import KINDS, TOOLS, misheard, spoken_forms
from tools.names import NameIndex

MAX_WORDS = 24
"""Longer utterances are no simple question; the templates' optional parts would only cost time."""


class HassilMatcher:
    """Templates filled with the live names. Immutable; build a new one when the names change."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        self._index = NameIndex(names.by_kind)
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
        return self._by_templates(words) or self._misheard(words)

    def _by_templates(self, words: str) -> SentenceMatch | None:
        found: dict[tuple[str, tuple[tuple[str, str], ...]], SentenceMatch] = {}
        for result in recognize_all(words, self._intents, slot_lists=self._lists, language=self._language):
            arguments = {entity.name: str(entity.value) for entity in result.entities_list if entity.name in KINDS}
            template = (result.intent_sentence and result.intent_sentence.text) or result.intent.name
            key = (result.intent.name, tuple(sorted(arguments.items())))
            found.setdefault(key, SentenceMatch(template=template, tool=result.intent.name, arguments=arguments))
            if len(found) > 1:
                return None
        return next(iter(found.values()), None)

    def _misheard(self, words: str) -> SentenceMatch | None:
        """The match with one stretch that sounds like a name put right ("is jelly finn up")."""
        for kind in KINDS:
            for stretch, name in misheard(kind, words, self._index, self._language):
                mended = f" {words} ".replace(f" {stretch} ", f" {plain_words(name, self._language)} ", 1).strip()
                match = self._by_templates(mended)
                if match is not None and match.arguments.get(kind) == name:
                    return match
        return None

"""One request read with the templates: as it is, with a misheard name put right, without words that change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.ports import Names, WantedCall
from assistant.sentences.grammar import Grammar, Reading
from assistant.sentences.here import with_here
from assistant.sentences.home import HomeSentences
from assistant.sentences.named_words import without_names
from assistant.sentences.normalize import (
    as_said,
    grammar_file,
    is_urgent,
    order_core,
    plain_words,
    utterance_core,
    without_urgency,
)
from assistant.sentences.speech_kind import may_act, speech_of
from assistant.sentences.task_names import task_called, without_remark
from assistant.sentences.vocabulary import (
    ACTS,
    KINDS,
    READS,
    TOOLS,
    joined_names,
    joined_words,
    misheard,
    spoken_forms,
    without_trimmings,
)
from tools.contract import Speech
from tools.names import NameIndex

_READS, _ACTS = frozenset(READS), frozenset(ACTS)
_ALLOWED: dict[Speech, tuple[frozenset[str] | None, ...]] = {
    Speech.QUESTION: (_READS,),
    Speech.ORDER: (_ACTS, _READS),
    Speech.UNKNOWN: (None,),
}
"""Tools whose templates are tried, group by group: "kitchen light on" orders, with a question mark it asks."""


TRIMMED = "(trimmed) "
"""Before a template that read an utterance without some of its words."""

_TELLING = frozenset({"is", "are", "was", "were"})
"""Where one of these is lost on the way to an order, there was none: "the blinds are at 50 percent"."""

EVERYTHING = ("all", "lights")
"""Targets that stand for many devices."""

_NO_MESSAGE = frozenset({"to", "if", "when", "whenever", "once", "unless", "as"})
""" "send a message to Bob": nobody that we could reach; "notify me if jellyfin goes down": nothing to send now."""

_FOR_SOMEBODY = re.compile(r"\s+for (?!all$|everything$|me$)(?:(?:the|my|our|your) )?[a-z]+$")
"""Whom an order is for says nothing about it: "unlock the front door for the neighbour"."""


class Templates:
    """Filled with the live names. Immutable."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        self._index = NameIndex(names.by_kind)
        self._devices = names.by_kind.get("device", {})
        self._forms = frozenset(form for known in names.by_kind.values() for form in spoken_forms(known, language))
        placed = with_here(names, language)
        self._grammar = Grammar([tool for tool in TOOLS if tool != "schedule"], placed, language)
        self._home = HomeSentences(placed, language)
        self._task_words = frozenset(grammar_file("cancel_task", language)["task_words"])

    def completed(self, words: str) -> tuple[str, WantedCall] | None:
        """Words that were put together from two places: as they are, or not at all."""
        return next((call for way in self.ways_to_read(words) if (call := self.by_templates(way, words))), None)

    def whole(self, text: str) -> tuple[str, WantedCall] | None:
        """The words as a question and as an order, then with one misheard name put right."""
        for words in self.ways_to_read(text):
            call = self.by_templates(words, text)
            if call is not None:
                return call
        for words in self.ways_to_read(text):
            for mended in self._mended(words):
                call = self.by_templates(mended, text)
                if call is not None and not _was_told(call[1], words, mended):
                    return call
        for words in self.ways_to_read(text):
            shorter = without_trimmings(words, self._forms, self._language)
            if not shorter or shorter == words or (call := self.by_templates(shorter, text)) is None:
                continue
            if call[1].tool in _ACTS and call[1].arguments.get("target") in EVERYTHING:
                continue  # "turn off the bedroom gizmo" is not for everything there
            if _was_told(call[1], words, shorter):
                continue
            return f"{TRIMMED}{call[0]}", call[1]
        return None

    def ways_to_read(self, text: str) -> Iterator[str]:
        core = joined_names(utterance_core(text, self._language), self._forms)
        yield core
        order = order_core(core, self._language)
        if order and order != core:
            yield order
        if (shorter := _FOR_SOMEBODY.sub("", order)) != order:
            yield shorter

    def by_templates(self, words: str, text: str) -> tuple[str, WantedCall] | None:
        """Questions never act, and neither does what is negated, supposed or told of somebody."""
        speech = speech_of(text, self._language)
        reading = None
        for allowed in _ALLOWED[speech]:
            reading = reading or self._grammar.read(words, allowed) or self._home.read(words, allowed)
        if reading is None:
            return None
        call = self._call(reading, text)
        meant = without_names(text, self._devices, self._language)
        if call is None or (call.tool in _ACTS and call.tool != "notify" and not may_act(meant, self._language)):
            return None
        return reading.template, call

    def _call(self, reading: Reading, text: str) -> WantedCall | None:
        arguments = dict(reading.slots)
        if reading.intent == "cancel_task":
            if "which" in arguments:  # "the pasta timer", "my reminder about the dentist": by all its words
                arguments["task"] = task_called(text, self._language)
            arguments["task"] = without_remark(str(arguments["task"]))
            task = str(arguments["task"]).split()
            if "and" in task or not self._task_words.intersection(task):
                return None
        if "message" in arguments:
            said = as_said(text, str(arguments["message"]), self._language)
            arguments["message"] = message = without_urgency(said)
            if message.casefold().split()[0] in _NO_MESSAGE:
                return None
            if is_urgent(text, message):
                arguments["urgent"] = True
        if "urgent" in arguments:
            arguments["urgent"] = True
        for free in ("which", "minutes_word"):
            arguments.pop(free, None)
        return WantedCall(reading.intent, arguments)

    def _mended(self, words: str) -> Iterator[str]:
        """The words with one stretch that sounds like a name put right ("is jelly finn up")."""
        if (joined := joined_words(words, self._language)) != words:
            yield joined
        for kind in KINDS:
            for stretch, name in misheard(kind, words, self._index, self._language):
                yield f" {words} ".replace(f" {stretch} ", f" {plain_words(name, self._language)} ", 1).strip()
        for kind in KINDS:
            for stretch, name in misheard(kind, words, self._index, self._language, strict=False):
                yield f" {words} ".replace(f" {stretch} ", f" {plain_words(name, self._language)} ", 1).strip()


def _was_told(call: WantedCall, words: str, read: str) -> bool:
    """Whether an order was read out of words that tell how things are."""
    return call.tool in _ACTS and bool(_TELLING.intersection(words.split()) - set(read.split()))

"""Does the utterance ask or order? Pure; the words stand in ``prompts/sentences/<language>/speech.yaml``.

The answer goes with every call (``Caller.speech``) and the server refuses to let a question act. So a doubtful
utterance is never called an order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from assistant.sentences.normalize import grammar_file, plain_words, utterance_core
from tools.contract import Speech

TIME_PHRASE_WORDS = 8
"""How far into an utterance that opens with a time its verb may stand: "every sunday at three in the morning run"."""


@dataclass(frozen=True)
class _Words:
    polite_order: tuple[str, ...]
    ask_verbs: frozenset[str]
    asking: tuple[str, ...]
    question_words: frozenset[str]
    do_asks_before: frozenset[str]
    negations: tuple[str, ...]
    waved_off: tuple[str, ...]
    hypothetical: tuple[str, ...]
    bare_answers: frozenset[str]
    order_verbs: frozenset[str]
    time_openers: frozenset[str]


def speech_of(text: str, language: str = "en") -> Speech:
    """Question, order, or unknown. A polite question ("could you restart gitea?") is an order."""
    words = _words(language)
    core = utterance_core(text, language)
    marked = text.rstrip().endswith("?")
    if not core or _opener(core, words.negations):
        return Speech.UNKNOWN
    if polite := _opener(core, words.polite_order):
        return _of_polite_request(utterance_core(core[len(polite) :], language), words)
    if _opener(core, words.asking):
        return Speech.QUESTION
    first, *rest = core.split()
    if first == "do" and (marked or (rest and rest[0] in words.do_asks_before)):
        return Speech.QUESTION
    if first in words.question_words or first in words.ask_verbs or marked:
        return Speech.ORDER if _ends_politely(core, first, words) else Speech.QUESTION
    if first in words.order_verbs or (first in words.time_openers and _has_order_soon(rest, words)):
        return Speech.ORDER
    return Speech.UNKNOWN


def is_question(text: str, language: str = "en") -> bool:
    return speech_of(text, language) is Speech.QUESTION


def is_waved_off(text: str, language: str = "en") -> bool:
    """ "don't check the backups", "never mind": no tool is wanted, not even one that only reads."""
    return bool(_opener(utterance_core(text, language), _words(language).waved_off))


def is_hypothetical(text: str, language: str = "en") -> bool:
    """ "what would happen if jellyfin went down": nothing that a tool could look up."""
    return bool(_opener(utterance_core(text, language), _words(language).hypothetical))


def is_bare_answer(text: str, language: str = "en") -> bool:
    """ "yes", "no", "do it": means something only where a question is open."""
    return utterance_core(text, language) in _words(language).bare_answers


def _of_polite_request(wanted: str, words: _Words) -> Speech:
    """What follows "could you": an asking verb asks, an order verb orders, anything else is not known."""
    first = next(iter(wanted.split()), "")
    if first in words.ask_verbs:
        return Speech.QUESTION
    if first in words.order_verbs:
        return Speech.ORDER
    return Speech.UNKNOWN


def _ends_politely(core: str, first: str, words: _Words) -> bool:
    """ "turn off the lights, could you?" is an order with its politeness behind it."""
    return first in words.order_verbs and any(core.endswith(f" {ending}") for ending in words.polite_order)


def _has_order_soon(rest: Iterable[str], words: _Words) -> bool:
    return any(word in words.order_verbs for word in list(rest)[:TIME_PHRASE_WORDS])


def _opener(core: str, openers: Iterable[str]) -> str:
    return next((opener for opener in openers if core == opener or core.startswith(f"{opener} ")), "")


@cache
def _words(language: str) -> _Words:
    data = grammar_file("speech", language)

    def listed(key: str) -> tuple[str, ...]:
        return tuple(sorted((plain_words(str(word), language) for word in data[key]), key=len, reverse=True))

    return _Words(
        polite_order=listed("polite_order"),
        ask_verbs=frozenset(listed("ask_verbs")),
        asking=listed("asking"),
        question_words=frozenset(listed("question_words")),
        do_asks_before=frozenset(listed("do_asks_before")),
        negations=listed("negations"),
        waved_off=listed("waved_off"),
        hypothetical=listed("hypothetical"),
        bare_answers=frozenset(listed("bare_answers")),
        order_verbs=frozenset(listed("order_verbs")),
        time_openers=frozenset(listed("time_openers")),
    )

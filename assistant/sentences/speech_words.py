"""The words by which asking and ordering are told apart: ``prompts/sentences/<language>/speech.yaml``. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from assistant.sentences.normalize import grammar_file, plain_words


@dataclass(frozen=True)
class SpeechWords:
    """The file's lists, each the longest first where the order matters."""

    polite_order: tuple[str, ...]
    ask_verbs: frozenset[str]
    asking: tuple[str, ...]
    question_words: frozenset[str]
    do_asks_before: frozenset[str]
    negations: tuple[str, ...]
    waved_off: tuple[str, ...]
    taken_back: frozenset[str]
    hypothetical: tuple[str, ...]
    hypothetical_inside: tuple[str, ...]
    reported: tuple[str, ...]
    bare_answers: frozenset[str]
    order_verbs: frozenset[str]
    time_openers: frozenset[str]
    vetoes: tuple[str, ...]
    reminders: tuple[str, ...]
    message_openers: tuple[str, ...]
    beyond: tuple[str, ...]
    not_beyond: tuple[str, ...]
    order_endings: tuple[str, ...]
    polite_endings: tuple[str, ...]
    statement_verbs: frozenset[str]


@cache
def speech_words(language: str = "en") -> SpeechWords:
    """Raises FileNotFoundError, YAMLError or KeyError when the installation is damaged."""
    data = grammar_file("speech", language)

    def listed(key: str) -> tuple[str, ...]:
        return tuple(sorted((plain_words(str(word), language) for word in data[key]), key=len, reverse=True))

    return SpeechWords(
        polite_order=listed("polite_order"),
        ask_verbs=frozenset(listed("ask_verbs")),
        asking=listed("asking"),
        question_words=frozenset(listed("question_words")),
        do_asks_before=frozenset(listed("do_asks_before")),
        negations=listed("negations"),
        waved_off=listed("waved_off"),
        taken_back=frozenset(listed("taken_back")),
        hypothetical=listed("hypothetical"),
        hypothetical_inside=listed("hypothetical_inside"),
        reported=listed("reported"),
        bare_answers=frozenset(listed("bare_answers")),
        order_verbs=frozenset(listed("order_verbs")),
        time_openers=frozenset(listed("time_openers")),
        vetoes=(*listed("vetoes"), *(f"{stop} {deed}" for stop in listed("stop_doing") for deed in listed("deeds"))),
        reminders=listed("reminders"),
        message_openers=listed("message_openers"),
        beyond=listed("beyond"),
        not_beyond=listed("not_beyond"),
        order_endings=listed("order_endings"),
        polite_endings=listed("polite_endings"),
        statement_verbs=frozenset(listed("statement_verbs")),
    )


def holds(core: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands in the plain words."""
    padded = f" {core} "
    return any(f" {phrase} " in padded for phrase in phrases)


def opener_of(core: str, openers: Iterable[str]) -> str:
    """The phrase that the plain words begin with, or ""."""
    return next((opener for opener in openers if core == opener or core.startswith(f"{opener} ")), "")

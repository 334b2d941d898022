"""What an utterance says in the speaker's own words: a message, what a timer is for, which task is meant. Pure."""

from __future__ import annotations

import re

from assistant.sentences.normalize import as_said, grammar_file, order_core, without_urgency
from assistant.sentences.speech_kind import is_message, speech_of
from assistant.sentences.task_names import task_called
from tools.contract import Speech

_MESSAGE = re.compile(
    r"^(?:send|push|drop|shoot|text|message|notify|ping|tell|let|give)\b.*?"
    r"\b(?:that says|saying that|saying|that|to say|with the text|know|reading)\s+(?P<one>.+)$"
    r"|^(?:send|push)\s+(?P<two>.+?)\s+to (?:my|the) (?:phone|mobile|watch)$"
    r"|^(?:send|push|text|message|notify|ping|tell)\b.*?\b(?:phone|mobile|me|us)\b\s+(?P<three>.+)$"
)

_AFTER_PHONE = re.compile(
    r"\b(?:phone|phones|mobile|cell|smartphone|telephone|handy|watch|message|notification|push|alert|note)\b.*?"
    r"(?:\b(?:that (?:says|reads)|saying(?: that)?|which says|says|to say(?: that)?|with the (?:text|words?)|reading"
    r"|the words|that|with)\b[:,]?|[:,])\s+(?P<message>\S.*)$",
    re.IGNORECASE,
)

_TIMER = re.compile(
    r"\b(?:timer|countdown)\b(?!s)(?:.*?\bfor (?:the |my |a |some )?(?P<label>[a-z]+(?: [a-z]+)?))?(?: on| please)*$"
)
_TIMER_LABEL = re.compile(r"\b(?:the|my|a|an) (?P<label>(?!kitchen |egg |new |count)[a-z]+) timer\b")

_NO_TIMER = frozenset(
    ["cancel", "delete", "remove", "stop", "and", "then", "remind", "when", "if", "how", "long", "was", "had", "is",
     "did", "yesterday"]
)  # fmt: skip
"""With these something else is said of a timer."""

_TASK_VERBS = re.compile(r"^(?:cancel|stop|abort|delete|remove|clear|call off|unschedule)\s+(?:the |my |that )?")


def message_in(words: str, text: str, language: str = "en") -> str | None:
    """What is to be sent, as it was said in ``text``; ``words`` are its plain words."""
    found = _MESSAGE.match(order_core(words, language))
    if found is not None:
        return without_urgency(as_said(text, next(group for group in found.groups() if group), language))
    behind = _AFTER_PHONE.search(text) if is_message(text, language) else None
    return without_urgency(behind["message"].strip(" .!")) if behind else None


def timer_called(words: str) -> str | None:
    """ "stick a timer on for the rice" → "rice timer"; None where it is no mere timer."""
    if _NO_TIMER & set(words.split()) or (found := _TIMER.search(words)) is None:
        return None
    label = found["label"] or ((own := _TIMER_LABEL.search(words)) and own["label"])
    return f"{label} timer" if label else "timer"


def task_in(words: str, text: str, language: str = "en") -> str | None:
    """The timer, reminder, alarm or schedule that is to be cancelled."""
    said = words.split()
    known = set(grammar_file("cancel_task", language)["task_words"])
    if not known.intersection(said) or speech_of(text, language) is Speech.QUESTION:
        return None
    for own in ("timer", "reminder", "alarm"):
        if own in said or f"{own}s" in said:
            called = task_called(text, language)
            return called if re.search(rf"\b{own}s?(?:$| (?:about|for|to|of|on|at|that)\b)", called) else own
    return _TASK_VERBS.sub("", words)

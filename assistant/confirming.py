"""Is it a yes? Reading the answer to an open confirmation. Pure; its words stand in ``prompts/sentences``.

A yes is made of nothing but words of assent, politeness and the question itself ("yes please, shut it down"). Whatever
says more is another utterance, and cancels.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.sentences.normalize import grammar_file, plain_words, utterance_core
from assistant.sentences.speech_kind import may_act, speech_of
from tools.contract import Speech


def is_yes(text: str, question: str = "", language: str = "en") -> bool:
    """Whether ``text`` says yes, and nothing else, to ``question``; "is it ok to restart gitea" does not."""
    if _asks(text, language):
        return False
    yes, no, small = _words(language)
    words = plain_words(text, language).split()
    asked = set(plain_words(question, language).split())
    said = set(words)
    return bool(said & yes) and not said & no and said <= yes | small | asked


def is_no(text: str, question: str = "", language: str = "en") -> bool:
    """Whether ``text`` says no, and nothing else."""
    yes, no, small = _words(language)
    words = set(plain_words(text, language).split())
    asked = set(plain_words(question, language).split())
    return bool(words & no) and words <= no | small | asked | yes


def begins_with_no(text: str, language: str = "en") -> bool:
    """ "no, leave it closed": a no with a reason, unless it goes on to ask for something else."""
    first = next(iter(plain_words(text, language).split()), "")
    return first in ("no", "nope", "nah", "never", "cancel", "stop", "dont") or plain_words(text).startswith("do not")


_DO_IT = re.compile(r"(?P<before>.*?)\bdo (?:it|this|that|them|so)\b")
"""What would else pass for a question that begins with "do"."""

_YOU_DID = re.compile(r"you (?!can\b|may\b|could\b|should\b)")
""" "You shut it down, right": tells, where "you can" and "you may" permit."""


def _asks(text: str, language: str) -> bool:
    """Or tells of it. "do it?", "may I do it" and "you just shut it down" do; "do it" and "yes, do it" do not."""
    if speech_of(text, language) is not Speech.QUESTION:
        return not may_act(text, language) or bool(_YOU_DID.match(utterance_core(text, language)))
    found = _DO_IT.match(utterance_core(text, language))
    return text.rstrip().endswith("?") or found is None or not set(found["before"].split()) <= _words(language)[0]


@cache
def _words(language: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    data = grammar_file("confirm", language)
    return frozenset(data["yes"]), frozenset(data["no"]), frozenset(data["small"])

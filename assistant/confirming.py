"""Is it a yes? Reading the answer to an open confirmation. Pure; its words stand in ``prompts/sentences``.

A yes is made of nothing but words of assent, politeness and the question itself ("yes please, shut it down"). Whatever
says more is another utterance, and cancels.
"""

from __future__ import annotations

from functools import cache

from assistant.sentences.normalize import grammar_file, plain_words


def is_yes(text: str, question: str = "", language: str = "en") -> bool:
    """Whether ``text`` says yes, and nothing else, to ``question``."""
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


@cache
def _words(language: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    data = grammar_file("confirm", language)
    return frozenset(data["yes"]), frozenset(data["no"]), frozenset(data["small"])

"""Does an utterance break off ("turn off the")? Pure; its words stand in ``prompts/sentences``, ``broken_off.yaml``.

Heard at a pause it says that the person hesitates. A wrong yes costs a second of waiting, a wrong no may cut somebody
off, where the sound does not say better.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from assistant.ports import WantedCall
from assistant.sentences.normalize import grammar_file, plain_words

REMINDER = "remind me "
"""How the templates write down a reminder."""

LEAST_DICTATED = 2
"""Words of one's own: with one alone ("remind me to take") more follow as a rule."""

NOT_SAID = ("...", "…", "-", "–", "—", ",")
"""How Whisper writes that a sentence goes on."""


def breaks_off(text: str, language: str = "en") -> bool:
    """Whether more words have to follow."""
    endings, whole, alone = _words(language)
    words = plain_words(text, language).split()
    if tuple(words) in alone:
        return True
    if not words or _ends_with(words, whole):
        return False
    return _ends_with(words, endings) or text.rstrip().endswith(NOT_SAID)


def dictates(text: str, calls: Sequence[WantedCall], language: str = "en") -> bool:
    """Whether the utterance ends in a message or a reminder of the person's own words: these have no end of their own,
    and whoever thinks of them hesitates ("remind me to take … out the trash")."""
    words = plain_words(text, language).split()
    return any(words[-1:] == plain_words(own, language).split()[-1:] for own in map(_own_words, calls) if own)


def may_be_all(text: str, calls: Sequence[WantedCall], language: str = "en") -> bool:
    """Whether what is dictated may be all of it: some words, and no particle at the end that wants an object ("take
    out")."""
    particles = frozenset(grammar_file("broken_off", language)["particles"])
    own = max((plain_words(own, language).split() for own in map(_own_words, calls)), key=len, default=[])
    begun = len(plain_words(REMINDER + "to", language).split()) if own[:1] == [REMINDER.split()[0]] else 0
    return len(own) - begun >= LEAST_DICTATED and own[-1] not in particles and not breaks_off(text, language)


def _own_words(call: WantedCall) -> str:
    if call.tool == "notify":
        return str(call.arguments.get("message", ""))
    what = str(call.arguments.get("what", "")) if call.tool == "schedule" else ""
    return what if what.startswith(REMINDER) else ""


def _ends_with(words: list[str], endings: frozenset[tuple[str, ...]]) -> bool:
    return any(tuple(words[-length:]) in endings for length in range(1, 5))


@cache
def _words(language: str) -> tuple[frozenset[tuple[str, ...]], ...]:
    data = grammar_file("broken_off", language)
    return tuple(
        frozenset(tuple(plain_words(str(words), language).split()) for words in data[key])
        for key in ("endings", "whole_endings", "alone")
    )

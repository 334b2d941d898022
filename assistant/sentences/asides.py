"""Requests with something said around them, and requests put right in the middle. Pure.

"I'm on the sofa with a book so switch on the reading lamp": the request is a stretch of the utterance that a template
or the signals understand whole; what stands around it must be a remark that changes nothing. A condition, a negation,
somebody else's words are no such thing, and then no act is read out of the stretch. Words: ``asides.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from assistant.sentences.normalize import grammar_file, order_core, plain_words

MAX_WORDS = 40
MAX_STRETCHES = 10
"""Stretches offered, the longest first: each costs a look at the templates."""

MAX_SUBJECT = 3
"""Words of the subject that an aside begins with ("the internet is being weird")."""

_PAUSE = re.compile(r"[,;.!?]+(?:\s+|$)|\s[-–—]\s")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an utterance that may be the whole request; ``before`` and ``after`` stand around it.

    ``harmless``: they change nothing about it. Else it can at most be something to look up.
    """

    words: str
    before: str
    after: str
    harmless: bool = True


def stretches(text: str, language: str = "en") -> list[Stretch]:
    """The parts of the utterance that could be its request, the longest first; the whole is not among them."""
    tokens, breaks = _tokens(text, language)
    if not 2 < len(tokens) <= MAX_WORDS:
        return []
    known = _words(language)
    starts = [0, *(at for at in range(1, len(tokens)) if _starts(tokens, at, breaks, known))]
    ends = [len(tokens), *(at for at in range(2, len(tokens)) if _ends(tokens, at, breaks, known))]
    found: list[Stretch] = []
    for start in starts:
        for end in ends:
            one_word = end == start + 1 and start not in breaks  # "unlock the front door lock" does not end with "lock"
            if start < end and not one_word and (start, end) != (0, len(tokens)):
                before, after = " ".join(tokens[:start]), " ".join(tokens[end:])
                harmless = _harmless(before, known) and _harmless(after, known)
                found.append(Stretch(" ".join(tokens[start:end]), before, after, harmless))
    return sorted(found, key=lambda one: -len(one.words))[:MAX_STRETCHES]


def corrected(text: str, language: str = "en") -> Iterator[str]:
    """What could be meant by an utterance that is put right halfway, the likeliest first.

    A single "no" or "wait" without a pause puts right only what begins alike ("the kitchen no the hallway light").
    """
    tokens, breaks = _tokens(text, language)
    if not 3 < len(tokens) <= MAX_WORDS:
        return
    for size in (4, 3, 2, 1):
        for at in range(1, len(tokens) - size):
            if " ".join(tokens[at : at + size]) in _words(language).corrections:
                while " ".join(tokens[at + size : at + size + 2]) in _words(language).corrections:
                    size += 2  # "no sorry, I mean"
                second = " ".join(tokens[at + size :])
                around = (order_core(f"x {second}", language), order_core(f"{second} x", language))
                if "x" in around:  # "wait, please" puts nothing right
                    return
                sure = size > 1 or at in breaks or at + 1 in breaks
                yield from _put_right(tokens[:at], tokens[at + size :], sure=sure)
                return


def is_retold(text: str, language: str = "en") -> bool:
    """Whether it is put right with words that mean nothing else: "no sorry", "no wait", "scratch that"."""
    tokens, _ = _tokens(text, language)
    inside = f" {' '.join(tokens[1:-1])} "
    return any(f" {words} " in inside for words in _words(language).corrections if " " in words)


_TIMED = re.compile(
    r"\b(?:tonight|this (?:evening|afternoon)|o ?clock"
    r"|(?:at|by|around) (?:\d|half|quarter|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"|in (?:an?|\d+|one|two|three|five|ten|fifteen|twenty|thirty) (?:minute|hour|second)s?)\b"
)
"""A time beside a request may be its own: it is not left out."""

_BUT_NOT = re.compile(
    r"^(.+?) (?:but|and) (?:please )?"
    r"(?:leave|keep|not|do not (?:touch|turn off|turn on|switch off|switch on|stop|restart)|without)"
    r" (?:(?:the|my|our) )?(.+)$|^(.+?) except (?:for )?(?:(?:the|my|our) )?(.+)$"
)


def exception_in(text: str, language: str = "en") -> tuple[str, str] | None:
    """The request and what it is not to touch: "turn off the lamp" and "heater on"; None when nothing is excepted."""
    found = _BUT_NOT.match(" ".join(_tokens(text, language)[0]))
    return (found[1] or found[3], found[2] or found[4]) if found else None


def is_corrected(text: str, language: str = "en") -> bool:
    """Whether it is put right halfway: then what was said first is not what is meant."""
    return next(corrected(text, language), None) is not None


def _put_right(first: list[str], second: list[str], *, sure: bool) -> Iterator[str]:
    """The first part's beginning with the second part; where both begin alike ("the kitchen … the hallway") first."""
    while len(second) > 1 and second[0] in ("just", "only"):
        second = second[1:]
    alike = [at for at in range(1, len(first)) if first[at] == second[0]]
    if not sure:
        yield from (" ".join([*first[:at], *second]) for at in reversed(alike))
        return
    others = [at for at in range(len(first) - 1, 0, -1) if at not in alike]
    for at in [*reversed(alike), *others]:
        yield " ".join([*first[:at], *second])
    for at in alike:  # "turn the telly on, no, just the reading lamp": the end is kept
        for end in range(at + 2, len(first)):
            yield " ".join([*first[:at], *second, *first[end:]])
    for at in range(len(first) - 1, 0, -1):  # "the kitchen light, no, hallway, on": the end is kept
        yield " ".join([*first[:at], *second, *first[at + 1 :]])
    yield " ".join(second)


@dataclass(frozen=True)
class _Words:
    orders: frozenset[str]
    maybe_orders: frozenset[str]
    polite: tuple[str, ...]
    questions: tuple[str, ...]
    linking: frozenset[str]
    articles: frozenset[str]
    governing: frozenset[str]
    nouns: frozenset[str]
    changing: tuple[str, ...]
    may_be_negated: frozenset[str]
    verbs: frozenset[str]
    because: frozenset[str]
    no_subject: frozenset[str]
    corrections: frozenset[str]


def _tokens(text: str, language: str) -> tuple[list[str], set[int]]:
    """The plain words, and before which of them there is a pause."""
    tokens: list[str] = []
    breaks: set[int] = set()
    for piece in _PAUSE.split(text):
        breaks.add(len(tokens))
        tokens += plain_words(piece, language).split()
    return tokens, breaks


def _starts(tokens: list[str], at: int, breaks: set[int], known: _Words) -> bool:
    """Whether a request may begin here."""
    word, before = tokens[at], tokens[at - 1]
    rest = " ".join(tokens[at : at + 4])
    paused = at in breaks
    if not paused and (before in known.governing or f"{before} {word}" in known.nouns):
        return False
    if word in known.orders or any(f"{rest} ".startswith(f"{opener} ") for opener in known.polite):
        return True
    followed = at + 1 < len(tokens) and tokens[at + 1] in known.articles
    if word in known.maybe_orders:
        return paused or before in known.linking or followed
    if any(f"{rest} ".startswith(f"{opener} ") for opener in known.questions):
        return paused or before in known.linking or before == "me"  # "the wiki is the best": no question begins there
    return paused or before in ("so", "then")


def _ends(tokens: list[str], at: int, breaks: set[int], known: _Words) -> bool:
    """Whether an aside may begin here: after a pause, with "because", or with a subject and its verb."""
    if at in breaks or tokens[at] in known.because:
        return True
    if tokens[at] in known.no_subject and tokens[at] not in ("the", "a"):
        return False
    if tokens[at - 1] in known.governing - {"on", "that", "you", "off"}:
        return False
    subject = tokens[at : at + 1] if tokens[at] not in ("the", "a", "my", "our", "this") else tokens[at : at + 2]
    after = tokens[at + len(subject) : at + MAX_SUBJECT + 1]
    return bool(after) and after[0] in known.verbs and not set(subject[1:]) & known.no_subject


_UNNEEDED = re.compile(
    r"(?:(?:because|as|since|and) )?(?:i|we) (?:do not|no longer) (?:need|want) (?:it|that|them)"
    r"(?: any ?more| any longer| now)*"
)
"""Said of what is to be cancelled or turned off."""


def _harmless(aside: str, known: _Words) -> bool:
    """A remark that changes nothing about the request beside it."""
    if _UNNEEDED.fullmatch(aside):
        return True
    padded = f" {aside} "
    if any(f" {word} " in padded for word in known.changing):
        return False
    if _TIMED.search(aside):
        return False
    words = aside.split()
    return all(
        at > 0 and words[at - 1] in known.may_be_negated
        for at, word in enumerate(words)
        if word in ("not", "no", "never")
    )


@cache
def _words(language: str) -> _Words:
    data = grammar_file("asides", language)
    vetoes = {str(word) for word in grammar_file("speech", language)["vetoes"]}

    def listed(key: str) -> tuple[str, ...]:
        return tuple(str(word) for word in data[key])

    return _Words(
        orders=frozenset(listed("orders")),
        maybe_orders=frozenset(listed("maybe_orders")),
        polite=listed("polite"),
        questions=listed("questions"),
        linking=frozenset(listed("linking")),
        articles=frozenset(listed("articles")),
        governing=frozenset(listed("governing")),
        nouns=frozenset(listed("nouns")),
        changing=(*listed("changing"), *sorted(vetoes - set(listed("harmless_vetoes")))),
        may_be_negated=frozenset(listed("may_be_negated")),
        verbs=frozenset(listed("verbs")),
        because=frozenset(listed("because")),
        no_subject=frozenset(listed("no_subject")),
        corrections=frozenset(listed("corrections")),
    )

"""A sentence → clauses: of which things it says which states, numbers and other words. Pure.

Tools' sentences and a model's are read by the same rules, so that what is misread is misread alike.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from assistant.text.sentences import split_sentences
from assistant.truth.lexicon import Lexicon
from assistant.truth.segments import Segment, joined_up, segments_of
from assistant.truth.tokens import Token, tokens
from assistant.truth.words import Role, Words, words_of


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing, or the several that one word may mean; a device perhaps with its area."""

    things: frozenset[str]
    area: frozenset[str] = frozenset()
    said: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Clause:
    """What is said of all the subjects alike. ``before``: the things named earlier, which "the other" needs."""

    subjects: frozenset[Subject]
    states: frozenset[frozenset[str]] = frozenset()
    numbers: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()
    content: frozenset[str] = frozenset()
    objects: frozenset[frozenset[str]] = frozenset()
    before: frozenset[str] = frozenset()
    odd: bool = False

    @property
    def says_nothing(self) -> bool:
        """Only names: nothing is said of them."""
        return not (self.states or self.numbers or self.marks or self.content or self.objects or self.odd)


NEGATIONS = frozenset({"not", "never", "none"})
DOUBTED = "whether "
"""Before a state that is only doubted, among a clause's words."""

_AFTER_A_NUMBER = re.compile(r"(?<=\d[.!])\s+(?=[A-Z])")
"""Where the splitter for speech, which thinks of "1. First", sees no end: "… with status 502. Gitea is up." """


def sentences_of(text: str) -> list[str]:
    """The sentences of a text that holds no numbered list."""
    return [piece for sentence in split_sentences(text) for piece in _AFTER_A_NUMBER.split(sentence)]


def clauses(
    text: str, lexicon: Lexicon, about: frozenset[Subject] = frozenset(), language: str = "en", *, ours: bool = False
) -> list[Clause]:
    """All that ``text`` says. ``about``: what it speaks of where it names nothing.

    ``ours``: a tool's text. Where names stand without a verb it says nothing of them; a model's text says everything
    that it could mean.
    """
    found: list[Clause] = []
    current = about
    before: frozenset[str] = frozenset()
    for sentence in sentences_of(text):
        named: frozenset[str] = frozenset()
        for clause in _of_sentence(sentence, lexicon, current, about, words_of(language), ours, language):
            shown = named or before
            found.append(_with_before(clause, shown))
            if clause.subjects:
                current = clause.subjects
                named |= frozenset().union(*(subject.things for subject in clause.subjects))
        before = named
    return found


def _with_before(clause: Clause, before: frozenset[str]) -> Clause:
    if "other" not in clause.marks:
        return clause
    return replace(clause, before=before)


def _of_sentence(
    sentence: str,
    lexicon: Lexicon,
    current: frozenset[Subject],
    about: frozenset[Subject],
    words: Words,
    ours: bool,
    language: str,
) -> Iterator[Clause]:
    segments = joined_up(segments_of(tokens(sentence, lexicon, language)), ours)
    seen: frozenset[Subject] = frozenset()
    doubted = False
    for segment in segments:
        inherited = seen or current
        clause = _clause(segment, words)
        if not clause.subjects and (about or _speaks_of_what_was_named(segment, bool(seen))):
            clause = replace(clause, subjects=inherited)
        if not ours and (_gives_another_cause(segment, clause, seen) or _negates_twice(segment)):
            clause = replace(clause, odd=True)
        if clause.subjects:
            seen = clause.subjects
        if ours and doubted and clause.states:
            continue
        doubted = doubted or any("doubt" in groups for groups in clause.states)
        if clause.subjects or not clause.says_nothing:
            yield clause


def _gives_another_cause(segment: Segment, clause: Clause, seen: frozenset[Subject]) -> bool:
    """A reason is one only of the same thing, and in words: not "because immich is flapping"."""
    return segment.joint == "cause" and (not seen or clause.subjects != seen or not clause.content)


def _negates_twice(segment: Segment) -> bool:
    """ "could not be not restored" says the contrary."""
    return sum(bool(token.values & NEGATIONS) for token in segment.tokens if token.role is Role.MARK) > 1


def _speaks_of_what_was_named(segment: Segment, in_this_sentence: bool) -> bool:
    """A pronoun, or no subject of its own ("… but never restored"), or the reason after a colon."""
    if in_this_sentence and segment.joint in ("colon", "cause"):
        return True
    if segment.tokens[0].text == "there":  # "there are no alerts firing" is about nothing before it
        return False
    lead = list(
        itertools.takewhile(lambda token: token.role not in (Role.VERB, Role.STATE, Role.PRONOUN), segment.tokens)
    )
    rest = segment.tokens[len(lead) :]
    if rest and rest[0].role is Role.PRONOUN:
        return True
    counts = any(token.role is Role.MARK and token.values & words_of().quantifiers for token in lead)
    droppable = words_of().droppable
    named = any(t.role is Role.NUMBER or (t.role is Role.WORD and t.text not in droppable) for t in lead)
    return in_this_sentence and not counts and not named


# ── one clause ────────────────────────────────────────────────────────────────────────────────────────────────────


def _clause(segment: Segment, words: Words) -> Clause:
    found = segment.tokens
    subjects, objects = _things(found)
    states: list[frozenset[str]] = []
    numbers: list[str] = []
    marks: set[str] = set()
    content: set[str] = set()
    doubt = False
    for at, token in enumerate(found):
        if token.role is Role.STATE:
            if doubt:  # "I can't tell whether gitea is up" does not say that it is
                content.add(f"{DOUBTED}{min(token.values)}")
                continue
            doubt = "doubt" in token.values
            aged = token.text == "old" and at and found[at - 1].role is Role.NUMBER
            states.append(frozenset({"age"}) if aged else token.values)
        elif token.role is Role.NUMBER:
            numbers += sorted(token.values)
        elif token.role is Role.MARK:
            marks |= token.values
        elif token.role is Role.WORD:
            content.add(token.text)
    past = any(token.role is Role.VERB and token.text in words.past for token in found)
    if past and any(groups & words.of_the_moment for groups in states):
        marks.add("past")
    marks -= _counts_of_the_named(found, len(subjects))
    return Clause(
        subjects=subjects,
        states=frozenset(states),
        numbers=tuple(numbers),
        marks=frozenset(marks),
        content=frozenset(content),
        objects=objects,
        odd=any(token.role is Role.ODD for token in found),
    )


def _counts_of_the_named(found: Sequence[Token], subjects: int) -> set[str]:
    """ "Gitea, immich and ntfy are all up": all of those three, so that it says no more than without."""
    for kind, counts in (("both", subjects == 2), ("all", subjects > 1)):
        marked = [at for at, token in enumerate(found) if token.role is Role.MARK and kind in token.values]
        if counts and len(marked) == 1 and (kind == "both" or (marked[0] and found[marked[0] - 1].role is Role.VERB)):
            return {kind}
    return set()


def _things(found: Sequence[Token]) -> tuple[frozenset[Subject], frozenset[frozenset[str]]]:
    """Subjects are the names before the verb or the state; others, and those behind a preposition, are objects.

    Where that leaves no subject, all of them are: "Down are gitea and immich."
    """
    first_said = next((n for n, token in enumerate(found) if token.role in (Role.VERB, Role.STATE)), len(found))
    subjects: list[Subject] = []
    objects: list[Subject] = []
    at = 0
    while at < len(found):
        if found[at].role is not Role.NAME:
            at += 1
            continue
        subject, end = _with_area(found, at)
        (objects if at > first_said or _is_behind_preposition(found, at) else subjects).append(subject)
        at = end
    if not subjects:
        return frozenset(objects), frozenset()
    return frozenset(subjects), frozenset(thing.things | thing.area for thing in objects)


def _with_area(found: Sequence[Token], at: int) -> tuple[Subject, int]:
    """ "kitchen ceiling light", "ceiling light in the kitchen"; and the index behind it."""
    token = found[at]
    if token.is_area:
        if at + 1 < len(found) and found[at + 1].role is Role.NAME and not found[at + 1].is_area:
            device = found[at + 1]
            return Subject(device.values, token.values, device.text), at + 2
        return Subject(token.values, said=token.text), at + 1
    rest = [n for n in range(at + 1, min(at + 4, len(found))) if found[n].role is not Role.NEUTRAL]
    if len(rest) > 1 and found[rest[0]].text in ("in", "at") and found[rest[1]].is_area:
        return Subject(token.values, found[rest[1]].values, token.text), rest[1] + 1
    return Subject(token.values, said=token.text), at + 1


def _is_behind_preposition(found: Sequence[Token], at: int) -> bool:
    before = next((token for token in reversed(found[:at]) if token.role is not Role.NEUTRAL), None)
    return before is not None and before.role is Role.PREPOSITION


def things_in(found: Iterable[Clause]) -> frozenset[str]:
    """Every thing that is named."""
    return frozenset(thing for clause in found for s in clause.subjects for thing in (*s.things, *s.area)) | frozenset(
        thing for clause in found for names in clause.objects for thing in names
    )

"""Is every clause of a model's text one that a tool said? Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from assistant.truth.clauses import DOUBTED, NEGATIONS, Clause, Subject, clauses, sentences_of
from assistant.truth.evidence import Evidence, Fact
from assistant.truth.tokens import normal, tokens
from assistant.truth.words import Role, Words, kind_words, words_of

LONGEST_TEXT = 600
"""Characters of an answer that are looked at; one or two sentences never have as many."""

_NOT_SPOKEN = re.compile(r"https?:|www\.|```|[`{}<>|\\$=@#?]|\w/\w|\n\s*[-*\d]", re.IGNORECASE)
"""Addresses, code, commands, lists; and questions, which offer what nobody may promise."""

_PARTICIPLE = re.compile(r"\b(?:being|having)\b", re.IGNORECASE)
"""Hangs a second statement on the first ("…, with config being eight days old") without a verb to hold it against."""

_STRONG = frozenset({"all", "none", "only", "both"})
"""Of a statement about all or none of something nothing may be left out: without "in the kitchen" it says more."""


def unsupported(text: str, evidence: Evidence) -> str | None:
    """None when every fact of ``text`` stands in a result, else a short reason. Never raises, never guesses."""
    if len(text) > LONGEST_TEXT:
        return "it is too long"
    sentences = sentences_of(text)
    if not any(any(character.isalnum() for character in sentence) for sentence in sentences):
        return "it says nothing"
    own = [_is_own(sentences, at, evidence) for at in range(len(sentences))]
    if all(own):
        return None
    for sentence, is_own in zip(sentences, own, strict=True):
        if not is_own and (reason := _not_to_be_said(sentence, evidence)):
            return reason
    for start, sentence in enumerate(sentences):
        if own[start]:
            continue
        context = sentences[start - 1] if start else ""
        if reason := _not_in_evidence(sentence, context, evidence):
            return reason
    return None


def left_out(text: str, evidence: Evidence) -> str | None:
    """None when ``text`` gives the gist of every result: what is first said of each thing in it. Else what is missing.

    Half of the truth misleads as well: "The photos backup is ok." when gitea is down, too.
    """
    said = clauses(text[:LONGEST_TEXT], evidence.lexicon, language=evidence.language)
    whole = [own.result for sentence in sentences_of(text) for own in evidence.sentences.get(normal(sentence), ())]
    for number in sorted({fact.result for fact in evidence.facts}):
        spoken = [fact.clause for fact in evidence.facts if fact.spoken and fact.result == number]
        for subject, gist in _gists(spoken).items():
            if not any(_states_agree(gist, clause) for clause in said if _is_about(clause, subject)):
                return f"it leaves out {subject.said}"
        for known, strange in _of_what_has_no_name(spoken, evidence):
            if not any(strange <= clause.content and _states_agree(known, clause) for clause in said):
                return f"it leaves out {' '.join(sorted(strange))}"
        if any(clause.subjects for clause in spoken) or number in whole:
            continue
        if not any(_states_agree(known, clause) and not clause.subjects for known in spoken for clause in said):
            return "it leaves out a result"
    return None


def _of_what_has_no_name(spoken: list[Clause], evidence: Evidence) -> list[tuple[Clause, frozenset[str]]]:
    """Statements about things that the house's names do not have, with the words for them: an outside tool's."""
    known = kind_words(evidence.language) | words_of(evidence.language).droppable
    found = [(clause, frozenset(clause.content - known)) for clause in spoken if clause.states and not clause.subjects]
    return [(clause, strange) for clause, strange in found if strange]


def _gists(spoken: list[Clause]) -> dict[Subject, Clause]:
    """The first clause with a state of each thing, else its first."""
    found: dict[Subject, Clause] = {}
    for clause in sorted(spoken, key=lambda clause: not clause.states):
        for subject in clause.subjects:
            found.setdefault(subject, clause)
    return found


def _is_about(clause: Clause, subject: Subject) -> bool:
    return not clause.says_nothing and any(subject.things & other.things for other in clause.subjects)


def _is_own(sentences: list[str], at: int, evidence: Evidence) -> bool:
    """Whether it is a tool's own sentence, behind the one that it leans on."""
    before = normal(sentences[at - 1]) if at else ""
    return any(not own.after or own.after == before for own in evidence.sentences.get(normal(sentences[at]), ()))


def _not_to_be_said(sentence: str, evidence: Evidence) -> str | None:
    words = words_of(evidence.language)
    if _NOT_SPOKEN.search(sentence):
        return "it is not plain speech"
    if _PARTICIPLE.search(sentence):
        return "it ties together what no tool tied"
    found = tokens(sentence, evidence.lexicon, evidence.language)
    first = found[0].text if found else ""
    if first in words.openers and (first != "no" or len(found) < 2 or found[1].role is Role.STOP):
        return f"it answers {first!r} in its own words"
    if first in words.orders:
        return "it gives an order"
    if any(a.role is b.role is Role.NAME and not a.is_area and not b.is_area for a, b in pairwise(found)):
        return "it runs two names together"
    return None


def _not_in_evidence(sentence: str, context: str, evidence: Evidence) -> str | None:
    lexicon, language = evidence.lexicon, evidence.language
    alone = len(clauses(context, lexicon, language=language)) if context else 0
    said = clauses(f"{context}\n{sentence}".strip(), lexicon, language=language)[alone:]
    if all(clause.says_nothing for clause in said):
        return "it is no sentence"
    return next((reason for clause in said if (reason := _refusal(clause, evidence))), None)


def _refusal(clause: Clause, evidence: Evidence) -> str | None:
    if clause.odd:
        return "it ties together what no tool tied"
    named = frozenset(thing for subject in clause.subjects for thing in subject.things)
    if strangers := named - evidence.things - evidence.asked:
        known = any(subject.things & (evidence.things | evidence.asked) for subject in clause.subjects)
        if not known or any(not s.things & (evidence.things | evidence.asked) for s in clause.subjects):
            return f"{min(strangers)} is in no result"
    if clause.says_nothing:
        return None
    if not clause.subjects:
        if any(_same_of_nothing_named(clause, fact) for fact in evidence.facts):
            return None
        return _why(clause, None, evidence)
    for subject in sorted(clause.subjects, key=lambda subject: subject.said):
        if not any(_supports(fact, clause, subject, evidence) for fact in evidence.facts):
            return _why(clause, subject, evidence)
    return None


# ── one clause against one fact ───────────────────────────────────────────────────────────────────────────────────


def _same_of_nothing_named(said: Clause, fact: Fact) -> bool:
    """ "All four services are up." Only "all", "both" and "the other" may go, and only where the number stays.

    "The other three" are those beside what was named just before, "the other three services" those beside the services.
    """
    known = fact.clause
    kinds = fact.topic.words if fact.topic else frozenset()
    if known.subjects or said.objects != known.objects:
        return False
    if not known.content <= said.content or said.content - known.content - kinds:
        return False
    if said.numbers != known.numbers and (said.numbers or not said.marks & {"all", "none"}):
        return False
    if said.marks != known.marks and not (said.numbers and said.marks == known.marks - {"all", "both", "other"}):
        return False
    if (
        "other" in said.marks
        and said.before != known.before
        and not (known.before < said.before and said.content & kinds)
    ):
        return False
    return _states_agree(said, known) and _states_agree(known, said)


def _supports(fact: Fact, said: Clause, subject: Subject, evidence: Evidence) -> bool:
    clause, words = fact.clause, words_of(evidence.language)
    placed = _in_the_area_of_the_others(subject, said, evidence)
    if not any(_is_the_same(placed, other, evidence) for other in clause.subjects):
        return False
    if not _states_agree(said, clause) or not said.objects <= clause.objects:
        return False
    if said.numbers and said.numbers != clause.numbers:
        return False
    if not _marks_agree(said, clause):
        return False
    if not _content_agrees(said, fact, evidence):
        return False
    bare = (not said.states and not said.numbers) or (fact.topic is not None and fact.topic.by_name)
    two_senses = len(subject.things) > 1 or any(evidence.is_ambiguous(thing, bare) for thing in subject.things)
    return not two_senses or _tells_topic(said, fact, words)


def _in_the_area_of_the_others(subject: Subject, said: Clause, evidence: Evidence) -> Subject:
    """ "The bedroom bedside lamp and ceiling light are off.": of the ceiling lights that in the bedroom."""
    areas = {other.area for other in said.subjects if other.area}
    if subject.area or len(areas) != 1 or not any(evidence.lexicon.areas(thing) > 1 for thing in subject.things):
        return subject
    return replace(subject, area=areas.pop())


def _is_the_same(said: Subject, known: Subject, evidence: Evidence) -> bool:
    """The same thing. A device's area may be left out where no other area has such a device."""
    if said.things != known.things and (not said.things & known.things or len(said.things & evidence.subjects) > 1):
        return False
    if said.area == known.area:
        return True
    several = any(evidence.lexicon.areas(thing) != 1 for thing in said.things & known.things)
    return not several and (not said.area or not known.area)


def _states_agree(said: Clause, known: Clause) -> bool:
    return all(any(groups & others for others in known.states) for groups in said.states)


def _marks_agree(said: Clause, known: Clause) -> bool:
    """Negations and hedges are the same; "never" is "not" at any time, so without one."""
    if said.marks == known.marks:
        return True
    return "never" in known.marks and not said.numbers and said.marks == known.marks - {"never"} | {"not"}


def _content_agrees(said: Clause, fact: Fact, evidence: Evidence) -> bool:
    """The same words, but for those that change nothing and those that say what kind of thing is spoken of."""
    known = fact.clause
    extra = said.content - known.content
    if extra - (fact.topic.words if fact.topic else frozenset()):
        return False
    missing = {word for word in known.content - said.content if not word.startswith(DOUBTED)}
    if said.marks & _STRONG:
        return not missing
    return not missing - words_of(evidence.language).droppable - kind_words(evidence.language)


def _tells_topic(said: Clause, fact: Fact, words: Words) -> bool:
    """Whether it is clear what is meant where a service and its backup have one name."""
    for topic in words.topics:
        speaks_of_it = topic is fact.topic or fact.clause.content & topic.words
        if speaks_of_it and (said.content & topic.words or any(groups & topic.groups for groups in said.states)):
            return True
    return fact.topic is None and not any(fact.clause.content & topic.words for topic in words.topics)


# ── why not ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _why(clause: Clause, subject: Subject | None, evidence: Evidence) -> str:
    """The first thing that is wrong, for the turn's record."""
    for number in clause.numbers:
        if number not in evidence.numbers:
            return f"number {number} is in no result"
    known = evidence.content | frozenset().union(*(f.topic.words for f in evidence.facts if f.topic), frozenset())
    for word in sorted(clause.content - known):
        return f"{word!r} is in no result"
    if "self" in clause.marks:
        return "it speaks of what it did or will do"
    what = " ".join(sorted(min(groups) for groups in clause.states)) or "that"
    negated = "not " if clause.marks & NEGATIONS else ""
    if subject is not None:
        return f"{subject.said} is not said to be {negated}{what}"
    return f"no result says {negated}{what} of so many"

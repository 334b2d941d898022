"""Tool results → what may be said: the clauses of their sentences, findings and records. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.ports import Names
from assistant.truth.clauses import Clause, Subject, clauses, sentences_of, things_in
from assistant.truth.lexicon import Lexicon, lexicon_of
from assistant.truth.tokens import normal, tokens
from assistant.truth.words import Role, Topic, words_of
from tools.contract import JsonObject, ToolResult

NAME_KEYS = ("name", "job", "service", "vm", "device", "target", "entity")
"""Keys of a record that say what it is about."""

STATE_KEYS = ("state", "verdict", "status")
TEXT_KEYS = ("reason", "detail", "message")
LONGEST_TEXT = 400
"""Characters of a record's text that are read; tools cap theirs well below."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One clause of one result. ``topic``: what its result is about, if its data say so."""

    clause: Clause
    topic: Topic | None
    result: int
    spoken: bool
    """Whether it stands in the result's own sentences, not only in its data."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One of a tool's own sentences. ``after``: the one that it cannot be understood without, or none."""

    text: str
    after: str
    result: int


class Evidence:
    """What tools found in this turn and what was asked. States in the question prove nothing."""

    def __init__(self, results: Sequence[ToolResult], utterance: str, names: Names, language: str = "en") -> None:
        self.lexicon: Lexicon = lexicon_of(names)
        self.language = language
        self.facts: list[Fact] = []
        self.sentences: dict[str, list[Sentence]] = defaultdict(list)
        for number, result in enumerate(results):
            topic = self._topic(result.data)
            self.facts += [Fact(clause, topic, number, True) for clause in self._spoken(result, number)]
            beside = [*self._found(result), *self._recorded(result.data)]
            self.facts += [Fact(clause, topic, number, False) for clause in beside]
        self.asked = frozenset(
            thing
            for token in tokens(utterance, self.lexicon, language)
            if token.role is Role.NAME
            for thing in token.values
        )
        self.things = things_in(fact.clause for fact in self.facts)
        self.numbers = frozenset(number for fact in self.facts for number in fact.clause.numbers)
        self.content = frozenset(word for fact in self.facts for word in fact.clause.content)
        self.subjects = frozenset(thing for fact in self.facts for s in fact.clause.subjects for thing in s.things)
        self._topics: dict[str, set[str]] = defaultdict(set)
        for fact in self.facts:
            for subject in fact.clause.subjects:
                for thing in subject.things:
                    self._topics[thing].add(fact.topic.name if fact.topic else f"result {fact.result}")

    def is_ambiguous(self, thing: str, bare: bool) -> bool:
        """Whether the name alone does not tell the service from its backup.

        ``bare``: what is said of it has no state and no number, or the name alone means this kind of thing; then it
        matters only where two results speak of it.
        """
        return len(self._topics.get(thing, ())) > 1 or (not bare and self.lexicon.kinds(thing) > 1)

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _clauses(self, text: str, about: frozenset[Subject] = frozenset()) -> list[Clause]:
        found = clauses(text[:LONGEST_TEXT], self.lexicon, about, self.language, ours=True)
        return [clause for clause in found if not clause.says_nothing]

    def _spoken(self, result: ToolResult, number: int) -> Iterator[Clause]:
        before = ""
        for text in sentences_of(result.spoken):
            plain = normal(text)
            self.sentences[plain].append(Sentence(plain, before if self._leans(text) else "", number))
            before = plain
        yield from clauses(result.spoken, self.lexicon, language=self.language, ours=True)

    def _leans(self, text: str) -> bool:
        """ "The other three are up.", "It has not answered since." """
        found = tokens(text, self.lexicon, self.language)
        return any("other" in token.values for token in found) or (bool(found) and found[0].role is Role.PRONOUN)

    def _found(self, result: ToolResult) -> Iterator[Clause]:
        for finding in result.findings:
            about = self._subject(finding.subject, None)
            if about:
                yield from self._clauses(finding.message, frozenset({about}))

    def _recorded(self, data: JsonObject) -> Iterator[Clause]:
        for record in _records(data):
            name = next((record[key] for key in NAME_KEYS if isinstance(record.get(key), str)), None)
            about = self._subject(name, record.get("area")) if name else None
            if about is None:
                continue
            for key, value in record.items():
                if isinstance(value, str) and key in (*STATE_KEYS, *TEXT_KEYS):
                    yield from self._clauses(value.replace("_", " "), frozenset({about}))
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    yield from self._figure(key, value, about)

    def _figure(self, key: str, value: float, about: Subject) -> Iterator[Clause]:
        """A number may be said with the words of its key: "max age 26 hours" for ``max_age_h``: 26."""
        *words, last = key.split("_")
        suffixes = words_of(self.language).unit_suffixes
        said = f"{value} {suffixes[last]}" if words and last in suffixes else str(value)
        label = " ".join(words if words and last in suffixes else [*words, last])
        for clause in self._clauses(f"{label} {said}", frozenset({about})):
            if clause.content:
                yield clause

    def _subject(self, name: str | None, area: object) -> Subject | None:
        things = self._things(name) if name else frozenset()
        where = self._things(area) if isinstance(area, str) else frozenset()
        return Subject(things, where, str(name)) if things else None

    def _things(self, name: str) -> frozenset[str]:
        found = [token for token in tokens(name, self.lexicon, self.language) if token.role is Role.NAME]
        return found[-1].values if found else frozenset()

    def _topic(self, data: JsonObject) -> Topic | None:
        return next((topic for topic in words_of(self.language).topics if topic.keys & data.keys()), None)


def _records(data: JsonObject) -> Iterator[Mapping[str, Any]]:
    """The data itself, the objects in it and those in its lists."""
    yield data
    for value in data.values():
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from (entry for entry in value if isinstance(entry, dict))

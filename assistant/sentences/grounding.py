"""Names that a model puts into a call, held against what was said. Pure.

Small models fill every parameter: asked "is the backup ok?" they check the job "databases", because it stood in the
prompt, or a job called "backup". So a name is kept only when the user said it (by any of its names, or misheard), or
when a follow-up means the thing talked about before. A made-up name is left out, which asks for all of them; a name
that was said and that nobody knows is kept, because the tool answers that with the nearest ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from assistant.ports import Names
from assistant.sentences.normalize import plain_words
from assistant.sentences.vocabulary import KINDS, misheard, spoken_forms, template_words
from tools.contract import JsonObject
from tools.names import NameIndex, Resolved

PRONOUNS = frozenset({"it", "its", "that", "this", "one", "them", "they", "those", "these"})


class Grounding:
    """Holds arguments against utterances, for one set of live names."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self.names = names
        self._language = language
        self._index = NameIndex(names.by_kind)
        self._forms = {kind: spoken_forms(names.by_kind.get(kind, {}), language) for kind in KINDS}

    def ground(self, arguments: JsonObject, said: str, subjects: Mapping[str, str]) -> JsonObject:
        """The arguments with every name checked; those that are no names are left alone.

        ``subjects``: what the conversation was last about, by kind.
        """
        words = plain_words(said, self._language)
        grounded: JsonObject = {}
        for key, value in arguments.items():
            if key not in KINDS or not isinstance(value, str):
                grounded[key] = value
            elif (name := self._meant(key, value, words, subjects)) is not None:
                grounded[key] = name
        return grounded

    def _meant(self, kind: str, value: str, words: str, subjects: Mapping[str, str]) -> str | None:
        mentioned = self.mentioned(kind, words)
        found = self._index.resolve(kind, value)
        if isinstance(found, Resolved):
            if found.name in mentioned or found.name in self._misheard(kind, words):
                return value
            if not mentioned and found.name in subjects.values() and self._refers_back(words):
                return value
        if len(mentioned) == 1:
            return mentioned[0]
        if not isinstance(found, Resolved) and self._is_an_unknown_name(value, words):
            return value
        return self._subject(kind, subjects) if not mentioned and self._has_pronoun(words) else None

    def mentioned(self, kind: str, words: str) -> list[str]:
        """The names of that kind that the words contain, longest form first and each word used once."""
        rest = f" {words} "
        names: list[str] = []
        for form in sorted(self._forms[kind], key=len, reverse=True):
            if f" {form} " in rest:
                rest = rest.replace(f" {form} ", "  ", 1)
                name = self._forms[kind][form]
                if name not in names:
                    names.append(name)
        return names

    def _misheard(self, kind: str, words: str) -> set[str]:
        return {name for _, name in misheard(kind, words, self._index, self._language, strict=False)}

    def _is_an_unknown_name(self, value: str, words: str) -> bool:
        """Said, and not just one of the words that questions are made of ("last night", "backup")."""
        parts = plain_words(value, self._language).split()
        said = set(words.split())
        return bool(parts) and all(part in said for part in parts) and not set(parts) <= template_words(self._language)

    def _subject(self, kind: str, subjects: Mapping[str, str]) -> str | None:
        """The thing talked about before, if this kind has one of that name."""
        for subject in (subjects.get(kind), *subjects.values()):
            if subject is not None and subject in self.names.by_kind.get(kind, {}):
                return subject
        return None

    def _has_pronoun(self, words: str) -> bool:
        return not PRONOUNS.isdisjoint(words.split())

    def _refers_back(self, words: str) -> bool:
        """A pronoun, or nothing that asks about all of them: "and the backup?"."""
        return self._has_pronoun(words) or words.startswith(("and ", "what about ", "how about "))

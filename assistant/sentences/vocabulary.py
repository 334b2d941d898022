"""The words of the house and the words of the templates. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from assistant.sentences.normalize import grammar_file, plain_words
from tools.names import NameIndex, Resolved
from tools.when.time_words import number

READS = (
    "check_services", "check_alerts", "service_logs", "check_backups", "check_vms", "home_state", "list_tasks",
    "find_service",
)  # fmt: skip
"""The tools that change nothing: all that a question may call."""

ACTS = (
    "service_power", "run_backup", "test_restore", "vm_power", "home_control", "notify", "schedule", "cancel_task",
)  # fmt: skip
"""The tools that change something."""

TOOLS = (*READS, *ACTS)
"""The tools that have templates (tests/sentences holds them against the server's own list)."""

KINDS = ("service", "job", "vm", "device", "area")
"""Kinds of names that templates use, each a list of the same name."""

PARAMETER_KINDS = {
    "service": "service",
    "job": "job",
    "vm": "vm",
    "target": "device",
    "area": "area",
    "name": "service",
}
"""Parameters of the tools that take a name, and the kind of name."""

LONGEST_NAME_WORDS = 4

SOUNDS_LIKE = 0.88
"""Score (``tools.names``) from which a stretch of an utterance is a misheard name. Over the demo homelab what speech
recognition makes of its names scores 0.88 and more ("graph anna", "home assistance"), other words 0.87 and less
("documentary" for documents); tests/sentences/test_vocabulary.py."""

TOGETHER_LIKE = 0.84
"""The same for two words and more, which together are seldom like a name by chance ("jelly fish", "gravy anna")."""

BEGINS_LIKE = 0.78
"""The same for two words of which the first is the beginning of the name: "jelly fish"."""

MIXED_LIKE = 0.85
"""The same where one of them is a word of the templates: "pie whole" is pihole, and "the mail server" no media server.
That word has to add to the likeness; in "documentary up" it does not."""


def spoken_forms(names: Mapping[str, Iterable[str]], language: str = "en") -> dict[str, str]:
    """What people say for each name → the canonical name; forms that could mean two names are left out.

    Canonical names outrank aliases, aliases outrank singular forms ("the photo backup" for photos).
    """
    forms: dict[str, str] = {}
    for rank in (_canonical_forms, _alias_forms, _singular_forms):
        meant: dict[str, set[str]] = defaultdict(set)
        for canonical, aliases in names.items():
            for form in rank(canonical, aliases, language):
                meant[form].add(canonical)
        for form, canonicals in meant.items():
            if len(canonicals) == 1 and form and form not in forms:
                forms[form] = next(iter(canonicals))
    return forms


def _canonical_forms(canonical: str, _aliases: Iterable[str], language: str) -> Iterator[str]:
    yield plain_words(canonical, language)


def _alias_forms(_canonical: str, aliases: Iterable[str], language: str) -> Iterator[str]:
    for alias in aliases:
        yield _without_article(plain_words(alias, language))


def _singular_forms(canonical: str, aliases: Iterable[str], language: str) -> Iterator[str]:
    for name in (canonical, *aliases):
        words = _without_article(plain_words(name, language))
        if words.endswith("s") and not words.endswith("ss") and len(words) > 3:
            yield words[:-1]
        if words.endswith(" sensor"):
            yield words.removesuffix(" sensor")  # "is the window open" asks the window sensor


def _without_article(words: str) -> str:
    for article in ("the ", "my ", "our "):
        if words.startswith(article):
            return words[len(article) :]
    return words


def misheard(
    kind: str, words: str, index: NameIndex, language: str = "en", *, strict: bool = True
) -> Iterator[tuple[str, str]]:
    """Stretches of the words that sound like a name of that kind, longest first, each with the name.

    A stretch holds no word that templates are made of; when not ``strict``, it is not made of such words alone ("get
    tea" for gitea, but never "last night").
    """
    own = {word for name in index.names(kind) for word in plain_words(name, language).split()}
    literal = template_words(language)
    vocabulary = literal - own
    parts = words.split()
    for length in range(LONGEST_NAME_WORDS, 0, -1):
        for start in range(len(parts) - length + 1):
            stretch = parts[start : start + length]
            behind = parts[start + length] if start + length < len(parts) else ""
            named = behind in _KIND_NOUNS.get(kind, ()) and length > 1  # "the send box vm"
            if vocabulary.isdisjoint(stretch) or (not strict and (named or not vocabulary.issuperset(stretch))):
                found = index.resolve(kind, " ".join(stretch))
                if isinstance(found, Resolved) and found.score >= _least(kind, stretch, found, literal, index):
                    yield " ".join(stretch), found.name


def _least(kind: str, stretch: list[str], found: Resolved, literal: frozenset[str], index: NameIndex) -> float:
    """The score from which that stretch is the name that was found."""
    if len(stretch) == 1:
        return SOUNDS_LIKE
    if len(stretch[0]) > 4 and found.name.replace(" ", "").startswith(stretch[0]) and stretch[0] not in literal:
        return BEGINS_LIKE
    own = [word for word in stretch if word not in literal]
    if len(own) == len(stretch):
        return TOGETHER_LIKE
    without = index.resolve(kind, " ".join(own)) if own else None
    adds = not isinstance(without, Resolved) or without.score < found.score
    return MIXED_LIKE if adds else SOUNDS_LIKE


def without_trimmings(words: str, forms: Iterable[str], language: str = "en") -> str:
    """Without words that change nothing about a request: whoever is spoken to, how well, what a name is like.

    "Honey, did the backups run", "… , love", "are our holiday pictures safely backed up". Only words that neither
    templates nor names have, at both ends, before a name, or adverbs; a word before a kind of thing ("the bathroom
    light") stays, as it says which one.
    """
    known = template_words(language) | {word for form in forms for word in form.split()} | NEVER_TRIMMED
    parts = words.split()
    never = frozenset(grammar_file("speech", language)["order_verbs"])
    kept = [
        word
        for at, word in enumerate(parts)
        if word in known
        or not word.isalpha()
        or number([word], 0) is not None
        or word in never
        or not (
            at in (0, len(parts) - 1)
            or word.endswith("ly")
            or any(f"{' '.join(parts[at + 1 :])} ".startswith(f"{form} ") for form in forms)
        )
    ]
    return " ".join(kept)


_KIND_NOUNS = {"vm": ("vm", "machine"), "service": ("server", "service", "app"), "job": ("backup", "job")}

NEVER_TRIMMED = frozenset(
    [
        "not",
        "no",
        "never",
        "if",
        "unless",
        "without",
        "except",
        "but",
        "hardly",
        "nearly",
        "only",
        "maybe",
        "perhaps",
        "probably",
        "possibly",
        "later",
        "last",
        "latest",
        "previous",
        "recent",
        "next",
        "any",
        "when",
        "yesterday",
        "instead",
        "hypothetically",
        "accidentally",
        "almost",
        "barely",
        "supposedly",
        "allegedly",
        "apparently",
        "reportedly",
        "theoretically",
        "usually",
        "normally",
        "formerly",
        "recently",
        "temporarily",
        "or",
        "nor",
        "nobody",
        "nothing",
    ]
)
"""Words that could change what is meant, whatever the templates say."""


def joined_names(words: str, forms: Collection[str]) -> str:
    """Names that were heard as two or three words put together: "paper less" is no paper, "next cloud" no cloud."""
    whole = {form.replace(" ", ""): form for form in forms}
    parts = words.split()
    joined: list[str] = []
    at = 0
    while at < len(parts):
        for size in (3, 2):
            pieces = parts[at : at + size]
            name = whole.get("".join(pieces)) if len(pieces) == size else None
            if name is not None and name != " ".join(pieces):
                joined.append(name)
                at += size
                break
        else:
            joined.append(parts[at])
            at += 1
    return " ".join(joined)


def joined_words(words: str, language: str = "en") -> str:
    """Two pieces that make one word of the templates put together: "a lerts", "back ups"."""
    vocabulary = template_words(language)
    parts = words.split()
    joined: list[str] = []
    for part in parts:
        whole = joined[-1] + part if joined else ""
        if len(whole) > 4 and whole in vocabulary and part not in vocabulary:
            joined[-1] = whole
        else:
            joined.append(part)
    return " ".join(joined)


@cache
def template_words(language: str) -> frozenset[str]:
    """The literal words of the sentence templates: what questions are made of, and no names."""
    words: set[str] = set()
    for file in ("common", *TOOLS):
        grammar = grammar_file(file, language)
        texts = [*grammar.get("expansion_rules", {}).values()]
        for intent in grammar.get("intents", {}).values():
            texts += [sentence for block in intent["data"] for sentence in block["sentences"]]
        for text in texts:
            words.update(re.findall(r"\w+", re.sub(r"<\w+>|\{\w+\}", " ", text)))
    return frozenset(words)

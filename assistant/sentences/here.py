"""Whether words leave open where something is meant: "the light" is the one of the room they are said in, "all lights"
are those of the house. The arguments of a call cannot tell that apart, as both are ``lights``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

from assistant.ports import Names, WantedCall
from assistant.sentences.normalize import grammar_file

HERE = "here"
"""Area of a call that names the room it is said in: the tools know which that is."""

_STEM = 4
"""Letters of a word of a name that are enough to find it in what was said."""


def means_here(text: str, call: WantedCall, language: str = "en", *, alone: bool = True) -> bool:
    """Whether ``call``, read out of ``text``, means the room that it was said in where it names none.

    ``alone``: nothing else was read out of it, so all that comes after the thing is said of it, too ("all of them").
    """
    words = _part_about(_target(call), _plainly(text), language, to_the_end=alone)
    known = _patterns(language)
    if known["here_phrases"].search(words):
        return True
    words = known["no_quantity"].sub(" ", words)
    return not any(known[kind].search(words) for kind in ("everywhere", "quantities", "seeking", "of_the_house"))


def speaks_of(text: str, call: WantedCall, language: str = "en") -> bool:
    """Whether the words name the thing that the call is for, instead of pointing at what was talked about."""
    words = _plainly(text)
    return any(re.search(rf"\b{re.escape(stem)}", words) for stem in _called(_target(call), language))


def says_here(words: str, language: str = "en") -> bool:
    """Whether these words name the room that they are said in."""
    return bool(_patterns(language)["named_here"].search(words))


def with_here(names: Names, language: str = "en") -> Names:
    """For templates: "here" is an area like others, where there are any."""
    areas = names.by_kind.get("area", {})
    if not areas or HERE in areas:
        return names
    forms = tuple(grammar_file("here", language)["here"])
    return replace(names, by_kind={**names.by_kind, "area": {**areas, HERE: forms}})


def _part_about(target: str, words: str, language: str, *, to_the_end: bool) -> str:
    """The requests in ``words`` that are about the target, and what comes after; all of it where none seems to be."""
    parts = [part for part in _patterns(language)["joints"].split(words) if part.strip()]
    called = _called(target, language)
    about = [at for at, part in enumerate(parts) if any(re.search(rf"\b{re.escape(stem)}", part) for stem in called)]
    if not about:
        return words
    return " ".join(parts[about[0] :] if to_the_end else [parts[at] for at in about])


def _target(call: WantedCall) -> str:
    return str(call.arguments.get("target", ""))


def _called(target: str, language: str) -> Collection[str]:
    """Beginnings of the words that a target goes by."""
    known: Collection[str] | None = grammar_file("here", language)["called"].get(target)
    return known or [word[: max(_STEM, len(word) - 2)] for word in _plainly(target).split()]


def _plainly(text: str) -> str:
    """Lower case, one space between words, no punctuation but what ends a request."""
    text = re.sub(r"['’`]s\b", " is", text.casefold())
    return " ".join(re.sub(r"[^\w;.,]", " ", re.sub(r"[!?]", "", text)).replace(",", " , ").split()).rstrip(" .;,")


@cache
def _patterns(language: str) -> Mapping[str, re.Pattern[str]]:
    known = grammar_file("here", language)
    patterns = {kind: _any_of(known[kind]) for kind in ("no_quantity", "everywhere", "quantities", "of_the_house")}
    for kind in ("here_phrases", "named_here"):
        patterns[kind] = re.compile("|".join(_bounded(phrase) for phrase in known[kind]))
    patterns["seeking"] = re.compile("|".join(known["seeking"]))
    joints = "|".join(re.escape(joint) for joint in known["joints"])
    patterns["joints"] = re.compile(rf"\b(?:{joints})\b|[;.,]")
    return patterns


def _any_of(phrases: Collection[str]) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(re.escape(phrase) for phrase in ordered) + r")\b")


def _bounded(phrase: str) -> str:
    """With the marks of a beginning and an end as they are."""
    first, last = phrase.startswith("^"), phrase.endswith("$")
    inner = re.escape(phrase.removeprefix("^").removesuffix("$"))
    return ("^" if first else r"\b") + inner + ("$" if last else r"\b")

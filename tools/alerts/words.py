"""Words of alerts as they may be said or shown: without control characters, on one line, short. Pure."""

from __future__ import annotations

import re
import unicodedata

SAID = 120
"""Characters of somebody else's message in what is spoken."""

NAMED = 60
"""Characters of a name that somebody else has given."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories that change how a line looks or reads and are no text: controls, direction marks, surrogates."""


def clean(text: str, limit: int = SAID) -> str:
    """One line without what cannot be seen, at most so many characters, the cut marked by "…"."""
    visible = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text[: 8 * limit])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def name(text: str) -> str:
    """A name that somebody else has given: letters, digits and a few signs, so that it cannot make sentences."""
    kept = "".join(c if c.isalnum() or c in " -_./:@" else " " for c in clean(text, NAMED))
    return " ".join(kept.split()).strip(".:-_/ ") or "something without a name"


def rule_name(text: str) -> str:
    """The name of a rule as people say it: "HostOutOfDiskSpace" → "host out of disk space"; "HTTP5xx" stays so."""
    words = _CAMEL.sub(" ", name(text).replace("_", " ").replace("-", " ")).split()
    return " ".join(word if word.isupper() and len(word) > 1 else word.casefold() for word in words)


def words_of(text: str) -> frozenset[str]:
    """The words that a rule's name is made of."""
    return frozenset(rule_name(text).casefold().split())

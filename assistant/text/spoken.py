"""Text for the screen → text for the synthesizer: what a person would say. Pure and idempotent.

The steps, each in a module of its own: blocks of markdown and JSON become sentences (``markup``, ``lists``,
``json_text``), then one rule after another says addresses, dates, paths, quantities and symbols, and ``tidy`` takes off
what cannot be said. What is plain English already comes back unchanged.
"""

from __future__ import annotations

import re
import unicodedata

from assistant.text import addresses, dates, markup, paths, quantities, symbols, versions
from assistant.text.json_text import say_embedded_json, say_json
from assistant.text.rules import Rule

MAX_TEXT = 10_000
"""Characters of one text that are looked at. A sentence is far below; nobody listens to a log file."""

MAX_SPOKEN = 4_000
"""Characters of speech, some four minutes; cut between words."""

MAX_PASSES = 8
"""Taking markup off can bring markup to light; two passes are usual, the second changes nothing."""

RULES: tuple[Rule, ...] = (
    *markup.RULES,
    addresses.url,
    *dates.RULES,
    *addresses.RULES,
    *paths.RULES,
    *symbols.FIRST_RULES,
    *versions.RULES,
    *quantities.RULES,
    *symbols.RULES,
)
"""In this order: the surer first, so a URL before the date in it, and a date before the range that it looks like."""


def to_spoken(text: str) -> str:
    """One line that can be synthesized, empty where there is nothing to say. Never raises.

    No control characters, markup or emoji; figures keep their value; ``to_spoken(to_spoken(x)) == to_spoken(x)``.
    """
    spoken = _settled(text)
    if spoken is None:
        spoken = _settled(" ".join(re.sub(r"[^\w ]|_", " ", text[:MAX_TEXT]).split()))
    return spoken or ""


def _settled(text: str) -> str | None:
    """What no further pass changes; None when that does not come about, which only hostile text brings off."""
    for _ in range(MAX_PASSES):
        spoken = _one_pass(text)
        if spoken == text:
            return spoken
        text = spoken
    return None


def _one_pass(text: str) -> str:
    spoken = unicodedata.normalize("NFC", text[:MAX_TEXT])
    said = say_json(spoken)
    spoken = markup.plain_lines(say_embedded_json(spoken) if said is None else said)
    for each in RULES:
        spoken = each(spoken)
    return _cut(symbols.tidy(spoken))


def _cut(text: str) -> str:
    if len(text) <= MAX_SPOKEN:
        return text
    space = text.rfind(" ", 0, MAX_SPOKEN)
    return text[: space if space > 0 else MAX_SPOKEN].rstrip(" ,;:–—-")

"""Labels of metrics: each from a list that is closed, so that nothing that was said or made up becomes one. Pure."""

from __future__ import annotations

from collections.abc import Collection

from assistant.errors import Stage
from assistant.phrases import load

OTHER = "other"
"""For whatever is not on the list: an unknown tool, a code that has no sentence."""

CODES_OF_TURNS = frozenset({"internal_error", "interrupted", "nothing_heard", "own_voice", "no_wake_word", "no_ears"})
"""Failures of turns that need no sentence of their own."""


def among(value: str | None, known: Collection[str]) -> str:
    """The value where it is known, else OTHER."""
    return value if value is not None and value in known else OTHER


def known_codes() -> frozenset[str]:
    """Codes of failures: those that have a sentence in ``prompts/phrases``, by any stage, and those of turns."""
    spoken = {key.split(".", 1)[-1] for key in load().errors}
    return frozenset(spoken) | CODES_OF_TURNS


STAGES = tuple(stage.value for stage in Stage)

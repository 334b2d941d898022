"""The names of the house as Whisper's initial prompt, and the prompt when Whisper says it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS, spoken_wake_word

PROMPT_CHARACTERS = 400
"""Whisper reads at most 224 tokens of prompt (openai/whisper); names beyond that are left out."""

ECHOED_NAMES = 3
"""As many names in the prompt's order, and no other word, are the prompt."""


def names_prompt(names: Sequence[str], wake_words: Sequence[str] = DEFAULT_WAKE_WORDS) -> str | None:
    """A line that makes the wake phrase and the names probable; None without names."""
    listed = names_list(names)
    if listed is None:
        return None
    phrase = spoken_wake_word(wake_words[0]).title() + ". " if wake_words else ""
    return f"{phrase}{listed}."


def names_list(names: Sequence[str], _wake_words: Sequence[str] = ()) -> str | None:
    """Only the names, as faster-whisper's ``hotwords`` would be given: to compare with. None without names."""
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if sum(len(other) + 2 for other in kept) + len(name) > PROMPT_CHARACTERS:
            break
        kept.append(name)
    return ", ".join(kept) or None


def is_echo(text: str, names: Sequence[str], wake_words: Sequence[str] = DEFAULT_WAKE_WORDS) -> bool:
    """Whether a transcript is only the prompt said back: over noise Whisper writes names that nobody said.

    It is when it holds at least ECHOED_NAMES names that follow each other in the prompt, or the same name so often, and
    besides names and wake phrases nothing. "Jellyfin and gitea" is none, nor are two names: people say those.
    """
    order = [_plain(name) for name in dict.fromkeys(names)]
    rest = f" {_plain(text)} "
    for word in wake_words:
        rest = re.sub(rf"(?<= ){re.escape(_plain(spoken_wake_word(word)))} ", "", rest)
    found: list[int] = []
    while rest.strip():
        fitting = [at for at, name in enumerate(order) if name and rest.startswith(f" {name} ")]
        if not fitting:
            return False
        at = max(fitting, key=lambda at: len(order[at]))
        found.append(at)
        rest = rest[len(order[at]) + 1 :]
    runs = [after - before for before, after in pairwise(found)]
    return len(found) >= ECHOED_NAMES and max(runs.count(1), runs.count(0)) >= ECHOED_NAMES - 1


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))

"""The names of the house as Whisper's initial prompt, and the prompt when Whisper says it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS, spoken_wake_word

PROMPT_CHARACTERS = 300
"""Names beyond that are left out: Whisper reads at most 224 tokens of prompt (openai/whisper), each costs time, and the
more names there are the less each is helped."""

QUESTIONS = ("is {} up?", "Is {} down?")
"""Around the first names: how people ask. None of them is an order."""

ECHOED_NAMES = 3
"""As many names in the prompt's order, and no other word, are the prompt."""


def names_prompt(names: Sequence[str], wake_words: Sequence[str] = DEFAULT_WAKE_WORDS) -> str | None:
    """Lines that make the wake phrase, the names and the way of asking probable; None without names.

    Whisper goes on in the manner of its prompt. Over the same clips questions around the first names, capitals and the
    wake phrase at the end halved the word errors of a bare list in small letters; the questions only ask, so that
    nothing is done when Whisper says them back.
    """
    kept = [capitalized(name) for name in fitting(names)]
    if not kept:
        return None
    phrase = spoken_wake_word(wake_words[0]).title() if wake_words else ""
    asked = " ".join(question.format(name) for question, name in zip(QUESTIONS, kept, strict=False))
    asked = f"{phrase}, {asked}" if phrase else asked[0].upper() + asked[1:]
    return f"{asked} {', '.join(kept)}.{f' {phrase}.' if phrase else ''}"


def names_list(names: Sequence[str], _wake_words: Sequence[str] = ()) -> str | None:
    """Only the names, as faster-whisper's ``hotwords`` would be given: to compare with. None without names."""
    return ", ".join(fitting(names)) or None


def fitting(names: Sequence[str]) -> list[str]:
    """The first of the names, each once, that PROMPT_CHARACTERS hold."""
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if sum(len(other) + 2 for other in kept) + len(name) > PROMPT_CHARACTERS:
            break
        kept.append(name)
    return kept


def capitalized(name: str) -> str:
    """As names are written in text; a name with capitals of its own stays."""
    return name.title() if name == name.lower() else name


def is_echo(
    text: str, names: Sequence[str], wake_words: Sequence[str] = DEFAULT_WAKE_WORDS, *, sure: bool = True
) -> bool:
    """Whether a transcript is only the prompt said back: over noise Whisper writes names that nobody said.

    It is when it is a stretch of the prompt with at least ECHOED_NAMES names, when it is so many names in the prompt's
    order or the same name so often, wake phrases aside, and, where Whisper is not ``sure``, when it is a question of
    the prompt. "Jellyfin and gitea" is none, nor are two names: people say those.
    """
    said = _without_phrases(_plain(text), wake_words)
    listed = fitting(names)
    if not said or not listed:
        return False
    if not sure and said in {_plain(question.format(name)) for question, name in zip(QUESTIONS, listed, strict=False)}:
        return True
    order = [_plain(name) for name in listed]
    prompt = _plain(names_prompt(names, wake_words) or "")
    if f" {said} " in f" {prompt} " and sum(f" {name} " in f" {said} " for name in order) >= ECHOED_NAMES:
        return True
    return _names_in_order(said, order)


def _names_in_order(said: str, order: Sequence[str]) -> bool:
    rest, found = f"{said} ", list[int]()
    while rest:
        fitting_here = [at for at, name in enumerate(order) if name and rest.startswith(f"{name} ")]
        if not fitting_here:
            return False
        at = max(fitting_here, key=lambda at: len(order[at]))
        found.append(at)
        rest = rest[len(order[at]) + 1 :]
    steps = [after - before for before, after in pairwise(found)]
    return len(found) >= ECHOED_NAMES and max(steps.count(1), steps.count(0)) >= ECHOED_NAMES - 1


def _without_phrases(said: str, wake_words: Sequence[str]) -> str:
    text = f" {said} "
    for word in wake_words:
        text = re.sub(rf"(?<= ){re.escape(_plain(spoken_wake_word(word)))} ", "", text)
    return text.strip()


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))

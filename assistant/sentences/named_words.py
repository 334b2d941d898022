"""Names whose words would else speak against an order: the scene "Movie night" is no talk of a movie. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from assistant.sentences.normalize import plain_words

TOPICS = frozenset({"movie", "song", "book", "dream", "story"})
"""Vetoes of ``speech.yaml`` that name what is talked about; a name with "not" or "never" in it lifts nothing."""

STANDING_FOR = "thing"


def without_names(text: str, devices: Mapping[str, Iterable[str]], language: str = "en") -> str:
    """The text as it is, or, where a device's name holds such a word, plain words with another in its place."""
    plain = plain_words(text, language)
    said = TOPICS.intersection(plain.split())
    if not said:
        return text
    named = False
    padded = f" {plain} "
    for name in chain(devices, *devices.values()):
        words = plain_words(name, language)
        if " " in words and said.intersection(words.split()) and f" {words} " in padded:
            padded = padded.replace(f" {words} ", f" {STANDING_FOR} ")
            named = True
    return padded.strip() + ("?" if text.rstrip().endswith("?") else "") if named else text

"""What Whisper wrote → what was said: wake phrase off, non-speech marks off, hallucinations recognised. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS, without_heard_wake_phrase, without_wake_phrase

_MARKS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]+")
"""[BLANK_AUDIO], (music), *sighs*: Whisper's notes about sound that is no speech."""

HALLUCINATIONS = frozenset(
    {
        "thank you",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
        "thanks for listening",
        "thank you very much",
        "please subscribe",
        "subtitles by the amaraorg community",
        "you",
        "bye",
        "bye bye",
        "the end",
        "the",
        "and",
        "so",
        "i",
        "oh",
        "ooh",
        "ah",
        "hmm",
        "mm",
        "uh",
        "um",
    }
)
"""What Whisper writes over silence and noise, from its training on subtitles (openai/whisper discussion 1606)."""

_NEVER_SAID = re.compile(
    r"\b(?:thanks|thank you)(?: so much| all)? for (?:watching|listening|viewing)\b|\bamara ?org\b"
    r"|\b(?:please|dont forget to) (?:like and )?subscribe\b|\bsubscribe to (?:my|our|the) channel\b"
)
"""Nobody says that to a house."""

LOG_PROBABILITY = -1.0
"""Whisper's own threshold for an improbable text (``transcribe(logprob_threshold=-1.0)``). Below it no clip of `jarvis
bench clips` was heard rightly: it is better to say so than to act on words that nobody said."""

NO_SPEECH_PROBABILITY = 0.3
UNSURE = -0.7
"""A text that Whisper is known to make up counts only up to the one and from the other."""


def clean_transcript(text: str, wake_words: Sequence[str] = DEFAULT_WAKE_WORDS, *, woken: bool = False) -> str:
    """The words of the request, without wake phrase and marks; empty when there are none. Idempotent.

    ``wake_words``: names of the configured ones ("hey_jarvis", "computer"); none are taken off with (). ``woken``: one
    of them was detected in the sound, so that the phrase is there, however it is written.
    """
    words = " ".join(_MARKS.sub(" ", text).split())
    words = (without_heard_wake_phrase if woken else without_wake_phrase)(words, wake_words)
    words = words.lstrip(" ,.!?:;-–—").rstrip()
    return words if re.search(r"\w", words) else ""


def is_nothing(
    text: str,
    no_speech_probability: float,
    average_log_probability: float,
    wake_words: Sequence[str] = DEFAULT_WAKE_WORDS,
) -> bool:
    """Whether Whisper talks to itself: an improbable text, or a known phrase that it was unsure of."""
    core = re.sub(r"[^\w ]+", "", clean_transcript(text, wake_words).casefold()).strip()
    if not core:
        return True
    if average_log_probability < LOG_PROBABILITY or _NEVER_SAID.search(core):
        return True
    return core in HALLUCINATIONS and not is_sure(no_speech_probability, average_log_probability)


def is_sure(no_speech_probability: float, average_log_probability: float) -> bool:
    """Whether Whisper is sure enough for a text that it is known to make up now and then."""
    return no_speech_probability <= NO_SPEECH_PROBABILITY and average_log_probability >= UNSURE

"""What Whisper wrote → what was said: wake phrase off, non-speech marks off, hallucinations recognised. Pure."""

from __future__ import annotations

import re

_MARKS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]+")
"""[BLANK_AUDIO], (music), *sighs*: Whisper's notes about sound that is no speech."""

_WAKE = re.compile(
    r"^\W*(?:hey|hay|hi|hej|a|okay|ok|hello)?[\s,.!-]*"
    r"(?:jarvis|jarvus|jervis|jarvi[sz]e?|jarves|javis|charvis|travis|gervais|jarvis's)\b[\s,.!?:;-]*",
    re.IGNORECASE,
)
"""The wake phrase at the start, as it is heard; without "hey" only as the name itself."""

HALLUCINATIONS = frozenset(
    {
        "thank you",
        "thanks for watching",
        "thank you for watching",
        "thank you very much",
        "please subscribe",
        "subtitles by the amaraorg community",
        "you",
        "bye",
        "the end",
        "so",
        "i",
        "oh",
        "hmm",
        "uh",
    }
)
"""What Whisper writes over silence and noise, from its training on subtitles (openai/whisper discussion 1606)."""

NO_SPEECH_PROBABILITY = 0.6
LOG_PROBABILITY = -1.0
"""Whisper's own thresholds for silence (``transcribe(no_speech_threshold=0.6, logprob_threshold=-1.0)``)."""


def clean_transcript(text: str) -> str:
    """The words of the request, without wake phrase and marks; empty when there are none. Idempotent."""
    words = " ".join(_MARKS.sub(" ", text).split())
    while (shorter := _WAKE.sub("", words)) != words:
        words = shorter
    words = words.lstrip(" ,.!?:;-–—").rstrip()
    return words if re.search(r"\w", words) else ""


def is_nothing(text: str, no_speech_probability: float, average_log_probability: float) -> bool:
    """Whether a transcript is Whisper talking to itself: improbable speech, or a known phrase that it was unsure of."""
    core = re.sub(r"[^\w ]+", "", clean_transcript(text).casefold()).strip()
    if not core:
        return True
    if no_speech_probability > NO_SPEECH_PROBABILITY and average_log_probability < LOG_PROBABILITY:
        return True
    return core in HALLUCINATIONS and (no_speech_probability > 0.3 or average_log_probability < -0.7)

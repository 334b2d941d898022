"""Sentence match over ``prompts/sentences``: the call an utterance asks for, and whether it asks or orders."""

from assistant.sentences.matcher import HassilMatcher
from assistant.sentences.named_words import without_names
from assistant.sentences.speech_kind import (
    asks_beside,
    certain_speech,
    is_bare_answer,
    is_beyond,
    is_hypothetical,
    is_message,
    is_question,
    is_reported,
    is_waved_off,
    speech_of,
)

__all__ = [
    "HassilMatcher",
    "asks_beside",
    "certain_speech",
    "is_bare_answer",
    "is_beyond",
    "is_hypothetical",
    "is_message",
    "is_question",
    "is_reported",
    "is_waved_off",
    "speech_of",
    "without_names",
]

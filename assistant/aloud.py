"""What of a reply is said aloud, as configured and in the words of ``prompts/phrases``."""

from __future__ import annotations

from assistant.config import SpeechSettings
from assistant.phrases import phrase
from assistant.text.brief import Aloud


def aloud(settings: SpeechSettings) -> Aloud:
    """One for each reply: it counts the reply's sentences."""
    return Aloud(settings.sentences, phrase("rest_on_screen"))

"""What the door needs of the house: the seam between the protocol and everything behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.broadcast import RunningTurn
from assistant.ports import SentenceMatch, SpeechChunk, Transcriber, WakeWordDetector
from tools.contract import Caller


@dataclass(frozen=True, slots=True)
class Services:
    """Ears, mouth and wake words are None where there are none; the brain is always there.

    ``detector``: makes one for these wake words; blocking, raises WakeWordError, ModelFilesError. ``ask``: starts a
    turn by text, with who asks and the conversation. ``read``: what the sentence templates read out of a text; changes
    nothing. It raises ToolboxError, and ``ask`` JarvisError when too many turns are under way.
    """

    ask: Callable[[str, Caller, str], RunningTurn]
    read: Callable[[str], Awaitable[SentenceMatch | None]]
    transcriber: Transcriber | None = None
    speech: Callable[[str], AsyncGenerator[SpeechChunk, None]] | None = None
    detector: Callable[[Sequence[str]], WakeWordDetector] | None = None
    wake_words: Mapping[str, str] = field(default_factory=dict)
    """Name → phrase."""
    language: str = "en"
    """Of ears and brain."""
    voice: str = "default"
    voice_language: str = "en"
    version: str = "0"
    role: str = "member"
    max_utterance_s: float = 60.0

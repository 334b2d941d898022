"""What a satellite is told of a turn, for its lights and commands: our events as Wyoming's. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from wyoming.asr import Transcript
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import Synthesize
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detection

from assistant.events import (
    ReplySentence,
    SpeechEnded,
    SpeechStarted,
    Transcribed,
    TurnEvent,
    TurnFailed,
    WakeDetected,
)


def told(event: TurnEvent, *, wakes_itself: bool) -> Iterator[Event]:
    """``wakes_itself``: it knows of the wake word first, and is told the transcript when the exchange is over, since
    that is what makes it listen for the wake word again."""
    match event:
        case WakeDetected(word=word) if not wakes_itself:
            yield Detection(name=word).event()
        case SpeechStarted(audio_ms=at_ms):
            yield VoiceStarted(timestamp=int(at_ms)).event()
        case SpeechEnded(audio_ms=at_ms):
            yield VoiceStopped(timestamp=int(at_ms)).event()
        case Transcribed(text=text) if not wakes_itself:
            yield Transcript(text=text).event()
        case ReplySentence(spoken=spoken):
            yield Synthesize(text=spoken).event()
        case TurnFailed(code=code, spoken=spoken) if spoken:
            yield Error(text=spoken, code=code).event()
        case _:
            pass

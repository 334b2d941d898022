"""The reply of a turn as speech: what the turn said, or, where nobody listened then, what is made of its words now."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from assistant.app import App
from assistant.broadcast import RunningTurn
from assistant.events import AudioReady, ReplySentence, TurnFailed
from assistant.phrases import phrase
from assistant.ports import SpeechChunk
from assistant.text.brief import briefly


async def reply_speech(turn: RunningTurn, app: App) -> AsyncGenerator[SpeechChunk, None]:
    """As it comes; waits for a turn that is under way; nothing without a voice. Raises SynthesisError."""
    said: list[str] = []
    failure, heard = "", False
    async for event in turn.events():
        match event:
            case AudioReady():
                heard = True
                yield SpeechChunk(event.pcm, event.sample_rate_hz)
            case ReplySentence():
                said.append(event.spoken)
            case TurnFailed():
                failure = event.spoken
    if heard:
        return
    for words in filter(str.strip, [*briefly(said, app.settings.speech.sentences, phrase("rest_on_screen")), failure]):
        async for chunk in app.speech(words):
            yield chunk

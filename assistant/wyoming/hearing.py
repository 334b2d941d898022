"""``asr``: sound in, a transcript out."""

from __future__ import annotations

import numpy as np
from wyoming.event import Event

from assistant.errors import TranscriptionError
from assistant.ports import Transcriber
from assistant.text.transcript import clean_transcript
from assistant.wyoming.connection import Connection
from assistant.wyoming.services import Services
from assistant.wyoming.sound import Incoming


class Hearing:
    """One utterance after another; each is transcribed when its sound has ended."""

    def __init__(self, services: Services, transcriber: Transcriber, connection: Connection) -> None:
        self._services = services
        self._transcriber = transcriber
        self._connection = connection
        self._incoming: Incoming | None = None

    async def start(self, event: Event) -> None:
        """What was sent before and not ended is forgotten. Raises BadEvent."""
        self._begun(event)

    async def feed(self, chunk: Event) -> None:
        """Raises BadEvent."""
        await (self._incoming or self._begun(chunk)).put(chunk)

    async def stop(self) -> None:
        """Answer with what was said, which is empty where nobody spoke. Raises ClientGone, TranscriptionError."""
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            raise TranscriptionError("no_sound", "An utterance ended that had not begun.")
        incoming.end()
        pieces = [chunk async for chunk in incoming.chunks()]
        audio = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)
        heard = await self._transcriber.transcribe(audio)
        text = clean_transcript(heard.text, tuple(self._services.wake_words))
        await self._connection.send(Event("transcript", {"text": text, "language": heard.language}))

    def close(self) -> None:
        """Forget what has been sent."""
        self._incoming = None

    def _begun(self, event: Event) -> Incoming:
        most_s = self._services.max_utterance_s
        self._incoming = Incoming(event, buffer_s=most_s + 1, most_s=most_s)
        return self._incoming

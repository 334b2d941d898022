"""``tts``: text in, sound out while it is being made."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from wyoming.event import Event

from assistant.errors import SynthesisError
from assistant.speech.wyoming_link import BadEvent
from assistant.text.sentences import SentenceSplitter
from assistant.text.spoken import to_spoken
from assistant.wyoming.connection import Connection, object_of, text_of
from assistant.wyoming.services import Services

MAX_CHARACTERS = 20_000
"""Of one request: a quarter of an hour."""

CHUNK_BYTES = 8_192
"""Of one event: some 0.2 s."""

SILENT_RATE_HZ = 22_050
"""Said of sound that has none: a text without words."""


class Speaking:
    """Whole texts (``synthesize``), and texts that come in pieces (``synthesize-start`` to ``synthesize-stop``), which
    are said sentence by sentence while the rest comes."""

    def __init__(self, services: Services, connection: Connection) -> None:
        self._services = services
        self._connection = connection
        self._splitter: SentenceSplitter | None = None
        self._characters = 0
        self._sounding = False

    async def whole(self, event: Event) -> None:
        """Raises BadEvent, ClientGone, SynthesisError."""
        if self._splitter is not None:
            return  # the same text once more, for servers that do not know pieces
        self._check_voice(event)
        await self._say(text_of(event, "text", MAX_CHARACTERS))
        await self._end()

    def start(self, event: Event) -> None:
        """Raises BadEvent, SynthesisError."""
        self._check_voice(event)
        self._splitter, self._characters = SentenceSplitter(), 0

    async def piece(self, event: Event) -> None:
        """Say the sentences that are whole now. Raises BadEvent, ClientGone, SynthesisError."""
        if self._splitter is None:
            raise BadEvent("a piece of a text that has not begun")
        text = text_of(event, "text", MAX_CHARACTERS)
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise BadEvent(f"a text of more than {MAX_CHARACTERS} characters")
        for sentence in self._splitter.feed(text):
            await self._say(sentence)

    async def stop(self) -> None:
        """Say what is left. Raises BadEvent, ClientGone, SynthesisError."""
        if self._splitter is None:
            raise BadEvent("the end of a text that has not begun")
        rest, self._splitter = self._splitter.flush(), None
        for sentence in rest:
            await self._say(sentence)
        await self._end()
        await self._connection.send(Event("synthesize-stopped"))

    async def _say(self, text: str) -> None:
        if self._services.speech is None:
            raise SynthesisError("no_mouth", "This server was started without a mouth.")
        async with aclosing(self._services.speech(to_spoken(text))) as speech:
            async for chunk in speech:
                form = _form(chunk.sample_rate_hz)
                await self._begin(form)
                for at in range(0, len(chunk.pcm), CHUNK_BYTES):
                    await self._connection.send(Event("audio-chunk", form, chunk.pcm[at : at + CHUNK_BYTES]))

    async def _begin(self, form: dict[str, Any]) -> None:
        if not self._sounding:
            self._sounding = True
            await self._connection.send(Event("audio-start", form))

    async def _end(self) -> None:
        await self._begin(_form(SILENT_RATE_HZ))
        self._sounding = False
        await self._connection.send(Event("audio-stop"))

    def _check_voice(self, event: Event) -> None:
        """Nobody is given another voice than the one asked for. Raises BadEvent, SynthesisError."""
        wanted, services = object_of(event, "voice"), self._services
        name, language = wanted.get("name"), wanted.get("language")
        if name and name != services.voice:
            mend = f"Choose {services.voice} there, which is [synthesizer] voice here."
            raise SynthesisError("unknown_voice", f"There is no voice {str(name)[:60]!r} here.", mend=mend)
        if not name and language and not same_language(str(language), services.voice_language):
            detail = f"The voice here speaks {services.voice_language}, not {str(language)[:20]!r}."
            raise SynthesisError("unknown_voice", detail)


def same_language(one: str, other: str) -> bool:
    """Whether two codes mean one language, wherever it is spoken: en, en_US, en-GB. Pure."""
    return _base(one) == _base(other)


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].casefold()


def _form(rate_hz: int) -> dict[str, Any]:
    return {"rate": rate_hz, "width": 2, "channels": 1}

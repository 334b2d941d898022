"""The mouth's part of a turn: each sentence is synthesized and played while the next one is being found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol

from assistant.errors import JarvisError
from assistant.events import AudioReady, ReplySentence
from assistant.merge import Done, merge
from assistant.own_voice import OwnVoice
from assistant.phrases import phrase
from assistant.ports import Player, ReplyEvent, SpeechChunk, Synthesizer
from assistant.text.brief import Aloud

log = logging.getLogger(__name__)


class Mouth(Protocol):
    """As much of it as there is."""

    @property
    def synthesizer(self) -> Synthesizer | None: ...

    @property
    def player(self) -> Player | None: ...

    @property
    def own_voice(self) -> OwnVoice | None: ...


async def aloud(
    reply: AsyncGenerator[ReplyEvent, None], mouth: Mouth, sentences: int
) -> AsyncGenerator[ReplyEvent | AudioReady, None]:
    """The reply's events as they come and, beside them, the speech of its first ``sentences``; questions are always
    said. Raises what the reply raises, SynthesisError, PlaybackError."""
    if mouth.synthesizer is None:
        async with aclosing(reply):
            async for silent in reply:
                yield silent
        return
    to_say: asyncio.Queue[str | Done] = asyncio.Queue()
    failures: list[JarvisError] = []

    async def thinking() -> AsyncIterator[ReplyEvent | AudioReady]:
        kept = Aloud(sentences, phrase("rest_on_screen"))
        try:
            async with aclosing(reply):
                async for event in reply:
                    yield event
                    if isinstance(event, ReplySentence) and (said := kept.take(event.spoken)):
                        to_say.put_nowait(said)
        except JarvisError as error:
            failures.append(error)
        finally:
            if rest := kept.rest():
                to_say.put_nowait(rest)
            to_say.put_nowait(Done.DONE)

    async with aclosing(merge(thinking(), _speak(to_say, mouth))) as both:
        async for event in both:
            yield event
    for failure in failures:  # raised only now, so that what was found before it has been said in full
        raise failure


async def say(sentence: str, mouth: Mouth) -> AsyncGenerator[AudioReady, None]:
    """One sentence to its end; nothing without a mouth. Raises SynthesisError, PlaybackError."""
    to_say: asyncio.Queue[str | Done] = asyncio.Queue()
    to_say.put_nowait(sentence)
    to_say.put_nowait(Done.DONE)
    async for audio in _speak(to_say, mouth):
        yield audio


async def _speak(to_say: asyncio.Queue[str | Done], mouth: Mouth) -> AsyncIterator[AudioReady]:
    first = True
    try:
        while (sentence := await to_say.get()) is not Done.DONE:
            if mouth.synthesizer is None or not str(sentence).strip():
                continue
            heard = _Playing(str(sentence), mouth.player, mouth.own_voice) if mouth.player is not None else None
            async with aclosing(mouth.synthesizer.synthesize(str(sentence))) as chunks:
                async for chunk in chunks:
                    if heard is not None:
                        await heard.play(chunk)
                    yield AudioReady(pcm=chunk.pcm, sample_rate_hz=chunk.sample_rate_hz, first=first)
                    first = False
                    if heard is not None:
                        await heard.rehear(chunk)
        if mouth.player is not None:
            await mouth.player.drain()
    finally:
        if mouth.own_voice is not None:
            mouth.own_voice.quiet()


class _Playing:
    """One sentence on its way to the loudspeaker, and what is remembered of it."""

    def __init__(self, sentence: str, player: Player, own_voice: OwnVoice | None) -> None:
        self._player = player
        self._own_voice = own_voice
        self._like_stop = own_voice.reheard() if own_voice is not None and own_voice.reheard is not None else None
        self._when = (0.0, 0.0)
        if own_voice is not None:
            own_voice.saying(sentence)

    async def play(self, chunk: SpeechChunk) -> None:
        """Returns when the chunk is queued. Raises PlaybackError."""
        await self._player.play(chunk)
        if self._own_voice is not None:
            self._when = self._own_voice.queued(len(chunk.pcm) / 2 / chunk.sample_rate_hz)

    async def rehear(self, chunk: SpeechChunk) -> None:
        """Remember whether what was queued last sounds like "stop": it is heard no sooner than it could be taken for
        that. Where nobody can say, it may."""
        if self._own_voice is None or self._like_stop is None:
            return
        when = self._when
        try:
            doubtful = await asyncio.to_thread(self._like_stop, chunk)
        except JarvisError as error:  # the reply goes on
            log.warning("whether the reply sounds like “stop” cannot be told: %s", error.detail)
            doubtful = True
        if doubtful:
            self._own_voice.like_stop(when)

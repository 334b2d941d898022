"""Speech that was made before is said at once: a cache in memory, and its warming with fixed sentences."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk, Synthesizer
from assistant.text.sentences import split_sentences

log = logging.getLogger(__name__)

PAUSE_S = 0.5
"""Between two sentences of the warming: it is never in a hurry."""

FIRST = (
    "nevermind",
    "left_alone",
    "confirmation_dropped",
    "nothing_asked",
    "endpoint.nothing_heard",
    "transcript.nothing_heard",
    "thanks",
    "greeting",
    "beyond",
    "tools.unreachable",
    "model.model_server_down",
)
"""Keys of the sentences that are warmed first: what is said when there is nothing to look up, and short failures."""


class Voice(Synthesizer, Protocol):
    """A synthesizer that is loaded and closed."""

    async def load(self) -> None: ...

    def close(self) -> None: ...


class SpeechCache:
    """Whole sentences by their text, at most ``max_bytes`` of PCM; what was not said for longest goes first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[SpeechChunk, ...]] = OrderedDict()
        self.size = 0

    def get(self, text: str) -> tuple[SpeechChunk, ...] | None:
        """The speech, which is now the latest; None where there is none."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
        return found

    def put(self, text: str, chunks: Iterable[SpeechChunk]) -> None:
        """Keep it, where it is not larger than the whole cache."""
        speech = tuple(chunks)
        size = _size(speech)
        self.size -= _size(self._kept.pop(text, ()))
        if size > self._max_bytes:
            return
        self._kept[text] = speech
        self.size += size
        while self.size > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.size -= _size(oldest)

    def room_for(self, size: int) -> bool:
        """Whether so many bytes fit without anything having to go."""
        return self.size + size <= self._max_bytes

    def __contains__(self, text: str) -> bool:
        return text in self._kept

    def __len__(self) -> int:
        return len(self._kept)


def _size(chunks: Iterable[SpeechChunk]) -> int:
    return sum(len(chunk.pcm) for chunk in chunks)


class CachedSynthesizer:
    """Implements Synthesizer over another, whose voice, speed and volume do not change.

    What was said to the end once is said from memory. What was broken off or failed is not kept.
    """

    def __init__(self, inner: Voice, max_bytes: int) -> None:
        self._inner = inner
        self._cache = SpeechCache(max_bytes)
        self._speaking = 0
        self._silent = asyncio.Event()
        self._silent.set()
        self._warming: asyncio.Task[list[SpeechChunk]] | None = None

    @property
    def inner(self) -> Voice:
        """The other."""
        return self._inner

    async def load(self) -> None:
        """Load the other. Raises SynthesisError."""
        await self._inner.load()

    def close(self) -> None:
        """Close the other."""
        self._inner.close()

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Sentence by sentence, each from memory or made now. Raises SynthesisError."""
        for sentence in _sentences(text):
            async with _closing(self._sentence(sentence)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _sentence(self, key: str) -> AsyncGenerator[SpeechChunk, None]:
        if (known := self._cache.get(key)) is not None:
            for chunk in known:
                yield chunk
            return
        made = []
        async with self._in_earnest(), _closing(self._inner.synthesize(key)) as chunks:
            async for chunk in chunks:
                made.append(chunk)
                yield chunk
        if made:
            self._cache.put(key, made)

    async def warm(
        self, texts: Iterable[str], *, idle: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(PAUSE_S)
    ) -> int:
        """Make the sentences of these texts ahead of time, in this order, and tell how many are new.

        It stays out of the way: before each sentence it waits for ``idle()``, gives a sentence up as soon as one in
        earnest is wanted and takes it up again later, drops nothing out of the cache, and ends quietly when the cache
        is full or the voice fails. One at a time; cancel it at any time.
        """
        made = 0
        for key in (sentence for text in texts for sentence in _sentences(text)):
            while key not in self._cache:
                await idle()
                await self._silent.wait()
                speech = await self._in_silence(key)
                if speech is None:
                    continue
                if not speech or not self._cache.room_for(_size(speech)):
                    return made
                self._cache.put(key, speech)
                made += 1
        return made

    @asynccontextmanager
    async def _in_earnest(self) -> AsyncIterator[None]:
        """Somebody is listening: the warming lets go of the voice, and leaves it alone meanwhile."""
        self._speaking += 1
        self._silent.clear()
        try:
            if self._warming is not None:
                self._warming.cancel()
                await asyncio.wait([self._warming])
            yield
        finally:
            self._speaking -= 1
            if not self._speaking:
                self._silent.set()

    async def _in_silence(self, text: str) -> list[SpeechChunk] | None:
        """The speech; None when it was given up, nothing when the voice has failed."""
        self._warming = asyncio.create_task(_whole(self._inner.synthesize(text)))
        try:
            await asyncio.wait([self._warming])
            return None if self._warming.cancelled() else self._warming.result()
        except SynthesisError as error:
            log.info("sentences are not made ahead of time: %s", error.code)
            return []
        finally:
            self._warming.cancel()
            self._warming = None


def _sentences(text: str) -> list[str]:
    """White space does not count."""
    return [" ".join(sentence.split()) for sentence in split_sentences(text)]


async def _whole(speech: AsyncIterator[SpeechChunk]) -> list[SpeechChunk]:
    async with _closing(speech) as chunks:
        return [chunk async for chunk in chunks]


@asynccontextmanager
async def _closing(chunks: AsyncIterator[SpeechChunk]) -> AsyncIterator[AsyncIterator[SpeechChunk]]:
    """``aclosing`` for what may be a generator."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def fixed_sentences(*sections: Mapping[str, str]) -> list[str]:
    """Those of these phrases that have nothing to be filled in: those of FIRST first, then short before long."""
    keyed = [(key, text) for section in sections for key, text in section.items() if "{" not in text]
    order = {key: place for place, key in enumerate(FIRST)}
    keyed.sort(key=lambda pair: (order.get(pair[0], len(order)), len(pair[1])))
    return list(dict.fromkeys(text for _, text in keyed))

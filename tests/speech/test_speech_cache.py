"""What was said before is said at once; what is fixed is made ahead of time, in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import phrases
from assistant.errors import SynthesisError
from assistant.ports import SpeechChunk
from assistant.speech.speech_cache import CachedSynthesizer, SpeechCache, fixed_sentences


class CountingVoice:
    """Two chunks for each sentence; remembers what it was asked for and can be held back."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.finished: list[str] = []
        self.held = asyncio.Event()
        self.held.set()
        self.fails_on = ""
        self.closed = False

    async def load(self) -> None:
        self.asked.append("(load)")

    def close(self) -> None:
        self.closed = True

    async def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        self.asked.append(text)
        yield SpeechChunk(text.encode(), 22_050)
        await self.held.wait()
        if text == self.fails_on:
            raise SynthesisError("synthesis_failed", "It broke.")
        yield SpeechChunk(b"!", 22_050)
        self.finished.append(text)


async def said(voice: CachedSynthesizer, text: str) -> bytes:
    return b"".join([chunk.pcm async for chunk in voice.synthesize(text)])


async def settle(until: Callable[[], bool]) -> None:
    for _ in range(100):
        if until():
            return
        await asyncio.sleep(0)
    pytest.fail("it never happened")


async def at_once() -> None:
    await asyncio.sleep(0)


# ── the cache ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_said_once_is_not_made_again() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    assert [await said(voice, "All right.") for _ in range(3)] == [b"All right.!"] * 3
    assert await said(voice, " All  right.\n") == b"All right.!"
    assert inner.asked == ["All right."]


async def test_it_comes_in_the_same_chunks() -> None:
    voice = CachedSynthesizer(CountingVoice(), 1_000)
    first, again = [[chunk async for chunk in voice.synthesize("Yes.")] for _ in range(2)]
    assert first == again
    assert len(again) == 2


async def test_sentences_are_remembered_one_by_one() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    assert await said(voice, "Hello. All ears.") == b"Hello.!All ears.!"
    assert await said(voice, "All ears. Hello.") == b"All ears.!Hello.!"
    assert await said(voice, "Hello.") == b"Hello.!"
    assert inner.asked == ["Hello.", "All ears."]


async def test_what_was_broken_off_is_made_anew() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    chunks = voice.synthesize("All right.")
    await anext(chunks)
    await chunks.aclose()
    assert await said(voice, "All right.") == b"All right.!"
    assert inner.asked == ["All right."] * 2


async def test_what_failed_leaves_nothing_behind() -> None:
    inner = CountingVoice()
    inner.fails_on = "All right."
    voice = CachedSynthesizer(inner, 1_000)
    with pytest.raises(SynthesisError):
        await said(voice, "All right.")
    inner.fails_on = ""
    assert await said(voice, "All right.") == b"All right.!"


async def test_no_memory_is_no_cache() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 0)
    assert [await said(voice, "Yes.") for _ in range(2)] == [b"Yes.!"] * 2
    assert len(inner.asked) == 2


async def test_loading_and_closing_go_through() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    await voice.load()
    voice.close()
    assert inner.asked == ["(load)"]
    assert inner.closed


@given(st.integers(0, 40), st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 20)), max_size=40))
def test_the_memory_is_bounded_and_what_was_said_last_stays(limit: int, said_: list[tuple[str, int]]) -> None:
    cache = SpeechCache(limit)
    order: list[str] = []
    for text, size in said_:
        cache.put(text, [SpeechChunk(bytes(size), 22_050)])
        order = [other for other in order if other != text] + [text]
        kept = [other for other in order if other in cache]
        assert cache.size == sum(len(c.pcm) for t in kept for c in cache.get(t) or ()) <= limit
        assert len(kept) == len(cache)
        assert (text in cache) == (size <= limit)
        order = kept


def test_what_is_used_goes_last() -> None:
    cache = SpeechCache(2)
    for text in ("a", "b"):
        cache.put(text, [SpeechChunk(b"x", 1)])
    assert cache.get("a") is not None
    cache.put("c", [SpeechChunk(b"x", 1)])
    assert ["a" in cache, "b" in cache, "c" in cache] == [True, False, True]


# ── warming ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_warmed_sentences_are_said_at_once() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    assert await voice.warm(["One.", "Two.", "One."], idle=at_once) == 2
    inner.asked.clear()
    assert await said(voice, "Two.") == b"Two.!"
    assert inner.asked == []


async def test_the_warming_lets_go_of_the_voice_as_soon_as_somebody_listens() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    inner.held.clear()
    warming = asyncio.create_task(voice.warm(["Ahead of time."], idle=at_once))
    await settle(lambda: inner.asked == ["Ahead of time."])
    speech = voice.synthesize("In earnest.")
    assert (await anext(speech)).pcm == b"In earnest."
    assert inner.asked == ["Ahead of time.", "In earnest."]
    for _ in range(20):
        await asyncio.sleep(0)
    assert inner.asked == ["Ahead of time.", "In earnest."]  # it waits until the reply has been made
    inner.held.set()
    assert [chunk.pcm async for chunk in speech] == [b"!"]
    assert await warming == 1
    assert inner.finished == ["In earnest.", "Ahead of time."]


async def test_it_waits_until_there_is_nothing_else_to_do() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    idle = asyncio.Event()
    warming = asyncio.create_task(voice.warm(["One."], idle=idle.wait))
    for _ in range(10):
        await asyncio.sleep(0)
    assert inner.asked == []
    idle.set()
    assert await warming == 1


async def test_it_drops_nothing_that_was_said_and_ends_when_the_memory_is_full() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 20)
    await said(voice, "In earnest.")
    assert await voice.warm(["One.", "Far too long for that."], idle=at_once) == 1
    inner.asked.clear()
    await said(voice, "In earnest.")
    assert inner.asked == []


async def test_a_voice_that_fails_ends_it_quietly() -> None:
    inner = CountingVoice()
    inner.fails_on = "Two."
    voice = CachedSynthesizer(inner, 1_000)
    assert await voice.warm(["One.", "Two.", "Three."], idle=at_once) == 1


async def test_it_may_be_cancelled_in_the_middle() -> None:
    inner = CountingVoice()
    voice = CachedSynthesizer(inner, 1_000)
    inner.held.clear()
    warming = asyncio.create_task(voice.warm(["One."], idle=at_once))
    await settle(lambda: inner.asked == ["One."])
    warming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await warming
    inner.held.set()
    assert await said(voice, "One.") == b"One.!"
    assert inner.asked == ["One.", "One."]


# ── which sentences ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_phrases_are_warmed_the_likeliest_first() -> None:
    loaded = phrases.load()
    sentences = fixed_sentences(loaded.phrases, loaded.errors, loaded.stages, loaded.kinds)
    assert sentences[0] == loaded.phrases["nevermind"] == "All right."
    assert not [sentence for sentence in sentences if "{" in sentence]
    assert len(sentences) == len(set(sentences)) > 40
    assert loaded.errors["transcript.nothing_heard"] in sentences[:8]


def test_a_key_that_is_warmed_first_is_a_phrase() -> None:
    from assistant.speech.speech_cache import FIRST

    loaded = phrases.load()
    assert set(FIRST) <= set(loaded.phrases) | set(loaded.errors)

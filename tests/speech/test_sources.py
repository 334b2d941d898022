"""A clip, at once and at the pace of speech. The event loop's clock is the test's own."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from assistant.speech.sources import ClipSource
from tests.fakes_time import virtual_time

CLIP = np.arange(10 * CHUNK_SAMPLES, dtype=np.int16)


async def test_a_clip_comes_whole_in_chunks_of_80_ms_with_the_silence_after_it() -> None:
    source = ClipSource(CLIP[: 2 * CHUNK_SAMPLES + 5], trailing_silence_s=0.08)
    chunks = [chunk async for chunk in source.chunks()]
    assert [len(chunk) for chunk in chunks] == [CHUNK_SAMPLES, CHUNK_SAMPLES, CHUNK_SAMPLES, 5]
    said = np.concatenate(chunks)
    assert np.array_equal(said[: 2 * CHUNK_SAMPLES + 5], CLIP[: 2 * CHUNK_SAMPLES + 5])
    assert not said[2 * CHUNK_SAMPLES + 5 :].any()


def test_in_real_time_each_chunk_is_there_once_it_was_said_and_nothing_drifts() -> None:
    async def read() -> list[float]:
        loop = asyncio.get_running_loop()
        source = ClipSource(np.zeros(60 * SAMPLE_RATE_HZ, dtype=np.int16), realtime=True, trailing_silence_s=0.0)
        times = []
        async for _ in source.chunks():
            times.append(loop.time())
            await asyncio.sleep(0.013)  # the reader has work to do
        assert source.began_s == pytest.approx(0.0)
        return times

    times = virtual_time(read())
    assert times == pytest.approx([0.08 * number for number in range(1, 751)])


def test_a_reader_who_comes_late_gets_what_waits_at_once_and_is_on_time_again() -> None:
    async def read() -> list[float]:
        loop = asyncio.get_running_loop()
        source = ClipSource(CLIP, realtime=True, trailing_silence_s=0.0)
        times = []
        first = source.chunks()
        assert len(await anext(first)) == CHUNK_SAMPLES
        times.append(loop.time())
        await asyncio.sleep(0.4)  # nobody reads
        times += [loop.time() async for _ in source.chunks()]
        return times

    assert virtual_time(read()) == pytest.approx([0.08, *[0.48] * 5, 0.56, 0.64, 0.72, 0.8])


def test_a_chunk_whose_reader_was_stopped_while_waiting_is_not_lost() -> None:
    async def read() -> list[int]:
        source = ClipSource(CLIP, realtime=True, trailing_silence_s=0.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(source.chunks())
        return [int(chunk[0]) for chunk in [chunk async for chunk in source.chunks()]]

    assert virtual_time(read()) == [number * CHUNK_SAMPLES for number in range(10)]

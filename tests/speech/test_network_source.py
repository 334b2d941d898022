"""Audio from a door: bytes in as the network cut them, chunks out."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import AudioError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from assistant.speech.network_source import NetworkSource
from tests.fakes_time import virtual_time
from tests.speech.clips import heard_frequency, tone

CHUNK_BYTES = 2 * CHUNK_SAMPLES


def numbered(count: int, first: int = 0) -> bytes:
    """Chunks that hold their number."""
    return np.repeat(np.arange(first, first + count, dtype="<i2"), CHUNK_SAMPLES).tobytes()


async def heard(source: NetworkSource) -> np.ndarray:
    chunks = [chunk async for chunk in source.chunks()]
    assert all(len(chunk) == CHUNK_SAMPLES for chunk in chunks[:-1])
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int16)


@settings(max_examples=40)
@given(
    rate_hz=st.sampled_from([8_000, 16_000, 44_100]),
    width=st.integers(1, 4),
    channels=st.integers(1, 3),
    data=st.binary(max_size=30_000),
    cuts=st.lists(st.integers(0, 30_000), max_size=8),
)
def test_what_comes_out_does_not_depend_on_how_the_network_cut_it(
    rate_hz: int, width: int, channels: int, data: bytes, cuts: list[int]
) -> None:
    async def sent(pieces: list[bytes]) -> np.ndarray:
        source = NetworkSource(rate_hz=rate_hz, width=width, channels=channels, idle_s=None)
        for piece in pieces:
            await source.put(piece)
        source.end()
        return await heard(source)

    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    whole, cut = virtual_time(sent([data])), virtual_time(sent(pieces))
    assert np.array_equal(whole, cut)
    frames = len(data) // (width * channels)
    assert len(whole) == pytest.approx(frames * SAMPLE_RATE_HZ / rate_hz, abs=2)


async def test_stereo_at_44_1_khz_is_heard_at_its_pitch() -> None:
    source = NetworkSource(rate_hz=44_100, channels=2)
    await source.put(np.repeat(tone(1.0, 44_100), 2).tobytes())
    source.end()
    assert heard_frequency(await heard(source)) == pytest.approx(440, abs=2)


async def test_floats_of_a_browser_are_heard_too() -> None:
    source = NetworkSource(rate_hz=48_000, width=4, floating=True)
    await source.put((tone(1.0, 48_000) / 32_768).astype("<f4").tobytes())
    source.end()
    assert heard_frequency(await heard(source)) == pytest.approx(440, abs=2)


async def test_a_live_microphone_that_nobody_reads_loses_its_oldest_sound_and_that_is_counted() -> None:
    source = NetworkSource(buffer_s=0.8)
    await source.put(numbered(15))
    source.end()
    assert (await heard(source))[::CHUNK_SAMPLES].tolist() == list(range(5, 15))
    assert source.dropped_s == pytest.approx(0.4)


def test_a_clip_that_is_sent_fast_waits_for_its_reader_and_loses_nothing() -> None:
    async def send() -> tuple[list[int], list[bool]]:
        source = NetworkSource(when_full="wait", buffer_s=0.8, endless=False)

        async def door() -> None:
            await source.put(numbered(100))
            source.end()

        sending = asyncio.create_task(door())
        await asyncio.sleep(1)
        held_back = [sending.done()]
        samples = await heard(source)
        held_back.append(sending.done())
        return samples[::CHUNK_SAMPLES].tolist(), held_back

    numbers, done = virtual_time(send())
    assert numbers == list(range(100))
    assert done == [False, True]


def test_a_put_that_waits_for_room_returns_when_nobody_wants_it_any_more() -> None:
    async def send() -> None:
        source = NetworkSource(when_full="wait", buffer_s=0.08)
        sending = asyncio.create_task(source.put(numbered(100)))
        await asyncio.sleep(1)
        assert not sending.done()
        source.end()
        await sending

    virtual_time(send())


def test_a_reader_waits_for_more_and_not_for_ever() -> None:
    async def read() -> float:
        source = NetworkSource(idle_s=10.0)
        loop = asyncio.get_running_loop()
        loop.call_later(9, lambda: asyncio.ensure_future(source.put(numbered(1))))
        chunks = source.chunks()
        assert len(await anext(chunks)) == CHUNK_SAMPLES
        with pytest.raises(AudioError) as idle:
            await anext(chunks)
        assert idle.value.code == "source_idle"
        return loop.time()

    assert virtual_time(read()) == pytest.approx(19.0)


async def test_after_the_end_nothing_is_taken_and_ending_twice_is_nothing() -> None:
    source = NetworkSource()
    await source.put(numbered(1, 7))
    source.end()
    source.end()
    await source.put(numbered(1, 8))
    assert set(await heard(source)) == {7}
    assert [chunk async for chunk in source.chunks()] == []


async def test_the_next_reader_goes_on_where_the_last_one_stopped() -> None:
    source = NetworkSource(endless=True)
    await source.put(numbered(2, 1))
    assert (await anext(source.chunks()))[0] == 1
    assert (await anext(source.chunks()))[0] == 2


@pytest.mark.parametrize("wrong", [{"rate_hz": 0}, {"rate_hz": 10**7}, {"width": 5}, {"channels": 0}])
async def test_a_format_that_no_microphone_has_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(AudioError) as refused:
        NetworkSource(**wrong)  # type: ignore[arg-type]
    assert refused.value.code == "bad_format"

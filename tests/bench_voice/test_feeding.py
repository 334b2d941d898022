"""Clips at the pace of speech, and the clock of what was spoken. The event loop's clock is the test's own."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.feeding import FedClip, with_background
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from tests.fakes_bench import CLIP, clip
from tests.fakes_time import virtual_time

AUDIO = np.arange(10 * CHUNK_SAMPLES, dtype=np.int16)


async def read(source: FedClip, *, work_s: float = 0.0) -> list[tuple[float, Samples]]:
    """Chunks and when they came."""
    loop = asyncio.get_running_loop()
    came = []
    async for chunk in source.chunks():
        came.append((loop.time(), chunk))
        await asyncio.sleep(work_s)
    return came


def test_each_chunk_comes_when_its_last_sample_is_due_and_a_busy_reader_changes_nothing() -> None:
    async def work() -> None:
        source = FedClip(AUDIO)
        began = asyncio.get_running_loop().time()
        came = await read(source, work_s=0.05)
        assert [when - began for when, _ in came[:3]] == pytest.approx([0.08, 0.16, 0.24])
        assert came[-1][0] - began == pytest.approx(len(AUDIO) / SAMPLE_RATE_HZ)
        assert source.spoken_at(0.1) - began == pytest.approx(0.1)
        assert source.late_s == pytest.approx(0.0)

    virtual_time(work())


def test_a_reader_that_was_away_gets_at_once_what_is_due_and_how_late_it_was_is_kept() -> None:
    async def work() -> None:
        source = FedClip(AUDIO)
        chunks = source.chunks()
        await anext(chunks)
        await asyncio.sleep(0.2)
        before = asyncio.get_running_loop().time()
        await anext(chunks)
        assert asyncio.get_running_loop().time() == before
        assert source.late_s == pytest.approx(0.12)

    virtual_time(work())


def test_a_reader_that_is_stopped_while_it_waits_loses_nothing() -> None:
    async def work() -> Samples:
        source = FedClip(AUDIO)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.12):
                await read(source)
        rest = await read(source)
        return np.concatenate([AUDIO[:CHUNK_SAMPLES], *(chunk for _, chunk in rest)])

    assert np.array_equal(virtual_time(work()), AUDIO)


def test_without_pace_all_of_it_comes_at_once() -> None:
    async def work() -> list[tuple[float, Samples]]:
        return await read(FedClip(AUDIO, paced=False))

    came = virtual_time(work())
    assert {when for when, _ in came} == {0.0}
    assert np.array_equal(np.concatenate([chunk for _, chunk in came]), AUDIO)


def test_nothing_is_spoken_before_somebody_listens() -> None:
    with pytest.raises(ValueError, match="nobody has listened"):
        FedClip(AUDIO).spoken_at(0.0)


@given(st.integers(0, 40_000), st.floats(0.0, 3.0))
def test_the_clip_stays_and_its_own_background_goes_on(samples: int, after_s: float) -> None:
    audio = np.random.default_rng(samples).integers(-50, 50, samples).astype(np.int16)
    longer = with_background(audio, clip("x", speech_end_s=1.0), after_s)
    assert len(longer) == len(audio) + int(after_s * SAMPLE_RATE_HZ)
    assert np.array_equal(longer[: len(audio)], audio)
    background = audio[SAMPLE_RATE_HZ:]
    background = background[len(background) // 2 :]
    allowed = set(background.tolist()) if len(background) >= CHUNK_SAMPLES else {0}
    assert set(longer[len(audio) :].tolist()) <= allowed


def test_a_sound_that_rings_after_speech_is_not_repeated() -> None:
    ringing = np.zeros(int(2.6 * SAMPLE_RATE_HZ), dtype=np.int16)
    ringing[int(2.0 * SAMPLE_RATE_HZ) : int(2.2 * SAMPLE_RATE_HZ)] = 900
    assert not with_background(ringing, CLIP)[len(ringing) :].any()

"""Any rate → chunks of 80 ms: nothing is lost or doubled, however the input was cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.chunking import Chunker
from assistant.speech.pcm import Waveform
from tests.speech.clips import heard_frequency

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)


def noise(length: int) -> Waveform:
    return np.random.default_rng(length).uniform(-0.7, 0.7, length).astype(np.float32)


def chunked(wave: Waveform, rate_hz: int, sizes: list[int]) -> list[Samples]:
    chunker = Chunker(rate_hz)
    return [chunk for piece in pieces(wave, sizes) for chunk in chunker.feed(piece)] + chunker.finish()


def pieces(wave: Waveform, sizes: list[int]) -> Iterator[Waveform]:
    at = turn = 0
    while at < len(wave):
        yield wave[at : at + sizes[turn % len(sizes)]]
        at, turn = at + sizes[turn % len(sizes)], turn + 1


@settings(max_examples=60)
@given(
    rate_hz=st.sampled_from(RATES),
    length=st.integers(0, 20_000),
    sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=5),
)
def test_the_output_does_not_depend_on_how_the_input_was_cut(rate_hz: int, length: int, sizes: list[int]) -> None:
    wave = noise(length)
    whole, cut = chunked(wave, rate_hz, [length or 1]), chunked(wave, rate_hz, sizes)
    assert [len(chunk) for chunk in cut] == [len(chunk) for chunk in whole]
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(cut, whole, strict=True))
    assert all(len(chunk) == CHUNK_SAMPLES for chunk in cut[:-1])
    assert sum(len(chunk) for chunk in cut) == pytest.approx(length * SAMPLE_RATE_HZ / rate_hz, abs=2)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_keeps_its_pitch_and_has_no_clicks_at_the_edges(rate_hz: int) -> None:
    times = np.arange(rate_hz * 2) / rate_hz
    wave = (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    samples = np.concatenate(chunked(wave, rate_hz, [rate_hz // 50]))
    assert heard_frequency(samples) == pytest.approx(440, abs=1)
    inner = samples[SAMPLE_RATE_HZ // 10 : -SAMPLE_RATE_HZ // 10].astype(float)
    steepest = 0.5 * 32_768 * 2 * np.pi * 440 / SAMPLE_RATE_HZ
    assert np.abs(np.diff(inner)).max() <= steepest * 1.01


@given(st.integers(0, 3 * CHUNK_SAMPLES))
def test_what_is_missing_to_the_next_chunk_is_known(length: int) -> None:
    chunker = Chunker(SAMPLE_RATE_HZ)
    chunker.feed(noise(length))
    missing = chunker.missing
    assert not chunker.feed(noise(missing - 1))
    assert len(chunker.feed(noise(1))) == 1

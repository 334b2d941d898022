"""The place of a hesitation, on words that are made of bands of noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.bench.hesitation import boundary, hesitating, with_pause
from assistant.bench.shaping import FRAME, Wave, levels_db, silence, trimmed
from assistant.ports import SAMPLE_RATE_HZ

LOUD = -20


def word(hertz: int, frames: int) -> Wave:
    """A sound with its energy around one frequency: a vowel of its own."""
    rng = np.random.default_rng(hertz)
    t = np.arange(frames * FRAME) / SAMPLE_RATE_HZ
    return np.asarray(0.2 * np.sin(2 * np.pi * hertz * t) + 0.01 * rng.standard_normal(t.size))


HEY, TURN, LIGHTS, OFF = ((300, 20), (700, 25), (1500, 30), (3000, 15))


def said(*words: tuple[int, int], faster: float = 1.0) -> Wave:
    return np.concatenate([word(hertz, round(frames / faster)) for hertz, frames in words])


@pytest.mark.parametrize("faster", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("split", [1, 2, 3])
def test_the_boundary_is_found_though_the_halves_are_said_at_another_speed(split: int, faster: float) -> None:
    words = [HEY, TURN, LIGHTS, OFF]
    whole = said(*words)
    at = boundary(whole, said(*words[:split], faster=faster), said(*words[split:], faster=faster))
    assert at == pytest.approx(sum(frames for _, frames in words[:split]) * FRAME, abs=4 * FRAME)


def test_the_quietest_place_near_the_boundary_is_taken() -> None:
    stop = np.concatenate([word(700, 22), word(700, 3) * 0.01])  # the closure of a consonant at the end of the word
    whole = np.concatenate([said(HEY), stop, said(LIGHTS)])
    at = boundary(whole, np.concatenate([said(HEY), stop]), said(LIGHTS))
    assert 42 * FRAME <= at <= 45 * FRAME


@settings(max_examples=30)
@given(at=st.integers(0, 45 * FRAME), seconds=st.floats(0.1, 2))
def test_a_pause_is_silent_as_long_as_asked_and_takes_nothing_away(at: int, seconds: float) -> None:
    whole = said(HEY, TURN)
    open_ = with_pause(whole, at, seconds)
    gap = round(seconds * SAMPLE_RATE_HZ)
    assert open_.size == whole.size + gap
    assert not open_[at : at + gap].any()
    fade = round(0.012 * SAMPLE_RATE_HZ)
    assert np.array_equal(open_[: max(0, at - fade)], whole[: max(0, at - fade)])
    assert np.array_equal(open_[at + gap + fade :], whole[at + fade :])


def test_the_edges_of_a_pause_do_not_click() -> None:
    whole = said(HEY, TURN)
    open_ = with_pause(whole, 20 * FRAME + 40)
    assert np.abs(np.diff(open_)).max() <= np.abs(np.diff(whole)).max()


def test_a_whole_with_silence_around_it_is_trimmed_first() -> None:
    whole, first, second = (np.concatenate([silence(0.3), said(*words), silence(0.2)]) for words in
                            ((HEY, TURN, LIGHTS), (HEY, TURN), (LIGHTS,)))  # fmt: skip
    out = hesitating(whole, first, second, 0.8)
    assert out.size == trimmed(whole).size + round(0.8 * SAMPLE_RATE_HZ)
    quiet = np.flatnonzero(levels_db(out) < -100)
    assert quiet.size == pytest.approx(80, abs=2)
    assert quiet[0] == pytest.approx(45, abs=4)

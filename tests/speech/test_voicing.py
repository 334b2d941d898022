"""Chunks of a voice: equally loud, without needless silence, without a click."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.voicing import (
    CLAUSE_PAUSE_S,
    KNEE,
    LOUDNESS,
    SENTENCE_PAUSE_S,
    gain_for,
    to_pcm,
    with_pause,
    without_lead,
)

RATE_HZ = 22_050


def speech(seconds: float, loudness: float = 0.3) -> np.ndarray:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    made: np.ndarray = (loudness * np.cos(2 * np.pi * 150 * times)).astype(np.float32)
    return made


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), dtype=np.float32)


def test_the_silence_before_the_first_sound_is_left_out_and_what_remains_begins_at_zero() -> None:
    begun = without_lead(np.concatenate([silence(0.05), speech(0.2)]), RATE_HZ, 1.0)
    assert len(begun) / RATE_HZ == pytest.approx(0.212, abs=0.001)
    assert begun[0] == 0
    assert np.array_equal(begun[-4000:], speech(0.2)[-4000:])


def test_speech_that_begins_at_once_keeps_all_but_its_click() -> None:
    begun = without_lead(speech(0.2), RATE_HZ, 1.0)
    assert len(begun) == len(speech(0.2))
    assert np.abs(np.diff(begun)).max() < 0.03


def test_silence_has_no_beginning() -> None:
    assert len(without_lead(silence(0.3), RATE_HZ, 1.0)) == 0


@pytest.mark.parametrize("pause_s", [SENTENCE_PAUSE_S, CLAUSE_PAUSE_S])
def test_the_pause_behind_the_last_sound_is_bounded(pause_s: float) -> None:
    ended = with_pause(np.concatenate([speech(0.2), silence(0.6)]), RATE_HZ, 1.0, pause_s)
    assert len(ended) / RATE_HZ == pytest.approx(0.2 + pause_s, abs=0.002)
    short = with_pause(speech(0.2), RATE_HZ, 1.0, pause_s)
    assert len(short) == len(speech(0.2))
    assert short[-1] == 0


@given(st.lists(st.floats(-1, 1, width=32), max_size=300), st.floats(0, 8))
def test_nothing_is_ever_clipped_and_louder_stays_louder(samples: list[float], factor: float) -> None:
    sound = np.array(sorted(samples), dtype=np.float32)
    pcm = np.frombuffer(to_pcm(sound, factor), dtype="<i2").astype(int)
    assert len(pcm) == len(sound)
    assert (np.diff(pcm) >= 0).all()
    quiet = np.abs(sound * factor) < KNEE
    assert np.abs(pcm - sound * factor * 32767)[quiet].max(initial=0) <= 1


@given(st.floats(0, 1))
def test_every_voice_is_made_as_loud_as_the_others(loudness: float) -> None:
    gain = gain_for(loudness)
    assert 0 < gain <= 8
    if loudness > 0.02:
        assert gain * loudness == pytest.approx(LOUDNESS)


def test_bending_starts_where_speech_is_loud_and_has_no_edge() -> None:
    ramp = np.linspace(0, 1, 4001, dtype=np.float32)
    pcm = np.frombuffer(to_pcm(ramp, 1.5), dtype="<i2").astype(float)
    assert np.diff(pcm, 2).min() > -25
    assert pcm.max() < 32767

"""Where speech truly begins and ends, levels and noise, on signals of which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.shaping import (
    FRAME,
    Wave,
    at_level,
    levels_db,
    pink,
    room_tone,
    silence,
    speech_bounds,
    to_int16,
    with_noise,
)
from assistant.ports import SAMPLE_RATE_HZ

frames = st.integers(1, 200)


def tone(samples: int, level_db: float = -20.0) -> Wave:
    """A sine of 400 Hz with this RMS."""
    t = np.arange(samples) / SAMPLE_RATE_HZ
    return np.asarray(np.sin(2 * np.pi * 400 * t) * np.sqrt(2) * 10 ** (level_db / 20))


def rms_db(wave: Wave) -> float:
    return float(10 * np.log10(np.mean(wave**2)))


@given(before=frames, speech=st.integers(5, 200), after=frames)
def test_speech_between_silences_is_found_to_the_frame(before: int, speech: int, after: int) -> None:
    wave = np.concatenate([np.zeros(before * FRAME), tone(speech * FRAME), np.zeros(after * FRAME)])
    assert speech_bounds(wave) == (before * FRAME, (before + speech) * FRAME)


@given(before=st.integers(0, 5 * FRAME), speech=st.integers(5 * FRAME, 50 * FRAME), after=st.integers(FRAME, 5 * FRAME))
def test_speech_that_begins_anywhere_is_found_to_ten_milliseconds(before: int, speech: int, after: int) -> None:
    start, end = speech_bounds(np.concatenate([np.zeros(before), tone(speech), np.zeros(after)]))
    assert before - FRAME < start <= before + 4  # a sine begins at nought
    assert before + speech - FRAME // 4 <= end < before + speech + FRAME


def test_a_quiet_final_consonant_still_is_speech_and_what_is_forty_decibels_down_is_not() -> None:
    rng = np.random.default_rng(1)
    hiss = rng.standard_normal(10 * FRAME) * 10 ** (-46 / 20)  # 26 dB below the vowel
    decay = rng.standard_normal(30 * FRAME) * 10 ** (-64 / 20)  # 44 dB below
    _, end = speech_bounds(np.concatenate([tone(50 * FRAME), hiss, decay]))
    assert end == 60 * FRAME


def test_a_recordings_own_room_is_no_speech() -> None:
    room = room_tone(100 * FRAME, -45, np.random.default_rng(2))
    wave = np.concatenate([room, tone(50 * FRAME, -15), room])
    assert speech_bounds(wave)[1] > 160 * FRAME  # by the peak alone, the room counts
    start, end = speech_bounds(wave, room=True)
    assert abs(start - 100 * FRAME) <= FRAME
    assert abs(end - 150 * FRAME) <= FRAME


@pytest.mark.parametrize("nothing", [np.zeros(0), np.zeros(FRAME - 1), np.zeros(10 * FRAME)])
def test_where_nothing_is_to_be_heard_there_is_no_speech(nothing: Wave) -> None:
    assert speech_bounds(nothing) == (0, 0)


@given(level=st.floats(-50, -10), had=st.floats(-60, -5))
def test_a_level_is_what_is_asked_for_and_pauses_do_not_count(level: float, had: float) -> None:
    wave = np.concatenate([tone(50 * FRAME, had), silence(1.0), tone(50 * FRAME, had)])
    set_to = at_level(wave, level)
    assert rms_db(set_to[: 50 * FRAME]) == pytest.approx(level, abs=0.05)


def test_a_level_that_would_clip_is_lowered() -> None:
    assert np.abs(at_level(tone(50 * FRAME), 0)).max() == pytest.approx(0.98)


@given(snr=st.sampled_from([20, 10, 5, 0]), speech_db=st.floats(-40, -20))
def test_noise_is_as_far_below_the_speech_as_is_asked_for(snr: int, speech_db: float) -> None:
    speech = tone(100 * FRAME, speech_db)
    clip = np.concatenate([silence(0.5), speech, silence(0.5)])
    mixed = with_noise(clip, pink(SAMPLE_RATE_HZ * 3, np.random.default_rng(3)), snr, speech)
    noise = mixed - clip
    assert rms_db(speech) - rms_db(noise) == pytest.approx(snr, abs=0.5)


def test_noise_that_would_clip_lowers_the_whole() -> None:
    loud = tone(100 * FRAME, -4)
    assert np.abs(with_noise(loud, pink(16_000, np.random.default_rng(4)), 0, loud)).max() <= 0.98


def test_pink_noise_has_as_much_in_every_octave() -> None:
    power = np.abs(np.fft.rfft(pink(1 << 17, np.random.default_rng(5)))) ** 2
    hertz = np.fft.rfftfreq(1 << 17, 1 / SAMPLE_RATE_HZ)
    octaves = [
        10 * np.log10(power[(hertz >= f) & (hertz < 2 * f)].sum()) for f in (62, 125, 250, 500, 1000, 2000, 4000)
    ]
    assert max(octaves) - min(octaves) < 1.5


def test_samples_beyond_full_scale_are_clipped_and_the_rest_is_rounded() -> None:
    assert to_int16(np.array([0.0, 1.0, -1.0, 2.0, -2.0, 0.5])).tolist() == [0, 32767, -32767, 32767, -32767, 16384]


def test_levels_are_of_whole_frames() -> None:
    assert levels_db(tone(2 * FRAME + 7)).tolist() == pytest.approx([-20, -20], abs=0.1)


def test_a_voice_that_goes_on_breathing_has_ended_with_its_consonants() -> None:
    rng = np.random.default_rng(3)
    breath = rng.standard_normal(60 * FRAME) * 10 ** (-50 / 20)  # 30 dB below the vowel
    _, end = speech_bounds(np.concatenate([tone(50 * FRAME), breath]))
    assert end == 70 * FRAME

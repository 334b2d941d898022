"""Raw PCM in every form → mono."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assistant.speech.pcm import PcmFormat, from_int16, to_int16, waveform

FORMATS = st.builds(
    PcmFormat,
    rate_hz=st.sampled_from([8_000, 48_000]),
    width=st.integers(1, 4),
    channels=st.integers(1, 6),
) | st.builds(PcmFormat, rate_hz=st.just(48_000), width=st.just(4), channels=st.integers(1, 3), floating=st.just(True))


@given(arrays.arrays(np.int16, st.integers(0, 200)))
def test_int16_comes_back_as_it_was(samples: np.ndarray) -> None:
    assert np.array_equal(to_int16(from_int16(samples)), samples)
    assert np.array_equal(to_int16(waveform(samples.astype("<i2").tobytes(), PcmFormat(16_000))), samples)


@given(st.binary(max_size=400), FORMATS)
def test_any_bytes_are_sound_within_full_scale(data: bytes, form: PcmFormat) -> None:
    wave = waveform(data, form)
    assert wave.dtype == np.float32
    assert len(wave) == len(data) // form.frame_bytes
    assert np.isfinite(wave).all()
    assert (np.abs(wave) <= 1.0).all()


@pytest.mark.parametrize(
    ("width", "data"), [(1, b"\xc0"), (2, b"\x00\x40"), (3, b"\x00\x00\x40"), (4, b"\x00\x00\x00\x40")]
)
def test_half_of_full_scale_is_that_in_every_width(width: int, data: bytes) -> None:
    assert waveform(data, PcmFormat(16_000, width)).tolist() == [0.5]


def test_the_channels_are_averaged() -> None:
    frames = np.array([[1_000, 3_000], [-500, 500]], dtype="<i2")
    assert to_int16(waveform(frames.tobytes(), PcmFormat(16_000, 2, 2))).tolist() == [2_000, 0]


def test_floats_that_are_no_numbers_are_silence() -> None:
    data = np.array([np.nan, np.inf, -np.inf, 0.25, 7.0], dtype="<f4").tobytes()
    assert waveform(data, PcmFormat(16_000, 4, floating=True)).tolist() == [0.0, 0.0, 0.0, 0.25, 1.0]


def test_a_gain_is_clipped_at_full_scale() -> None:
    assert to_int16(np.array([0.25, 0.9, -0.9], dtype=np.float32), 2.0).tolist() == [16_384, 32_767, -32_768]


@pytest.mark.parametrize(
    "values",
    [(0,), (-1,), (10**9,), (float("nan"),), (16_000, 5), (16_000, 0), (16_000, 2, 0), (16_000, 2, 1_000), ("16000",)],
)
def test_a_format_that_no_device_has_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="of"):
        PcmFormat(*values)

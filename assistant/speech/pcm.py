"""Raw PCM of any width and any number of channels → mono. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""Mono, shape (n,), full scale at -1 and 1."""

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 32

_FULL_SCALE = 32_768.0


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Little-endian PCM: ``width`` bytes a sample, 1 unsigned, 2 to 4 signed; ``floating``: IEEE 754 of 4 bytes.

    Raises ValueError, with a sentence for people, on what no sound card or server uses: what comes over a network may
    say anything.
    """

    rate_hz: int
    width: int = 2
    channels: int = 1
    floating: bool = False

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("a sample rate", self.rate_hz, MIN_RATE_HZ, MAX_RATE_HZ),
            ("a sample width", self.width, 4 if self.floating else 1, 4),
            ("a channel count", self.channels, 1, MAX_CHANNELS),
        ):
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} of {str(value)[:20]}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.width * self.channels

    @property
    def bytes_per_s(self) -> int:
        return self.frame_bytes * self.rate_hz


def waveform(data: bytes, form: PcmFormat) -> Waveform:
    """Whole frames as mono: the mean of the channels. Bytes of a broken last frame are left out.

    Samples that are no numbers (a floating format may hold NaN) are silence, and none is louder than full scale.
    """
    frames = data[: len(data) // form.frame_bytes * form.frame_bytes]
    return mixed(_samples(frames, form).reshape(-1, form.channels))


def mixed(frames: NDArray[np.float32]) -> Waveform:
    """Frames of shape (n, channels) → mono, their mean."""
    return frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1, dtype=np.float32)


def from_int16(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Any shape; exact."""
    wave: NDArray[np.float32] = samples.astype(np.float32) / np.float32(_FULL_SCALE)
    return wave


def to_int16(wave: Waveform, gain: float = 1.0) -> NDArray[np.int16]:
    """Rounded, clipped at full scale and without dither: the same wave is always the same samples.

    The way back from ``from_int16`` is exact.
    """
    scaled = np.rint(wave * np.float32(_FULL_SCALE * gain))
    samples: NDArray[np.int16] = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    return samples


def _samples(data: bytes, form: PcmFormat) -> NDArray[np.float32]:
    if form.floating:
        numbers = np.nan_to_num(np.frombuffer(data, dtype="<f4"), posinf=0.0, neginf=0.0)
        clipped: NDArray[np.float32] = np.clip(numbers, -1.0, 1.0).astype(np.float32)
        return clipped
    if form.width == 2:
        return from_int16(np.frombuffer(data, dtype="<i2"))
    if form.width == 1:
        return _scaled(np.frombuffer(data, dtype=np.uint8).astype(np.int32) - 128, 7)
    if form.width == 3:  # there is no 24-bit type: the bytes become the upper three of an int32
        wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        return _scaled(wide.view("<i4")[:, 0], 31)
    return _scaled(np.frombuffer(data, dtype="<i4"), 31)


def _scaled(samples: NDArray[np.int32], bits: int) -> NDArray[np.float32]:
    wave: NDArray[np.float32] = samples.astype(np.float32) / np.float32(2**bits)
    return wave

"""What the loudspeaker was sent lately, silence included, and when it was heard."""

from __future__ import annotations

import math

import numpy as np
import soxr

from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.pcm import Waveform, from_int16, to_int16
from assistant.speech.ring_buffer import RingBuffer
from assistant.speech.sample_clock import SampleClock

KEPT_S = 24.0
"""Longer than the microphone waits for its reader (``recording.BUFFER_S``)."""

MARGIN_S = 0.008
"""Sound on both sides of a piece that its resampling looks at."""


class SentSound:
    """One opened loudspeaker, from its first block on. The sound card's thread writes, any other reads."""

    def __init__(self, rate_hz: int) -> None:
        self.clock = SampleClock()
        self._rate_hz = rate_hz
        self._ring = RingBuffer(int(KEPT_S * rate_hz))
        self._silent_from = 0

    def block(self, pcm: bytes, at_s: float) -> None:
        """The next block that was taken, int16 little-endian; its first sample is heard at ``at_s``, 0 where the driver
        does not say."""
        frames = np.frombuffer(pcm, dtype="<i2").astype(np.int16).reshape(-1, 1)
        self.clock.stamp(self._ring.written / self._rate_hz, at_s)
        self._ring.write(frames)
        if frames.any():
            self._silent_from = self._ring.written

    def silent_since(self, sound_s: float) -> bool:
        """Whether nothing but silence was sent from that second of its sound to now."""
        return self._silent_from <= sound_s * self._rate_hz

    def piece(self, sound_s: float, samples: int) -> Samples:
        """``samples`` at 16 kHz from that second of its sound on, exact to a fraction of a sample; silence where there
        was none, or none yet."""
        margin = math.ceil(MARGIN_S * self._rate_hz)
        begin = math.floor(sound_s * self._rate_hz)
        count = math.ceil(samples * self._rate_hz / SAMPLE_RATE_HZ) + 2 * margin
        wave = from_int16(self._ring.past(begin - margin, count)[:, 0])
        if self._rate_hz != SAMPLE_RATE_HZ:
            wave = soxr.resample(wave, self._rate_hz, SAMPLE_RATE_HZ)
        skipped = (margin + sound_s * self._rate_hz - begin) * SAMPLE_RATE_HZ / self._rate_hz
        whole = int(skipped)
        return to_int16(_earlier(wave, skipped - whole)[whole : whole + samples])


def _earlier(wave: Waveform, samples: float) -> Waveform:
    """By a fraction of a sample; what is at its ends is of no use."""
    spectrum = np.fft.rfft(wave)
    turned = spectrum * np.exp(2j * np.pi * samples * np.arange(len(spectrum)) / len(wave))
    return np.fft.irfft(turned, len(wave)).astype(np.float32)

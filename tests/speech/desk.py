"""A microphone beside a loudspeaker, in virtual time: two crystals, two latencies, jittering stamps, and a room."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import soxr
from numpy.typing import NDArray

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.sample_clock import SampleClock
from assistant.speech.sent_sound import SentSound

BLOCK_S = 0.02
OVER = 8
"""The air's sampling rate is so many times the microphone's."""


def room(seed: int, decay_s: float = 0.25) -> NDArray[np.float64]:
    """A response at 16 kHz: direct sound, and what falls by 60 dB in ``decay_s``."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    response: NDArray[np.float64] = rng.normal(0, 0.05, len(times)) * 10 ** (-3 * times / decay_s)
    response[0] = 0.5
    return response


@dataclass
class Desk:
    """``sent``: all that the loudspeaker is given, at its own ``rate_hz``; ``voice``: what a person says from the
    microphone's first sample on; ``drift``: by what part the loudspeaker's crystal is faster;
    ``lost_s``: sound that the microphone's driver has lost by now; ``wrong_s``: error of the loudspeaker's stamps."""

    sent: Samples
    rate_hz: int = SAMPLE_RATE_HZ
    drift: float = 0.0
    opened_s: float = 0.7
    latency_s: float = 0.12
    jitter_s: float = 0.0002
    stamps: bool = True
    lost_s: float = 0.0
    wrong_s: float = 0.0
    response: NDArray[np.float64] = field(default_factory=lambda: room(1))
    voice: Samples | None = None

    def __post_init__(self) -> None:
        self.loudspeaker = SentSound(self.rate_hz)
        self.recorded = SampleClock()
        self._rng = np.random.default_rng(7)
        self._blocks = 0
        self._air = self._heard()

    @property
    def microphone(self) -> Samples:
        """All of it."""
        return self._air

    def _heard(self) -> Samples:
        """The air at the microphone's own rate: it began at 0, the loudspeaker later, by another crystal."""
        length = int((len(self.sent) / self.rate_hz + self.opened_s + self.latency_s + 0.5) * SAMPLE_RATE_HZ)
        played = self.sent / 32768
        if self.rate_hz != SAMPLE_RATE_HZ:
            played = soxr.resample(played, self.rate_hz, SAMPLE_RATE_HZ)
        echo = np.convolve(played, self.response)
        fine = soxr.resample(echo, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * OVER)
        at = (np.arange(length) / SAMPLE_RATE_HZ - self.opened_s - self.latency_s) * (1 + self.drift)
        air = np.interp(at * SAMPLE_RATE_HZ * OVER, np.arange(len(fine)), fine, left=0.0, right=0.0)
        air = air + self._rng.normal(0, 2e-4, length)
        if self.voice is not None:
            air[: len(self.voice)] += self.voice[:length] / 32768
        whole = length // CHUNK_SAMPLES * CHUNK_SAMPLES
        return np.asarray(np.clip(air[:whole] * 32768, -32768, 32767), dtype=np.int16)

    def at(self, position: int) -> tuple[Samples, float]:
        """The chunk that begins with this sample. What the two devices' threads did until it was whole has happened."""
        ends_s = (position + CHUNK_SAMPLES) / SAMPLE_RATE_HZ
        for begin in range(position, position + CHUNK_SAMPLES, int(BLOCK_S * SAMPLE_RATE_HZ)):
            self.recorded.stamp(begin / SAMPLE_RATE_HZ - self.lost_s, self._stamp(begin / SAMPLE_RATE_HZ))
        size = int(BLOCK_S * self.rate_hz)
        while (taken_s := self._blocks * BLOCK_S) / (1 + self.drift) + self.opened_s <= ends_s:
            block = self.sent[self._blocks * size : (self._blocks + 1) * size]
            heard_s = taken_s / (1 + self.drift) + self.opened_s + self.latency_s
            pcm = np.pad(block, (0, size - len(block))).astype("<i2").tobytes()
            self.loudspeaker.block(pcm, self._stamp(heard_s + self.wrong_s))
            self._blocks += 1
        return self._air[position : position + CHUNK_SAMPLES], position / SAMPLE_RATE_HZ - self.lost_s

    def _stamp(self, at_s: float) -> float:
        return 1_000.0 + at_s + self._rng.normal(0, self.jitter_s) if self.stamps else 0.0

"""Takes the loudspeaker's sound out of the microphone's: a linear filter that learns the room while it plays.

A Kalman filter in the frequency domain over partitions of the room's response (Enzner and Vary, "Frequency-domain
adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal Processing 86, 2006; Kuech, Mabande
and Enzner, "State-space architecture of the partitioned-block-based acoustic echo controller", ICASSP 2014). It knows
how unsure it is of each partition and frequency, so it learns fast at first and does not unlearn while somebody talks.
Nothing but the estimated echo is taken away: what a suppressor does to the rest costs more words than it saves
(ADR 36). Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Samples
from assistant.speech.pcm import from_int16, to_int16

BLOCK = 64
"""Samples, 4 ms at 16 kHz: shorter blocks learn faster and cost more."""

PARTITIONS = 64
"""Blocks of the room's response that are learned: 0.256 s from where the reference begins."""

PRIOR = 0.03
"""Expected power of the response at each frequency of the first partition, before anything was heard: the microphone
hears the loudspeaker at a third of what was sent to it."""

PRIOR_DECAY_DB = 40.0
"""How much less is expected of the last partition: a room's sound falls by 60 dB in 0.3 to 0.6 s."""

TRANSITION = 0.9997
"""How like itself the response is from block to block: half of it is another one after 9 s (a door, a person who walks
past)."""

SMOOTHING = 0.5
"""Of the residual's power over blocks."""

LATEST = 40
"""Samples, 2.5 ms: how much two sound devices may have moved apart while the loudspeaker was silent."""

DIVERGED = 2.0
"""Power of the result over that of the microphone, both with a memory of BELIEVED pieces or so, from which nothing is
believed any more."""

BELIEVED = 8

Spectra = NDArray[np.complex128]


class EchoCanceller:
    """One microphone and one loudspeaker. Some 4 ms for each 80 ms of sound."""

    def __init__(self) -> None:
        self._prior = np.repeat(
            PRIOR * 10 ** (-PRIOR_DECAY_DB / 10 * np.arange(PARTITIONS)[:, None] / PARTITIONS), BLOCK + 1, axis=1
        )
        self.forget()

    def forget(self) -> None:
        """Another room, another loudspeaker, another delay: begin anew."""
        self._response: Spectra = np.zeros((PARTITIONS, BLOCK + 1), dtype=np.complex128)
        self._doubt = self._prior.copy()
        self._residual = np.zeros(BLOCK + 1)
        self._powers = np.zeros(2)
        self.rest()

    def rest(self) -> None:
        """Nothing was played for longer than the response is; what was learned stays."""
        self._played: Spectra = np.zeros((PARTITIONS, BLOCK + 1), dtype=np.complex128)
        self._last = np.zeros(BLOCK)

    def process(self, heard: Samples, played: Samples) -> Samples:
        """What was heard without what was played. Both int16 at 16 kHz, equally long, a multiple of BLOCK; the echo of
        ``played[n]`` comes at ``heard[n]`` or up to 0.256 s later. Raises ValueError for other lengths."""
        if len(heard) != len(played) or len(heard) % BLOCK:
            raise ValueError(f"{len(heard)} and {len(played)} samples: they have to be equal and in blocks of {BLOCK}")
        near, far = from_int16(heard).astype(np.float64), from_int16(played).astype(np.float64)
        left = np.concatenate(
            [self._block(near[at : at + BLOCK], far[at : at + BLOCK]) for at in range(0, len(near), BLOCK)]
            or [np.zeros(0)]
        )
        self._powers += (np.array([np.square(left).sum(), np.square(near).sum()]) - self._powers) / BELIEVED
        if self._powers[0] > DIVERGED * self._powers[1]:
            self.forget()
            return heard
        return to_int16(left.astype(np.float32))

    def late(self, heard: Samples, played: Samples) -> tuple[int, float]:
        """By how many samples, at most LATEST, the echo is later than was learned, and how sure that is: the largest
        correlation of what is heard with the echo that is expected, 0 to 1. Changes nothing. As for ``process``."""
        before = self._played, self._last
        far = from_int16(played).astype(np.float64)
        expected = np.concatenate([self._echo(far[at : at + BLOCK]) for at in range(0, len(far), BLOCK)])
        self._played, self._last = before
        near = from_int16(heard).astype(np.float64)
        windows = np.lib.stride_tricks.sliding_window_view(near, len(near) - 2 * LATEST)
        inner = expected[LATEST:-LATEST]
        power = np.square(windows).sum(axis=1) * np.square(inner).sum()
        likeness = windows @ inner / np.sqrt(power + 1e-12)
        best = int(likeness.argmax())
        return best - LATEST, float(likeness[best])

    def _block(self, near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
        left: NDArray[np.float64] = near - self._echo(far)
        self._learn(np.fft.rfft(np.concatenate([np.zeros(BLOCK), left])))
        return left

    def _echo(self, far: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the next block that is played, by what was learned."""
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(np.concatenate([self._last, far]))
        self._last = far
        echo: NDArray[np.float64] = np.fft.irfft((self._response * self._played).sum(axis=0))[BLOCK:]
        return echo

    def _learn(self, left: Spectra) -> None:
        """One Kalman step: gain = doubt·X* / (½·Σ doubt·|X|² + Ψ); the half is that of the window over two blocks."""
        self._residual = SMOOTHING * self._residual + (1 - SMOOTHING) * np.abs(left) ** 2
        power = np.abs(self._played) ** 2
        gain = self._doubt / (0.5 * (self._doubt * power).sum(axis=0) + self._residual + 1e-8)
        response = np.fft.irfft(self._response + gain * self._played.conj() * left, axis=1)
        response[:, BLOCK:] = 0.0  # a partition is one block long
        self._response = np.fft.rfft(response, axis=1)
        kept = TRANSITION**2
        self._doubt = kept * (1 - 0.5 * gain * power) * self._doubt + (1 - kept) * np.abs(self._response) ** 2

"""Chunks of 80 ms → frames of the VAD's length, with the probability that each is speech."""

from __future__ import annotations

import numpy as np

from assistant.ports import Samples, VoiceActivityDetector
from assistant.speech.stream import to_ms, to_samples

Frame = tuple[float, float, float]
"""Start and end in milliseconds of the stream, speech probability."""


class Frames:
    """One stream. The first ``deaf_ms`` after ``from_ms`` count as silence."""

    def __init__(self, vad: VoiceActivityDetector, from_ms: float, *, deaf_ms: float) -> None:
        self._vad = vad
        self._rest: Samples = np.zeros(0, dtype=np.int16)
        self._at = to_samples(from_ms)
        self._deaf_until_ms = from_ms + deaf_ms

    def of(self, chunk: Samples) -> list[Frame]:
        """Start, end and speech probability of each frame that is complete now. Raises EndpointingError."""
        audio, size = np.concatenate([self._rest, chunk]), self._vad.frame_samples
        found: list[Frame] = []
        while len(audio) >= size:
            probability = self._vad.probability(audio[:size])
            end_ms = to_ms(self._at + size)
            found.append((to_ms(self._at), end_ms, probability if end_ms > self._deaf_until_ms else 0.0))
            audio, self._at = audio[size:], self._at + size
        self._rest = audio
        return found

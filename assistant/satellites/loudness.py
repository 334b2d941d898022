"""How loud the last words were in a room, over the room's own noise. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples

PHRASE_S = 1.0
"""About the length of a wake word; what is measured is the mean power of this much."""

NOISE_S = 10.0
"""From this much the noise is taken: the quiet tenth of it."""

NOISE_QUANTILE = 0.1
QUIETEST_DBFS = -70.0
"""A microphone that gives digital silence has no noise to compare with; no room is quieter than this."""

_CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ


class Loudness:
    """Of one stream: feed it every chunk."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=int(NOISE_S / _CHUNK_S))

    def feed(self, chunk: Samples) -> None:
        """The next chunk, of about 80 ms."""
        if len(chunk):
            self._powers.append(float(np.mean((chunk.astype(np.float64) / 32768.0) ** 2)))

    @property
    def over_noise_db(self) -> float:
        """The last PHRASE_S relative to the noise, dB; 0 where nothing was heard."""
        if not self._powers:
            return 0.0
        phrase = float(np.mean(list(self._powers)[-int(PHRASE_S / _CHUNK_S) :]))
        noise = float(np.quantile(list(self._powers), NOISE_QUANTILE))
        return _dbfs(phrase) - _dbfs(noise)


def _dbfs(power: float) -> float:
    return max(10 * float(np.log10(power)), QUIETEST_DBFS) if power > 0 else QUIETEST_DBFS

"""Speech at the rate that a loudspeaker wants."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from assistant.ports import SpeechChunk


class Resampler:
    """Chunks of any rate → the device's. Nothing is lost between chunks of one rate, nor where it changes."""

    def __init__(self, rate_hz: int) -> None:
        self._to_hz = rate_hz
        self._from_hz = rate_hz
        self._stream: Any = None

    def feed(self, chunk: SpeechChunk) -> bytes:
        before = b""
        if chunk.sample_rate_hz != self._from_hz:
            before = self.rest()
            self._from_hz = chunk.sample_rate_hz
        if self._from_hz == self._to_hz:
            return before + chunk.pcm
        if self._stream is None:
            self._stream = soxr.ResampleStream(self._from_hz, self._to_hz, 1, dtype="int16")
        made: bytes = self._stream.resample_chunk(np.frombuffer(chunk.pcm, dtype="<i2")).astype("<i2").tobytes()
        return before + made

    def rest(self) -> bytes:
        """What the filter still holds back: some hundredths of a second."""
        stream, self._stream = self._stream, None
        if stream is None:
            return b""
        made: bytes = stream.resample_chunk(np.zeros(0, dtype=np.int16), last=True).astype("<i2").tobytes()
        return made

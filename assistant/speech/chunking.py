"""Any sample rate in, chunks of 80 ms at 16 kHz out."""

from __future__ import annotations

import numpy as np
import soxr

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.pcm import Waveform, to_int16


def whole_chunks(audio: Samples) -> list[Samples]:
    """The audio in CHUNK_SAMPLES each, without what is left at its end."""
    return [audio[at : at + CHUNK_SAMPLES] for at in range(0, len(audio) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES)]


class Chunker:
    """One stream of audio, in pieces of any length, as chunks of CHUNK_SAMPLES.

    The output does not depend on how the input was cut: soxr works on floats here, because on int16 it adds a dither
    that begins anew with every piece. Its filter holds 20 to 80 ms back, and ``finish`` lets them out.
    """

    def __init__(self, rate_hz: int) -> None:
        self._stream = (
            None if rate_hz == SAMPLE_RATE_HZ else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        )
        self._rest: Samples = np.zeros(0, dtype=np.int16)

    @property
    def missing(self) -> int:
        """Samples at 16 kHz until the next chunk is whole, as far as one can know."""
        return CHUNK_SAMPLES - len(self._rest)

    def feed(self, wave: Waveform) -> list[Samples]:
        """The chunks that are whole now."""
        return self._cut(wave if self._stream is None else self._stream.resample_chunk(wave))

    def finish(self) -> list[Samples]:
        """What is left, its last chunk shorter than the others. Nothing may be fed afterwards."""
        end = np.zeros(0, dtype=np.float32)
        chunks = self._cut(end if self._stream is None else self._stream.resample_chunk(end, last=True))
        if len(self._rest):
            chunks.append(self._rest)
        return chunks

    def _cut(self, wave: Waveform) -> list[Samples]:
        audio = np.concatenate([self._rest, to_int16(wave)])
        whole = len(audio) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = audio[whole:]
        return [audio[start : start + CHUNK_SAMPLES] for start in range(0, whole, CHUNK_SAMPLES)]

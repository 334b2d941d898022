"""Audio from memory: a clip in virtual or real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples


class ClipSource:
    """A clip as chunks of 80 ms, as fast as they are read or (``realtime``) at the pace of speech.

    In real time the clip begins when the first chunk is asked for, and is said on whether somebody reads or not, as
    into a microphone: a chunk is there once its last sample was said, and a reader who comes late gets what waits at
    once and is on time again. ``trailing_silence_s`` is added at the end, as a person's silence would be, so that
    endpointing can decide.
    """

    endless = False

    def __init__(self, samples: Samples, *, realtime: bool = False, trailing_silence_s: float = 1.0) -> None:
        silence = np.zeros(int(trailing_silence_s * SAMPLE_RATE_HZ), dtype=np.int16)
        self._samples = np.concatenate([samples, silence])
        self._realtime = self.paced = realtime
        self._position = 0
        self.began_s: float | None = None
        """When its first sample was said, on the event loop's clock; None before that."""

    async def chunks(self) -> AsyncIterator[Samples]:
        """From where the last reader stopped to the end."""
        loop = asyncio.get_running_loop()
        if self.began_s is None:
            self.began_s = loop.time()
        while self._position < len(self._samples):
            chunk = self._samples[self._position : self._position + CHUNK_SAMPLES]
            end = self._position + len(chunk)
            if self._realtime:
                due = self.began_s + end / SAMPLE_RATE_HZ
                await asyncio.sleep(max(due - loop.time(), 0))
            self._position = end
            yield chunk

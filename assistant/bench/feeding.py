"""Clips as a microphone would give them, and the clock that says when which sample was spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from assistant.bench.clips import Clip
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples

AFTER_S = 5.0
"""Background after a clip: longer than any endpointing waits, so that it is the ears that decide where it ends."""


class FedClip:
    """Implements AudioSource: chunks of 80 ms, each handed out at the moment its last sample is due, or at once.

    ``spoken_at`` places samples on the event loop's clock. A reader that is slow gets what has become due meanwhile at
    once, as from a microphone's ring buffer. ``late_s`` is the most that a chunk was handed out after it was due: so
    busy were the ears or the machine.
    """

    endless = False

    def __init__(self, audio: Samples, *, paced: bool = True) -> None:
        self.paced = paced
        self.late_s = 0.0
        self._audio = audio
        self._position = 0
        self._began: float | None = None

    def spoken_at(self, position_s: float) -> float:
        """When this position of the audio was spoken, in seconds of the event loop's clock. Raises ValueError."""
        if self._began is None:
            raise ValueError("nobody has listened yet")
        return self._began + position_s

    async def chunks(self) -> AsyncIterator[Samples]:
        """From where the last reader stopped to the end; the clock goes on between readers."""
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        while self._position < len(self._audio):
            chunk = self._audio[self._position : self._position + CHUNK_SAMPLES]
            if self.paced:
                due = self._began + (self._position + len(chunk)) / SAMPLE_RATE_HZ
                await asyncio.sleep(max(due - loop.time(), 0))
                self.late_s = max(self.late_s, loop.time() - due)
            self._position += len(chunk)
            yield chunk


def with_background(audio: Samples, clip: Clip, after_s: float = AFTER_S) -> Samples:
    """The clip and what a microphone goes on hearing: its own background, mirrored to and fro; silence without any.

    The background is the last half of what comes after the speech: before it the last sound may still ring.
    """
    more = int(after_s * SAMPLE_RATE_HZ)
    tail = audio[int(clip.speech_end_s * SAMPLE_RATE_HZ) :]
    tail = tail[len(tail) // 2 :]
    if len(tail) < CHUNK_SAMPLES:
        return np.concatenate([audio, np.zeros(more, dtype=np.int16)])
    return np.concatenate([audio, np.pad(tail, (0, more), mode="reflect")[len(tail) :]])

"""Sound that waits for the loudspeaker, between the event loop and PortAudio's thread."""

from __future__ import annotations

import threading

import numpy as np


class PlayQueue:
    """Mono int16 little-endian at ``rate_hz``. Any thread may call anything; nothing waits longer than for a copy."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._taken_bytes = 0
        self._blocks = 0

    def put(self, pcm: bytes) -> None:
        """Behind what is waiting."""
        with self._lock:
            self._waiting += pcm

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes; silence where there are not so many."""
        with self._lock:
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._taken_bytes += len(piece)
            self._blocks += 1
        return piece + bytes(size - len(piece))

    def fade_out(self, seconds: float) -> None:
        """Forget what is waiting but for the next moment, which falls to silence: no click."""
        with self._lock:
            kept = np.frombuffer(bytes(self._waiting[: int(seconds * self.rate_hz) * 2]), dtype="<i2")
            fall = np.linspace(1.0, 0.0, len(kept), endpoint=False)
            self._waiting = bytearray((kept * fall).astype("<i2").tobytes())

    @property
    def waiting_s(self) -> float:
        """Length of what is waiting."""
        return len(self._waiting) / 2 / self.rate_hz

    @property
    def taken_s(self) -> float:
        """Length of the sound, without silence, that was ever taken."""
        return self._taken_bytes / 2 / self.rate_hz

    @property
    def blocks(self) -> int:
        """How often something was taken: it grows as long as the device lives."""
        return self._blocks

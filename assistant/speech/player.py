"""The loudspeaker: reply chunks → sounddevice's output stream."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from assistant.errors import AudioError, PlaybackError
from assistant.ports import SpeechChunk
from assistant.speech.microphone import devices, load_sounddevice

BLOCK_S = 0.02
"""Length of an output block: ``stop`` is heard after at most one of these and the driver's own buffer."""

DRAIN_SLACK_S = 5.0


def loudspeaker_available() -> bool:
    """Whether there is any output device."""
    return bool(devices("output"))


class SoundDevicePlayer:
    """Implements Player: chunks are queued, a callback in PortAudio's thread takes them."""

    def __init__(self, device: str | None = None) -> None:
        self._device = device
        self._stream: Any = None
        self._rate_hz = 0
        self._pending = bytearray()
        self._lock = threading.Lock()
        self._empty = threading.Event()
        self._empty.set()

    async def play(self, chunk: SpeechChunk) -> None:
        """Queue the chunk. Raises PlaybackError."""
        if chunk.sample_rate_hz != self._rate_hz:
            await self.drain()
            await asyncio.to_thread(self._open, chunk.sample_rate_hz)
        with self._lock:
            self._pending += chunk.pcm
            self._empty.clear()

    async def drain(self) -> None:
        """Wait for the end of what was queued. Raises PlaybackError when the device takes nothing any more."""
        with self._lock:
            seconds = len(self._pending) / 2 / self._rate_hz if self._rate_hz else 0.0
        if not await asyncio.to_thread(self._empty.wait, seconds + DRAIN_SLACK_S):
            self.stop()
            raise PlaybackError("loudspeaker_lost", "The loudspeaker does not take any more sound.")

    def stop(self) -> None:
        """Be silent now; what was queued is forgotten."""
        with self._lock:
            self._pending.clear()
            self._empty.set()

    def close(self) -> None:
        """Close the device. Idempotent."""
        self.stop()
        if self._stream is not None:
            self._stream.close()
            self._stream, self._rate_hz = None, 0

    def _open(self, rate_hz: int) -> None:
        self.close()
        try:
            sounddevice = load_sounddevice()
        except AudioError as error:
            raise PlaybackError(error.code, error.detail, mend=error.mend) from error
        try:
            self._stream = sounddevice.RawOutputStream(
                device=self._device,
                samplerate=rate_hz,
                channels=1,
                dtype="int16",
                blocksize=int(rate_hz * BLOCK_S),
                callback=self._callback,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise PlaybackError("no_loudspeaker", f"No loudspeaker can be opened: {error}.") from error
        self._rate_hz = rate_hz

    def _callback(self, out: Any, _frames: int, _time: object, _status: object) -> None:
        """In PortAudio's thread: hand over what is there, fill up with silence."""
        size = len(out)
        with self._lock:
            piece = bytes(self._pending[:size])
            del self._pending[:size]
            if not self._pending:
                self._empty.set()
        out[:] = piece + bytes(size - len(piece))

"""One opened input device: PortAudio's callback → ring buffer → chunks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from assistant.errors import AudioError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.chunking import Chunker
from assistant.speech.pcm import from_int16, mixed
from assistant.speech.ring_buffer import RingBuffer
from assistant.speech.sample_clock import SampleClock
from assistant.speech.sound_system import find_device, load_sounddevice, opening

BUFFER_S = 20.0
"""Audio kept while nobody reads (a reply is being made); of more, the oldest is dropped and counted."""

BLOCK_S = 0.02
"""What the device gives at once: a chunk is whole at most this long after its last sample was said."""

SILENCE_DBFS = -96.0
"""What the meter shows at the least: the noise of 16 bits themselves, 6.02 dB each (AES17)."""

_MEND = "Plug one in, or name another with `microphone` in jarvis.toml; `jarvis doctor` lists them."


class Recording:
    """An open microphone. ``notify`` is called from PortAudio's thread when the reader's chunk is there.

    One thread may read; any may look at the level or the age.
    """

    def __init__(self, device: str, rate_hz: int, channels: int, notify: Callable[[], None]) -> None:
        self.device = device
        self.rate_hz = rate_hz
        self.ring = RingBuffer(int(BUFFER_S * rate_hz), channels)
        self.overflows = 0
        """Times that the device itself lost sound, because the machine was too slow for it."""
        self.clock = SampleClock()
        self.began_s = 0.0
        """Where the newest chunk that was given begins, in seconds of sound since the device was opened."""
        self._notify = notify
        self._chunker = Chunker(rate_hz)
        self._ready: list[Samples] = []
        self._given = 0
        self._wanted = 1
        self._stream: Any = None
        self._over = False
        self._heard_something = False
        self._last_block = time.monotonic()

    @classmethod
    def open(cls, wanted: str | None, notify: Callable[[], None]) -> Self:
        """Open and start the device of that name. Blocking. Raises AudioError, see ``find_device``; no_microphone when
        it is there and cannot be opened."""
        sounddevice = load_sounddevice()
        with opening():
            device = find_device(wanted, "input")
            refused: Exception | None = None
            for channels in dict.fromkeys((1, device.channels)):  # some devices give all their channels or none
                recording = cls(device.name, device.rate_hz, channels, notify)
                try:
                    recording._start(sounddevice, device.index, channels)
                except (sounddevice.PortAudioError, ValueError) as error:
                    recording.close()
                    refused = error
                else:
                    return recording
        detail = f"The microphone {device.name!r} cannot be opened: {refused}."
        raise AudioError("no_microphone", detail, mend=_MEND) from refused

    def close(self) -> None:
        """Close the device. Blocking, idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()  # closing an ALSA stream that runs can hang
            stream.close()

    def age_s(self) -> float:
        """Time since the device gave anything."""
        return time.monotonic() - self._last_block

    @property
    def active(self) -> bool:
        """Whether PortAudio believes that the device is running."""
        return self._stream is not None and not self._over and bool(self._stream.active)

    @property
    def only_zeros(self) -> bool:
        """Whether all that came since the beginning is digital silence, which no microphone in a room gives."""
        if not self._heard_something:
            self._heard_something = bool(self.ring.newest(self.rate_hz).any())
        return not self._heard_something

    def next_chunk(self) -> Samples | None:
        """The next CHUNK_SAMPLES, or None: then ``notify`` is called when it is worth asking again."""
        while not self._ready:
            self._wanted = max(math.ceil(self._chunker.missing * self.rate_hz / SAMPLE_RATE_HZ), 1)
            if self.ring.available < self._wanted:
                return None
            self._ready = self._chunker.feed(mixed(from_int16(self.ring.read(self._wanted))))
        self.began_s = self._given * CHUNK_SAMPLES / SAMPLE_RATE_HZ + self.ring.dropped_frames / self.rate_hz
        self._given += 1
        return self._ready.pop(0)

    def level(self) -> tuple[float, bool]:
        """RMS of the newest 80 ms in dB of full scale (a full-scale sine is at -3), and whether it clips."""
        newest = self.ring.newest(self.rate_hz * CHUNK_SAMPLES // SAMPLE_RATE_HZ)
        if not len(newest):
            return SILENCE_DBFS, False
        rms = math.sqrt(float(np.mean(np.square(mixed(from_int16(newest)), dtype=np.float64))))
        clips = bool((newest >= 32_767).any() or (newest <= -32_768).any())
        return (max(20.0 * math.log10(rms), SILENCE_DBFS) if rms else SILENCE_DBFS), clips

    def _start(self, sounddevice: Any, index: int, channels: int) -> None:
        self._stream = sounddevice.InputStream(
            device=index,
            channels=channels,
            samplerate=self.rate_hz,
            dtype="int16",
            blocksize=int(self.rate_hz * BLOCK_S),
            callback=self._callback,
            finished_callback=self._finished,
        )
        self._stream.start()

    def _callback(self, block: Any, _frames: int, time_info: Any, status: object) -> None:
        """In PortAudio's thread: copy and leave."""
        self.clock.stamp(self.ring.written / self.rate_hz, time_info.inputBufferAdcTime)
        self.ring.write(block)
        if status:
            self.overflows += 1
        self._last_block = time.monotonic()
        if self.ring.available >= self._wanted:
            self._notify()

    def _finished(self) -> None:
        self._over = True

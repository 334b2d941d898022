"""The microphone: sounddevice's callback → a bounded queue → 16 kHz mono chunks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any, Self

import numpy as np
import soxr

from assistant.errors import AudioError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples

log = logging.getLogger(__name__)

QUEUE_S = 20.0
"""Audio kept while nobody reads (a reply is being made); older audio is dropped and counted."""

SILENT_S = 3.0
"""No callback for this long: the device is gone, even when the driver does not say so."""

_MEND = "Plug one in, or name another with `microphone` in jarvis.toml; `jarvis doctor` lists them."


def load_sounddevice() -> ModuleType:
    """sounddevice, imported only when sound is wanted. Raises AudioError no_audio_library without PortAudio."""
    try:
        import sounddevice  # it opens the sound system, and fails where there is no PortAudio
    except OSError as error:
        mend = "Install it: `apt-get install libportaudio2` (Debian)."
        raise AudioError("no_audio_library", "The PortAudio library is missing.", mend=mend) from error
    module: ModuleType = sounddevice
    return module


def devices(direction: str) -> list[str]:
    """Names of the ``input`` or ``output`` devices; empty without PortAudio."""
    try:
        found: Any = load_sounddevice().query_devices()
    except AudioError:
        return []
    return [str(device["name"]) for device in found if device[f"max_{direction}_channels"] > 0]


class MicrophoneSource:
    """Implements AudioSource. A context manager; ``chunks()`` goes on where the last reader stopped."""

    endless = True

    def __init__(self, device: str | None = None) -> None:
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Samples] = asyncio.Queue(maxsize=int(QUEUE_S * SAMPLE_RATE_HZ / CHUNK_SAMPLES))
        self._stream: Any = None
        self.dropped_chunks = 0

    def __enter__(self) -> Self:
        """Open the device. Raises AudioError no_microphone, no_audio_library."""
        sounddevice = load_sounddevice()
        try:
            info: Any = sounddevice.query_devices(self._device, "input")
            rate = int(info["default_samplerate"])
            self._resampler = _Chunker(rate)
            self._stream = sounddevice.InputStream(
                device=self._device,
                channels=1,
                samplerate=rate,
                dtype="int16",
                blocksize=rate * CHUNK_SAMPLES // SAMPLE_RATE_HZ,
                callback=self._callback,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise AudioError("no_microphone", f"No microphone can be opened: {error}.", mend=_MEND) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def chunks(self) -> AsyncIterator[Samples]:
        """Raises AudioError microphone_lost when the device falls silent altogether."""
        while True:
            try:
                async with asyncio.timeout(SILENT_S):
                    chunk = await self._queue.get()
            except TimeoutError as error:
                detail = f"The microphone has given nothing for {SILENT_S:g} s."
                raise AudioError("microphone_lost", detail, mend=_MEND) from error
            yield chunk

    def _callback(self, data: Any, _frames: int, _time: object, status: object) -> None:
        """In PortAudio's thread: copy and leave."""
        if status:
            log.debug("the sound device reports %s", status)
        for chunk in self._resampler.feed(np.array(data[:, 0], dtype=np.int16)):
            self._loop.call_soon_threadsafe(self._put, chunk)

    def _put(self, chunk: Samples) -> None:
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped_chunks += 1
        self._queue.put_nowait(chunk)


class _Chunker:
    """Any rate in, chunks of CHUNK_SAMPLES at 16 kHz out; nothing is lost between calls."""

    def __init__(self, rate_hz: int) -> None:
        self._stream = (
            soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="int16") if rate_hz != SAMPLE_RATE_HZ else None
        )
        self._rest: Samples = np.zeros(0, dtype=np.int16)

    def feed(self, samples: Samples) -> list[Samples]:
        converted = samples if self._stream is None else self._stream.resample_chunk(samples)
        audio = np.concatenate([self._rest, converted])
        whole = len(audio) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = audio[whole:]
        return [audio[start : start + CHUNK_SAMPLES] for start in range(0, whole, CHUNK_SAMPLES)]

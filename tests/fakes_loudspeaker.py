"""A sound card that plays in virtual time: what it has taken, and when each sample is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.speech.sound import BlockTime


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeLoudspeakers:
    """Stands in for the sounddevice module. One stream at a time is open; ``plays`` lets time pass.

    ``latency_s``: what the driver keeps ready at least. As with PortAudio, what is plugged in later is seen only after
    ``_terminate`` and ``_initialize``.
    """

    PortAudioError = PortAudioError

    def __init__(self, *names: str, rate_hz: int = 48_000, latency_s: float = 0.0) -> None:
        self.plugged = list(names)
        self.rate_hz = rate_hz
        self.latency_s = latency_s
        self.starts = 1
        self.opened: list[dict[str, Any]] = []
        self.stream: FakeOutput | None = None
        self.heard = bytearray()
        self._seen = list(names)

    @property
    def samples(self) -> np.ndarray:
        """All that was heard, silence included."""
        return np.frombuffer(bytes(self.heard), dtype="<i2").astype(int)

    def query_devices(self, device: int | str | None = None, kind: str | None = None) -> Any:
        found = [
            {
                "name": name,
                "index": index,
                "max_input_channels": 0,
                "max_output_channels": 2,
                "default_samplerate": float(self.rate_hz),
            }
            for index, name in enumerate(self._seen)
        ]
        if kind is None:
            return found
        if not found:
            raise PortAudioError("Error querying device -1")
        return found[0]

    def RawOutputStream(self, **options: Any) -> FakeOutput:  # noqa: N802 - sounddevice's name
        if self._seen[options["device"]] not in self.plugged:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        assert self.stream is None or self.stream.closed, "two streams on one device"
        self.opened.append(options)
        self.stream = FakeOutput(options, max(self.latency_s, 0.0))
        return self.stream

    async def plays(self, seconds: float) -> None:
        """So much time passes; the event loop runs meanwhile."""
        for _ in range(round(seconds / 0.02)):
            if self.stream is not None and self.stream.running:
                self.heard += self.stream.pull()
            for _ in range(4):
                await asyncio.sleep(0)

    def unplug(self, *, silently: bool = False) -> None:
        """Pull all out; ``silently``: the driver does not say so, it only takes nothing more."""
        self.plugged = []
        if self.stream is not None:
            self.stream.running = False
            if not silently:
                self.stream.options["finished_callback"]()

    def plug(self, *names: str) -> None:
        self.plugged = list(names)

    def _terminate(self) -> None:
        assert self.stream is None or self.stream.closed, "PortAudio was terminated below an open stream"

    def _initialize(self) -> None:
        self.starts += 1
        self._seen = list(self.plugged)


class FakeOutput:
    """An output stream; it asks for a block whenever the card plays one."""

    def __init__(self, options: dict[str, Any], latency_s: float) -> None:
        self.options = options
        self.latency = latency_s
        self.running = False
        self.closed = False
        self._blocks = 0

    def start(self) -> None:
        self.running = True

    def pull(self) -> bytes:
        block = bytearray(self.options["blocksize"] * 2)
        callback: Callable[..., None] = self.options["callback"]
        callback(block, self.options["blocksize"], BlockTime(outputBufferDacTime=self._heard_at()), "")
        return bytes(block)

    def _heard_at(self) -> float:
        """Of the next block: it began to play at 100."""
        self._blocks += 1
        played_s: float = (self._blocks - 1) * self.options["blocksize"] / self.options["samplerate"]
        return 100.0 + self.latency + played_s

    def abort(self) -> None:
        if self.running:
            self.running = False
            self.options["finished_callback"]()

    def close(self) -> None:
        self.closed = True

"""A stand-in for the sounddevice module: no sound card is needed, the callbacks are real."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeSoundDevice:
    """One input and one output device. ``feed`` plays the sound card that records."""

    PortAudioError = PortAudioError

    def __init__(self, *, rate_hz: int = 48_000, inputs: int = 1, outputs: int = 1, pace: bool = True) -> None:
        self.rate_hz = rate_hz
        self.inputs = inputs
        self.outputs = outputs
        self.pace = pace
        self.input: FakeStream | None = None
        self.output: FakeStream | None = None
        self.played = bytearray()

    def query_devices(self, device: str | None = None, kind: str | None = None) -> Any:
        found = [{"name": "USB mic", "max_input_channels": 1, "max_output_channels": 0}] * self.inputs
        found += [{"name": "Speaker", "max_input_channels": 0, "max_output_channels": 2}] * self.outputs
        if kind is None:
            return found
        if not self.inputs or (device is not None and device != "USB mic"):
            raise ValueError(f"No input device matching {device!r}")
        return {"name": "USB mic", "default_samplerate": float(self.rate_hz)}

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        self.input = FakeStream(options)
        return self.input

    def RawOutputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        if not self.outputs:
            raise PortAudioError("no output device")
        self.output = FakeStream(options, self._pull if self.pace else None)
        return self.output

    def feed(self, samples: np.ndarray) -> None:
        assert self.input is not None
        block = self.input.options["blocksize"]
        for start in range(0, len(samples), block):
            piece = samples[start : start + block].reshape(-1, 1)
            self.input.options["callback"](piece, len(piece), None, "")

    def _pull(self, stream: FakeStream) -> None:
        """As a sound card does: ask for the next block as long as the stream is open."""
        size = stream.options["blocksize"] * 2
        while not stream.closed.wait(0.001):
            block = bytearray(size)
            stream.options["callback"](block, size // 2, None, "")
            self.played += block


class FakeStream:
    """Remembers its options; an output stream has a thread that pulls."""

    def __init__(self, options: dict[str, Any], pull: Callable[[FakeStream], None] | None = None) -> None:
        self.options = options
        self.closed = threading.Event()
        self._thread = threading.Thread(target=pull, args=(self,), daemon=True) if pull else None

    def start(self) -> None:
        if self._thread is not None:
            self._thread.start()

    def close(self) -> None:
        self.closed.set()
        if self._thread is not None:
            self._thread.join()

"""A stand-in for the sounddevice module: no sound card is needed, the callbacks are real."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class PortAudioError(Exception):
    """What sounddevice raises."""


class BlockTime(NamedTuple):
    """What a callback is told beside its block (PaStreamCallbackTimeInfo); 0.0: the driver does not know."""

    inputBufferAdcTime: float = 0.0  # noqa: N815 - PortAudio's name
    outputBufferDacTime: float = 0.0  # noqa: N815


class FakeSoundDevice:
    """Microphones and loudspeakers that are plugged in and out. ``feed`` plays the sound card that records.

    As with PortAudio, what is plugged in later is seen only after ``_terminate`` and ``_initialize``, and a stream that
    was left open over these must not be touched any more.
    """

    PortAudioError = PortAudioError

    def __init__(self, *, rate_hz: int = 48_000, inputs: int = 1, outputs: int = 1, pace: bool = True) -> None:
        self.rate_hz = rate_hz
        self.channels = 1
        self.takes_mono = True
        self.outputs = outputs
        self.pace = pace
        self.plugged = ["USB mic"] * inputs
        self.has_default = True
        self.input: FakeStream | None = None
        self.output: FakeStream | None = None
        self.played = bytearray()
        self.opened: list[str] = []
        self.starts = 1
        self.fails_to_start = 0
        self.on_open: Callable[[FakeStream], None] | None = None
        self.began_at = 100.0
        self._recorded = 0
        self._seen = list(self.plugged)
        self._streams: list[FakeStream] = []

    @property
    def inputs(self) -> int:
        return len(self.plugged)

    @inputs.setter
    def inputs(self, count: int) -> None:
        """So many, from the beginning."""
        self.plugged = ["USB mic"] * count
        self._seen = list(self.plugged)

    def query_devices(self, device: int | str | None = None, kind: str | None = None) -> Any:
        found = [self._input(index, name) for index, name in enumerate(self._seen)]
        found += [
            {"name": "Speaker", "index": len(found) + number, "max_input_channels": 0, "max_output_channels": 2}
            for number in range(self.outputs)
        ]
        if kind is None:
            return found
        if not self._seen or not self.has_default:
            raise PortAudioError("Error querying device -1")
        return found[0]

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        name = self._seen[options["device"]]
        if name not in self.plugged:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        if options["channels"] == 1 and not self.takes_mono:
            raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")
        self.opened.append(name)
        self.input = self._new(FakeStream(options))
        if self.on_open is not None:
            self.on_open(self.input)
        return self.input

    def RawOutputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        if not self.outputs:
            raise PortAudioError("no output device")
        self.output = self._new(FakeStream(options, self._pull if self.pace else None))
        return self.output

    def feed(self, samples: np.ndarray, status: str = "") -> None:
        """Record these, shape (n,) for the same in every channel, or (n, channels)."""
        assert self.input is not None
        block, channels = self.input.options["blocksize"], self.input.options["channels"]
        frames = samples if samples.ndim == 2 else np.repeat(samples.reshape(-1, 1), channels, axis=1)
        for start in range(0, len(frames), block):
            piece = frames[start : start + block]
            self.input.options["callback"](piece, len(piece), self.time(len(piece)), status)

    def time(self, frames: int) -> BlockTime:
        """Of the next block that is recorded; a second of its clock is a second of sound."""
        self._recorded += frames
        return BlockTime(inputBufferAdcTime=self.began_at + (self._recorded - frames) / self.rate_hz)

    def unplug(self, *, silently: bool = False) -> None:
        """Pull all microphones out; ``silently``: the driver does not say so, it only gives nothing more."""
        self.plugged = []
        if self.input is not None and not silently:
            self.input.end()

    def plug(self, *names: str) -> None:
        self.plugged = list(names)

    def _terminate(self) -> None:
        for stream in self._streams:
            if not stream.closed.is_set():
                stream.dangling = True
        self._streams.clear()

    def _initialize(self) -> None:
        self.starts += 1
        if self.fails_to_start:
            self.fails_to_start -= 1
            raise PortAudioError("Error initializing PortAudio")
        self._seen = list(self.plugged)

    def _input(self, index: int, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "index": index,
            "max_input_channels": self.channels,
            "max_output_channels": 0,
            "default_samplerate": float(self.rate_hz),
        }

    def _new(self, stream: FakeStream) -> FakeStream:
        self._streams.append(stream)
        return stream

    def _pull(self, stream: FakeStream) -> None:
        """As a sound card does: ask for the next block as long as the stream is open."""
        size = stream.options["blocksize"] * 2
        while not stream.closed.wait(0.001):
            block = bytearray(size)
            stream.options["callback"](block, size // 2, BlockTime(), "")
            self.played += block


class FakeStream:
    """Remembers its options; an output stream has a thread that pulls."""

    def __init__(self, options: dict[str, Any], pull: Callable[[FakeStream], None] | None = None) -> None:
        self.options = options
        self.closed = threading.Event()
        self.active = True
        self.dangling = False
        self._thread = threading.Thread(target=pull, args=(self,), daemon=True) if pull else None

    def start(self) -> None:
        if self._thread is not None:
            self._thread.start()

    def abort(self) -> None:
        self._touch()

    def close(self) -> None:
        self._touch()
        self.closed.set()
        if self._thread is not None:
            self._thread.join()

    def end(self) -> None:
        """The device is gone."""
        self.active = False
        if finished := self.options.get("finished_callback"):
            finished()

    def _touch(self) -> None:
        assert not self.dangling, "PortAudio was terminated below an open stream: a real one crashes here"

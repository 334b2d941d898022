"""Sound as a client sends it, in any format, becomes chunks at 16 kHz."""

from __future__ import annotations

from collections.abc import AsyncIterator

from wyoming.event import Event

from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.network_source import NetworkSource
from assistant.speech.wyoming_link import BadEvent

BUFFER_S = 2.0
"""Of sound that nobody has listened to yet; then the client has to wait."""


class Incoming:
    """One stream from ``audio-start`` to ``audio-stop``. Its first event says the format for all of it."""

    def __init__(self, first: Event, *, buffer_s: float = BUFFER_S, most_s: float | None = None) -> None:
        """``most_s``: seconds that it may be long; None: for ever. Raises BadEvent."""
        self._format = _format(first)
        rate_hz, width, channels = self._format
        try:
            self._source = NetworkSource(
                rate_hz=rate_hz,
                width=width,
                channels=channels,
                endless=False,
                when_full="wait",
                buffer_s=buffer_s,
                idle_s=None,
            )
        except AudioError as error:
            raise BadEvent(f"sound in a format that no microphone has: {error.detail}") from error
        self._bytes_per_s = rate_hz * width * channels
        self._most_s = most_s
        self._bytes = 0
        stamp = first.data.get("timestamp")
        self.began_ms = stamp if type(stamp) is int else 0
        """The client's own clock at the start."""

    async def put(self, chunk: Event) -> None:
        """Raises BadEvent: another format, or too long."""
        if _format(chunk) != self._format:
            raise BadEvent("sound that changes its format on the way")
        pcm = chunk.payload or b""
        self._bytes += len(pcm)
        if self._most_s is not None and self._bytes > self._most_s * self._bytes_per_s:
            raise BadEvent(f"more than {self._most_s:g} s of sound at once; [server] max_clip_s is the limit")
        await self._source.put(pcm)

    def end(self) -> None:
        """No more will come. Idempotent."""
        self._source.end()

    def chunks(self) -> AsyncIterator[Samples]:
        """Chunks of 80 ms as they come; the last may be shorter."""
        return self._source.chunks()


def milliseconds(samples: int) -> int:
    """Of audio at 16 kHz."""
    return samples * 1000 // SAMPLE_RATE_HZ


def _format(event: Event) -> tuple[int, int, int]:
    found = tuple(event.data.get(name) for name in ("rate", "width", "channels"))
    rate, width, channels = found
    if type(rate) is not int or type(width) is not int or type(channels) is not int:
        raise BadEvent("sound that does not say its format")
    return rate, width, channels

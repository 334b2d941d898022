"""Audio that a door receives over the network: put in as it comes, read as chunks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Samples
from assistant.speech.chunking import Chunker
from assistant.speech.pcm import PcmFormat, waveform

BUFFER_S = 20.0
PIECE_S = 0.5
"""Of what is put at once, this much is converted at a time: the rest may have to wait, and other turns go on."""

WhenFull = Literal["wait", "drop_oldest"]


class NetworkSource:
    """Implements AudioSource. One door puts, one listener reads, both in the event loop.

    ``when_full``: ``wait`` lets ``put`` wait for the reader, which is right for a clip that is sent faster than it was
    said; ``drop_oldest`` forgets, which is right for a live microphone, and only that is paced. ``endless``: it goes on
    until somebody stops listening, as a microphone does, and not a clip that ends. ``idle_s`` is how long a reader
    waits for more.
    """

    def __init__(
        self,
        *,
        rate_hz: int = SAMPLE_RATE_HZ,
        width: int = 2,
        channels: int = 1,
        floating: bool = False,
        endless: bool = True,
        when_full: WhenFull = "drop_oldest",
        buffer_s: float = BUFFER_S,
        idle_s: float | None = 10.0,
    ) -> None:
        """Raises AudioError bad_format for a format that no microphone has."""
        try:
            self._format = PcmFormat(rate_hz, width, channels, floating)
        except ValueError as error:
            mend = "Send PCM, best at 16 kHz, mono, 16 bit."
            raise AudioError("bad_format", f"The sound that is sent has {error}.", mend=mend) from error
        self.endless = endless
        self.paced = when_full == "drop_oldest"
        self._when_full = when_full
        self._limit = max(int(buffer_s * SAMPLE_RATE_HZ), 1)
        self._idle_s = idle_s
        self._chunker = Chunker(rate_hz)
        self._broken_frame = b""
        self._chunks: deque[tuple[Samples, float]] = deque()
        self._arrives_at = 0.0
        self.arrived_at = 0.0
        """When the end of the chunk that was read last had come, on the event loop's clock."""
        self._held = 0
        self._ended = False
        self._changed = asyncio.Event()
        self.dropped_s = 0.0
        """Seconds of sound that nobody read in time."""

    async def put(self, pcm: bytes) -> None:
        """The next bytes of the stream, of any number: a frame may be cut in two. What comes after the end is nothing.

        With ``wait`` it returns when there was room for all of it, or nobody wants it any more (``end``).
        """
        size = max(int(PIECE_S * self._format.rate_hz), 1) * self._format.frame_bytes
        for start in range(0, len(pcm), size):
            while self._when_full == "wait" and self._held >= self._limit and not self._ended:
                await self._change()
            if self._ended:
                return
            self._arrives_at = asyncio.get_running_loop().time()
            data = self._broken_frame + pcm[start : start + size]
            whole = len(data) // self._format.frame_bytes * self._format.frame_bytes
            self._broken_frame = data[whole:]
            self._add(self._chunker.feed(waveform(data[:whole], self._format)))

    @property
    def waiting_s(self) -> float:
        """Length of what nobody has read yet."""
        return self._held / SAMPLE_RATE_HZ

    def forget(self) -> None:
        """What nobody has read yet is too old to be read."""
        self._chunks.clear()
        self._held = 0
        self._tell()

    def end(self) -> None:
        """No more will come: the reader gets what is left, and then the end. Idempotent."""
        if not self._ended:
            self._ended = True
            self._add(self._chunker.finish())

    async def chunks(self) -> AsyncIterator[Samples]:
        """From where the last reader stopped to the end. Raises AudioError source_idle when nothing more comes."""
        while True:
            if self._chunks:
                chunk, self.arrived_at = self._chunks.popleft()
                self._held -= len(chunk)
                self._tell()
                yield chunk
            elif self._ended:
                return
            else:
                try:
                    async with asyncio.timeout(self._idle_s):
                        await self._change()
                except TimeoutError as error:
                    detail = f"No more sound came for {self._idle_s:g} s."
                    raise AudioError("source_idle", detail, mend="Look at the microphone that sends it.") from error

    def _add(self, chunks: list[Samples]) -> None:
        for chunk in chunks:
            self._chunks.append((chunk, self._arrives_at))
            self._held += len(chunk)
        while self._when_full == "drop_oldest" and self._held > self._limit and len(self._chunks) > 1:
            lost = len(self._chunks.popleft()[0])
            self._held -= lost
            self.dropped_s += lost / SAMPLE_RATE_HZ
        self._tell()

    def _tell(self) -> None:
        """Wake whoever waits; the next ones wait for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self) -> None:
        await self._changed.wait()

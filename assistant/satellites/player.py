"""A satellite's loudspeaker: sound goes out a moment before it is heard, so that it can still be stopped.

What has reached the satellite is played, and nothing can call it back; so no more than AHEAD_S of it is ever there.
When it has been played is reckoned from when it was sent: not every satellite tells (``played``).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from assistant.errors import PlaybackError
from assistant.ports import Cue, SpeechChunk
from assistant.satellites.about import DEFAULT_RATE_HZ
from assistant.speech.earcons import earcon
from assistant.speech.resampling import Resampler

log = logging.getLogger(__name__)

AHEAD_S = 0.5
"""How much the satellite has beyond what is heard now: Wi-Fi stalls of a tenth of a second are not heard, and after
"stop" it is silent within this time."""

PIECE_S = 0.1
QUEUED_S = 2.0
"""``play`` waits while more than this is queued: the voice that all rooms share makes the beginning of another room's
answer before the end of this one's."""

PAUSE_S = 10.0
"""Nothing to play for so long ends the sound (audio-stop) where nobody has said that it is over. Between sentences a
busy machine may need some seconds, and for the satellite's lights that is one answer."""


class SatellitePlayer:
    """Implements Player for one connection; ``run`` sends. ``volume``: a factor, 0 to 2."""

    def __init__(self, send: Callable[[Event], Awaitable[None]], *, volume: float = 1.0) -> None:
        self._send = send
        self._volume = volume
        self._rate_hz = DEFAULT_RATE_HZ
        self._resampler = Resampler(DEFAULT_RATE_HZ)
        self._pieces: deque[bytes] = deque()
        self._in_order = asyncio.Lock()
        self._moved = asyncio.Event()
        self._stops = 0
        self._draining = 0
        self._sounding = False
        self._over = False
        self._heard_until = 0.0
        self._gone = False

    def speaks_at(self, rate_hz: int) -> None:
        """The satellite's own rate, before anything is played."""
        self._rate_hz = rate_hz
        self._resampler = Resampler(rate_hz)

    async def play(self, chunk: SpeechChunk) -> None:
        """Queue the chunk. A ``stop`` meanwhile forgets it, too. Raises PlaybackError satellite_gone."""
        stops = self._stops
        async with self._in_order:
            while len(self._pieces) * PIECE_S > QUEUED_S and self._stops == stops:
                await self._change()
            if self._stops == stops:
                self._check()
                self._over = False
                self._put(self._resampler.feed(chunk))

    async def play_alone(self, chunk: SpeechChunk) -> None:
        """A short sound after which nothing need follow. Raises PlaybackError satellite_gone."""
        await self.play(chunk)
        self._over = True
        self._tell()

    async def drain(self) -> None:
        """Wait until all that was queued has been heard. Raises PlaybackError satellite_gone."""
        async with self._in_order:
            self._put(self._resampler.rest())
        self._draining += 1
        try:
            self._tell()
            while self._pieces or self._sounding:
                await self._change()
        finally:
            self._draining -= 1

    def stop(self) -> None:
        """Send no more; what was queued is forgotten."""
        self._stops += 1
        self._over = True
        self._resampler.rest()
        self._pieces.clear()
        self._tell()

    def close(self) -> None:
        """The connection is gone: whoever waits gets a PlaybackError."""
        self._gone = True
        self.stop()

    async def run(self) -> None:
        """Send what is queued, until it is cancelled. Raises AudioError when the satellite is gone."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                if self._pieces:
                    if not self._sounding:
                        self._sounding, self._heard_until = True, loop.time()
                        await self._send(AudioStart(self._rate_hz, 2, 1).event())
                    early = self._heard_until - loop.time() - AHEAD_S
                    if early > 0:
                        await self._change(early)
                        continue
                    piece = self._pieces.popleft()
                    self._heard_until = max(self._heard_until, loop.time()) + len(piece) / 2 / self._rate_hz
                    await self._send(AudioChunk(self._rate_hz, 2, 1, piece).event())
                    self._tell()
                elif self._sounding:
                    over = self._heard_until + (0.0 if self._draining or self._over else PAUSE_S) - loop.time()
                    if over > 0:
                        await self._change(over)
                        continue
                    await self._send(AudioStop().event())
                    self._sounding = False
                    self._tell()
                else:
                    await self._change()
        finally:
            self.close()

    def _put(self, pcm: bytes) -> None:
        if self._volume != 1.0:
            louder = np.frombuffer(pcm, dtype="<i2").astype(np.float32) * self._volume
            pcm = np.clip(louder, -32768, 32767).astype("<i2").tobytes()
        size = int(self._rate_hz * PIECE_S) * 2
        self._pieces.extend(pcm[start : start + size] for start in range(0, len(pcm), size))
        self._tell()

    def _check(self) -> None:
        if self._gone:
            detail = "The satellite went away while it was to play."
            raise PlaybackError("satellite_gone", detail, mend="It is connected to again as soon as it is back.")

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _change(self, within_s: float | None = None) -> None:
        """Something has moved, or the time is over. Raises PlaybackError when it is gone."""
        self._check()
        try:
            async with asyncio.timeout(within_s):
                await self._moved.wait()
        except TimeoutError:
            return
        self._check()


class SatelliteCues:
    """Implements Cues."""

    def __init__(self, player: SatellitePlayer) -> None:
        self._player = player

    async def play(self, cue: Cue) -> None:
        """Queue the sound; that it cannot be played is no failure: what is said next will tell."""
        try:
            await self._player.play_alone(earcon(cue, DEFAULT_RATE_HZ))
        except PlaybackError as error:
            log.debug("the sound %r cannot be played: %s", cue, error.detail)


class SatelliteSpeaker:
    """Implements RoomSpeaker: for who has something to say in the room."""

    def __init__(self, player: SatellitePlayer) -> None:
        self._player = player
        self._in_order = asyncio.Lock()

    async def play(self, speech: AsyncIterator[SpeechChunk]) -> None:
        """Raises PlaybackError."""
        async with self._in_order:
            async for chunk in speech:
                await self._player.play(chunk)
            await self._player.drain()

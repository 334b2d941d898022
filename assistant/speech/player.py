"""The loudspeaker: reply chunks → sounddevice's output stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NoReturn

from assistant.errors import AudioError, PlaybackError
from assistant.ports import SpeechChunk
from assistant.speech.play_queue import PlayQueue
from assistant.speech.resampling import Resampler
from assistant.speech.sent_sound import SentSound
from assistant.speech.sound_system import devices, find_device, holding_streams, load_sounddevice, look_again, opening

log = logging.getLogger(__name__)

BLOCK_S = 0.02
"""Length of an output block."""

LATENCY_S = 0.06
"""What the driver is asked to keep ready. Its own "low" may be less than a block, and then every stall of this process
(the callback is Python and wants the interpreter's lock) is heard; its "high" may be more than ``stop`` may take."""

FADE_S = 0.008
"""How ``stop`` ends what sounds. With block and latency it is silent after 0.09 s; 0.15 s are allowed."""

STOP_S = 0.15

AHEAD_S = 8.0
"""``play`` waits while more than this is queued, so that no more is synthesized than will be heard."""

LOST_S = 1.0
"""A device that takes nothing for this long is gone, even when the driver does not say so."""


def loudspeaker_available() -> bool:
    """Whether there is any output device."""
    return bool(devices("output"))


class SoundDevicePlayer:
    """Implements Player: chunks of any rate are queued at the device's own, which takes them in PortAudio's thread.

    Several tasks may play at once: their chunks come one after another. A device that was lost is looked for again
    with the next chunk. Belongs to one event loop.
    """

    def __init__(self, device: str | None = None) -> None:
        self._device = device
        self._stream: Any = None
        self._queue: PlayQueue | None = None
        self.sent: SentSound | None = None
        """What the device that is open now has taken; None while none is."""
        self._resampler: Resampler | None = None
        self._holding: ExitStack | None = None
        self._in_order = asyncio.Lock()
        self._moved = asyncio.Event()
        self._stops = 0
        self._ended = False
        self._lost = False
        self._played_before_s = 0.0
        self.latency_s = 0.0
        """What the driver keeps ready: sound is heard that long after it was taken."""

    @property
    def playing(self) -> bool:
        """Whether something waits to be heard."""
        return self._queue is not None and self._queue.waiting_s > 0

    @property
    def played_s(self) -> float:
        """Seconds of sound that the device has taken since the beginning: the difference between two moments is what
        was heard between them. Grows only."""
        return self._played_before_s + (self._queue.taken_s if self._queue is not None else 0.0)

    async def play(self, chunk: SpeechChunk) -> None:
        """Queue the chunk; wait while AHEAD_S are queued already. A ``stop`` meanwhile forgets this chunk, too.

        Raises PlaybackError: loudspeaker_lost, and what opening the device raises (no_loudspeaker, no_audio_library,
        unknown_loudspeaker, ambiguous_loudspeaker).
        """
        stops = self._stops
        async with self._in_order:
            queue, resampler = await self._opened()
            await self._wait(queue, lambda: queue.waiting_s <= AHEAD_S or self._stops != stops)
            if self._stops == stops:
                queue.put(resampler.feed(chunk))

    async def drain(self) -> None:
        """Wait until all that was queued has been heard. Raises PlaybackError loudspeaker_lost."""
        if self._queue is None or self._resampler is None:
            return
        queue = self._queue
        async with self._in_order:
            queue.put(self._resampler.rest())
        if queue.waiting_s:
            await self._wait(queue, lambda: queue.waiting_s == 0)
            await asyncio.sleep(self.latency_s)

    def stop(self) -> None:
        """Be silent now, within STOP_S; what was queued, or waits to be, is forgotten. Call it in the event loop."""
        self._stops += 1
        if self._queue is not None and self._resampler is not None:
            self._resampler.rest()
            self._queue.fade_out(FADE_S)
        self._moved.set()

    def close(self) -> None:
        """Close the device. Idempotent; ``play`` opens it again."""
        self.stop()
        self._release()
        if self._holding is not None:
            self._holding.close()
            self._holding = None

    async def _opened(self) -> tuple[PlayQueue, Resampler]:
        if self._ended or self._lost:
            await asyncio.to_thread(self._release)
        if self._queue is None or self._resampler is None:
            loop = asyncio.get_running_loop()
            queue = await asyncio.to_thread(self._open, lambda: _in_loop(loop, self._moved.set))
            self._queue, self._resampler = queue, Resampler(queue.rate_hz)
        return self._queue, self._resampler

    async def _wait(self, queue: PlayQueue, done: Callable[[], bool]) -> None:
        """Until it is done or the device is gone."""
        blocks = -1
        while not done():
            if self._ended or queue is not self._queue:
                self._fail(queue, "The loudspeaker went away while it was playing.")
            self._moved.clear()
            try:
                async with asyncio.timeout(LOST_S):
                    await self._moved.wait()
            except TimeoutError:
                if queue.blocks == blocks:
                    self._fail(queue, "The loudspeaker does not take any more sound.")
                blocks = queue.blocks

    def _fail(self, queue: PlayQueue, detail: str) -> NoReturn:
        self._lost = True
        queue.fade_out(0.0)
        raise PlaybackError("loudspeaker_lost", detail, mend="Plug it in again; the next reply looks for it.")

    def _open(self, moved: Callable[[], None]) -> PlayQueue:
        """In a thread: find and start the device. Raises PlaybackError."""
        if self._holding is None:
            self._holding = ExitStack()
            self._holding.enter_context(holding_streams(lambda: self.playing, self._release))
        try:
            if self._lost and not look_again():
                log.debug("the microphone is in use: new loudspeakers are not looked for")
            queue = self._start(load_sounddevice(), moved)
        except AudioError as error:
            self._lost = True
            raise PlaybackError(error.code, error.detail, mend=error.mend) from error
        self._lost = False
        if self.latency_s + BLOCK_S + FADE_S > STOP_S:
            log.warning("the loudspeaker keeps %.2f s of sound ready: it falls silent that late", self.latency_s)
        return queue

    def _start(self, sounddevice: Any, moved: Callable[[], None]) -> PlayQueue:
        """Raises AudioError."""
        with opening():
            device = find_device(self._device, "output")
            queue, sent = PlayQueue(device.rate_hz), SentSound(device.rate_hz)
            self._ended = False
            try:
                self._stream = sounddevice.RawOutputStream(
                    device=device.index,
                    samplerate=device.rate_hz,
                    channels=1,
                    dtype="int16",
                    blocksize=int(device.rate_hz * BLOCK_S),
                    latency=LATENCY_S,
                    callback=_callback(queue, sent, moved),
                    finished_callback=lambda: self._finished(queue, moved),
                )
                self._stream.start()
            except (sounddevice.PortAudioError, ValueError) as error:
                self._release()
                detail = f"The loudspeaker {device.name!r} cannot be opened: {error}."
                raise AudioError("no_loudspeaker", detail, mend="`jarvis doctor` lists the sound devices.") from error
        self.latency_s, self.sent = float(self._stream.latency), sent
        return queue

    def _release(self) -> None:
        """Close the stream, from any thread."""
        stream, self._stream = self._stream, None
        queue, self._queue, self.sent = self._queue, None, None
        self._played_before_s += queue.taken_s if queue is not None else 0.0
        self._ended = False
        if stream is not None:
            stream.abort()  # closing an ALSA stream that runs can hang
            stream.close()

    def _finished(self, queue: PlayQueue, moved: Callable[[], None]) -> None:
        """In PortAudio's thread: the stream is over, by ourselves or because the device went away."""
        if queue is self._queue:
            self._ended = True
            moved()


def _callback(queue: PlayQueue, sent: SentSound, moved: Callable[[], None]) -> Callable[..., None]:
    def fill(out: Any, _frames: int, time_info: Any, _status: object) -> None:
        """In PortAudio's thread: hand over what is there, fill up with silence."""
        waited = queue.waiting_s
        block = queue.take(len(out))
        out[:] = block
        sent.block(block, time_info.outputBufferDacTime)
        if waited:
            moved()

    return fill


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        log.debug("sound was taken after the event loop had ended")

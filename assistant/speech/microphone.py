"""The microphone: chunks of speech for as long as somebody listens, whatever happens to the device meanwhile."""

from __future__ import annotations

import asyncio
import logging
import platform
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

import numpy as np

from assistant.errors import AudioError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from assistant.speech.echo import EchoRemover
from assistant.speech.recording import SILENCE_DBFS, Recording
from assistant.speech.sound_system import devices, holding_streams, load_sounddevice, look_again

__all__ = ["Back", "Lost", "MicrophoneSource", "MicrophoneState", "Mute", "Timings", "devices", "load_sounddevice"]

log = logging.getLogger(__name__)

_MEND = "Plug it in again, or name another with `microphone` in jarvis.toml; `jarvis doctor` lists them."


@dataclass(frozen=True, slots=True)
class Lost:
    """The device is gone and waited for; meanwhile the chunks are silence."""

    device: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mute:
    """The device is there and gives nothing but zeros."""

    device: str
    detail: str
    mend: str


@dataclass(frozen=True, slots=True)
class Back:
    """All is well again, perhaps with another device (where none was named)."""

    device: str


MicrophoneState = Lost | Mute | Back


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the watch over the device waits, in seconds."""

    silent_s: float = 3.0
    """Without anything from the device it is gone, even when the driver does not say so."""
    check_s: float = 0.5
    mute_s: float = 5.0
    """Nothing but zeros from the beginning for this long is said."""
    first_retry_s: float = 0.5
    longest_retry_s: float = 5.0
    close_s: float = 3.0
    """For the driver to let the device go; some hang when it was pulled out (PortAudio issue 1037)."""


class MicrophoneSource:
    """Implements AudioSource. A context manager; ``chunks()`` goes on where the last reader stopped.

    A device that goes away is waited for, as long as ``give_up_s`` (None: for ever), and opened again; ``on_state`` is
    called in the event loop with what happens. Meanwhile the chunks are silence at the pace of speech, so that an
    utterance that was cut off ends as any other does. All work with the device is done in a thread of its own.
    """

    endless = True
    paced = True

    def __init__(
        self,
        device: str | None = None,
        *,
        on_state: Callable[[MicrophoneState], None] | None = None,
        give_up_s: float | None = None,
        timings: Timings | None = None,
        echo: EchoRemover | None = None,
    ) -> None:
        """``echo``: takes the loudspeaker beside it out of the chunks."""
        self._wanted = device
        self._echo = echo
        self._on_state = on_state
        self._give_up_s = give_up_s
        self._timings = timings or Timings()
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._stop = threading.Event()
        self._holding = ExitStack()
        self._watcher: threading.Thread | None = None
        self._recording: Recording | None = None
        self._failed: AudioError | None = None
        self._away = False

    def __enter__(self) -> Self:
        """Open the device. Raises AudioError: no_microphone, unknown_microphone, ambiguous_microphone,
        no_audio_library."""
        self._recording = Recording.open(self._wanted, self._notify)
        self._holding.enter_context(holding_streams(lambda: not self._away, lambda: None))  # while away it is closed
        self._watcher = threading.Thread(target=self._watched, args=(self._recording,), name="microphone", daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join(self._timings.close_s)
            if self._watcher.is_alive():
                log.warning("the sound system does not let go of the microphone")
        self._holding.close()

    async def chunks(self) -> AsyncIterator[Samples]:
        """Raises AudioError microphone_lost when it was waited for in vain."""
        while True:
            self._ready.clear()
            recording, away = self._recording, self._away
            chunk = recording.next_chunk() if recording else None
            if recording is not None and chunk is not None:
                yield self._echo.clean(chunk, recording.began_s, recording.clock) if self._echo else chunk
            elif self._failed is not None:
                raise self._failed
            elif away:
                await asyncio.sleep(CHUNK_SAMPLES / SAMPLE_RATE_HZ)
                yield np.zeros(CHUNK_SAMPLES, dtype=np.int16)
            else:
                await self._ready.wait()

    @property
    def device(self) -> str:
        """Name of the device that is, or was last, open."""
        return self._recording.device if self._recording else ""

    @property
    def only_echo(self) -> bool:
        """Whether nobody spoke in the newest chunks but the loudspeaker beside it."""
        return self._echo is not None and self._echo.share.only_echo

    @property
    def level_dbfs(self) -> float:
        """RMS of the last 80 ms in dB of full scale, from -96 to 0; it is the same whether somebody reads or not."""
        return SILENCE_DBFS if self._away or self._recording is None else self._recording.level()[0]

    @property
    def clipping(self) -> bool:
        """Whether the last 80 ms reach full scale: the microphone is too loud."""
        return not self._away and self._recording is not None and self._recording.level()[1]

    @property
    def dropped_s(self) -> float:
        """Seconds of sound that nobody read in time, of the device that is open."""
        return self._recording.ring.dropped_frames / self._recording.rate_hz if self._recording else 0.0

    # ── in the loop ───────────────────────────────────────────────────────────────────────────────────────────────

    def _notify(self) -> None:
        """From any thread; a loop that is closed has nobody who waits."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ready.set)

    def _tell(self, state: MicrophoneState) -> None:
        if self._on_state is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._on_state, state)

    # ── in the watcher's thread ───────────────────────────────────────────────────────────────────────────────────

    def _watched(self, recording: Recording) -> None:
        """Watch the device, and open it again whenever it was lost, until told to stop."""
        current: Recording | None = recording
        try:
            while current is not None:
                lost = self._watch(current)
                current.close()
                if not lost:
                    return
                log.warning("the microphone %r is gone: %s", current.device, lost)
                self._away = True
                self._notify()
                self._tell(Lost(current.device, lost))
                current = self._reopened()
                if current is not None:
                    log.warning("the microphone %r is back", current.device)
                    self._recording, self._away = current, False
                    self._notify()
                    self._tell(Back(current.device))
        finally:
            if not self._stop.is_set() and self._failed is None:
                detail = "The watch over the microphone broke down."
                self._failed = AudioError(
                    "microphone_lost", detail, mend="The log has the details. Start Jarvis again."
                )
            self._notify()

    def _watch(self, recording: Recording) -> str:
        """Why it is gone; empty when told to stop."""
        began, mute = time.monotonic(), False
        dropped = reported = overflows = 0
        while not self._stop.wait(self._timings.check_s):
            if not recording.active:
                return "the sound system has ended the recording"
            if recording.age_s() > self._timings.silent_s:
                return f"it has given nothing for {self._timings.silent_s:g} s"
            zeros = recording.only_zeros
            if zeros and not mute and time.monotonic() - began > self._timings.mute_s:
                mute = True
                self._tell(_muted(recording.device))
            elif mute and not zeros:
                mute = False
                self._tell(Back(recording.device))
            if recording.overflows > overflows:
                overflows = recording.overflows
                log.info("the machine was too slow for the microphone, %d times by now", overflows)
            before, dropped = dropped, recording.ring.dropped_frames
            if reported < dropped == before:  # once for each time that nobody reads
                log.info(
                    "%.1f s of sound were dropped, because nobody read them", (dropped - reported) / recording.rate_hz
                )
                reported = dropped
        return ""

    def _reopened(self) -> Recording | None:
        """The device, once it is there again; None when told to stop, or when it was waited for long enough."""
        timings, began = self._timings, time.monotonic()
        delay = timings.first_retry_s
        while not self._stop.wait(delay):
            detail = "The sound system is in use."
            try:
                if look_again():
                    return Recording.open(self._wanted, self._notify)
            except AudioError as error:
                detail = error.detail
                delay = min(delay * 2, timings.longest_retry_s)
                log.debug("the microphone is not back: %s", detail)
            if self._give_up_s is not None and time.monotonic() - began > self._give_up_s:
                said = f"The microphone is gone, and did not come back within {self._give_up_s:g} s. {detail}"
                self._failed = AudioError("microphone_lost", said, mend=_MEND)
                return None
        return None


def _muted(device: str) -> Mute:
    detail = f"The microphone {device!r} gives nothing but silence."
    if platform.system() == "Darwin":
        mend = "Allow the terminal to hear it: System Settings → Privacy & Security → Microphone; then start again."
    else:
        mend = "See whether it is muted, by a switch of its own or in the mixer."
    return Mute(device, detail, mend)

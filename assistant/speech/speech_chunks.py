"""Sound from a server, in any form and pieces → chunks for a player. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.ports import SpeechChunk
from assistant.speech.pcm import PcmFormat, to_int16, waveform

MIN_CHUNK_S = 0.04
"""A player has to be handed sound faster than it plays: smaller pieces are put together."""

MAX_SPEECH_S = 180.0
"""Longer than anybody reads a sentence: it does not end."""

PLAYABLE_HZ = (8_000, 96_000)
"""Sample rates that sound cards take, directly or through the system's mixer."""


class TooLong(ValueError):  # noqa: N818 - it says what the sound is
    """The sound does not end, or cannot be played; the message says which, as the end of a sentence."""


class SpeechChunks:
    """Feed PCM, get mono int16 chunks at its own rate, ``volume`` applied."""

    def __init__(self, volume: float = 1.0) -> None:
        self._volume = volume
        self._format: PcmFormat | None = None
        self._bytes = b""
        self._seconds = 0.0

    def feed(self, form: PcmFormat, sound: bytes) -> Iterator[SpeechChunk]:
        """What there is, once it is long enough. Raises TooLong."""
        if form != self._format:
            if not PLAYABLE_HZ[0] <= form.rate_hz <= PLAYABLE_HZ[1]:
                raise TooLong(f"sound at {form.rate_hz} Hz")
            yield from self.finish()
            self._format = form
        self._bytes += sound
        self._seconds += len(sound) / form.bytes_per_s
        if self._seconds > MAX_SPEECH_S:
            raise TooLong(f"its speech does not end within {MAX_SPEECH_S:g} s")
        if len(self._bytes) >= MIN_CHUNK_S * form.bytes_per_s:
            yield from self.finish()

    def finish(self) -> Iterator[SpeechChunk]:
        """What is left."""
        if self._format is not None and len(self._bytes) >= self._format.frame_bytes:
            whole = len(self._bytes) // self._format.frame_bytes * self._format.frame_bytes
            samples = to_int16(waveform(self._bytes[:whole], self._format), self._volume)
            self._bytes = self._bytes[whole:]
            yield SpeechChunk(samples.astype("<i2").tobytes(), self._format.rate_hz)

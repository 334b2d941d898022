"""A wav that is still being sent: header and sound as the bytes come. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal

from assistant.speech.pcm import PcmFormat

MAX_HEADER_BYTES = 65_536
"""Chunks before the sound (LIST, fact, …) together; more is no wav."""

ENDLESS_BYTES = 100_000_000
"""A length of this and more is none: whoever streams does not know it yet and writes 0, 0xFFFFFFFF or 2,000,000,000."""

NO_PCM = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"<!do", b"<!DO", b"<htm", b"<HTM")
"""Bytes that bare PCM does not begin with, but other things do."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class NoWav(ValueError):  # noqa: N818 - it says what the bytes are
    """These bytes are no wav that can be played; the message says what they are."""


class WavStream:
    """Feed bytes in pieces of any length, get ``(format, PCM bytes of whole frames)``.

    The declared length is believed when it is shorter than what comes, since chunks of another kind may follow the
    sound; it is not when less comes, or when nobody could know it. A second wav behind the first is read on: some
    servers send one for each sentence.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._state: Literal["chunks", "sound", "over"] = "chunks"
        self._begun = False
        self._format: PcmFormat | None = None
        self._skip = 0
        self._header_bytes = 0
        self._left: int | None = None
        """Bytes of sound until something else comes; None: until the end."""
        self._sounded = False

    def feed(self, data: bytes) -> Iterator[tuple[PcmFormat, bytes]]:
        """Raises NoWav."""
        self._bytes += data
        more = True
        while more:
            if self._state == "sound" and self._format is not None:
                if sound := self._sound(self._format):
                    yield self._format, sound
                more = self._state != "sound"
            elif self._state == "chunks":
                more = self._chunk()
            else:
                self._bytes.clear()
                more = False

    def _sound(self, form: PcmFormat) -> bytes:
        """Whole frames of what is there."""
        there = len(self._bytes) if self._left is None else min(self._left, len(self._bytes))
        whole = there // form.frame_bytes * form.frame_bytes
        taken = bytes(self._bytes[:whole])
        if there == self._left:  # of a length that cuts a frame in two the rest is nothing
            del self._bytes[:there]
            self._state, self._sounded = "chunks", True
        else:
            del self._bytes[:whole]
            self._left = None if self._left is None else self._left - whole
        return taken

    def _chunk(self) -> bool:
        """Read or pass over one chunk; False: more bytes are needed."""
        skipped = min(self._skip, len(self._bytes))
        del self._bytes[:skipped]
        self._skip -= skipped
        if self._skip or len(self._bytes) < 8:
            return False
        name, size = struct.unpack_from("<4sI", self._bytes)
        if name == b"RIFF":
            return self._riff()
        if not self._begun:
            raise NoWav(_looks_like(bytes(self._bytes[:8])))
        if name == b"data":
            self._begin(size)
            return True
        self._header_bytes += 8 + size
        if self._header_bytes > MAX_HEADER_BYTES:
            if not self._sounded:
                raise NoWav("a wav without sound")
            self._state = "over"  # what follows the sound is no chunk
            return True
        if name == b"fmt ":
            if len(self._bytes) < 8 + size:
                self._header_bytes -= 8 + size
                return False
            self._format = _format(bytes(self._bytes[8 : 8 + size]))
        del self._bytes[:8]
        self._skip = size + size % 2
        return True

    def _riff(self) -> bool:
        if len(self._bytes) < 12:
            return False
        if self._bytes[8:12] != b"WAVE":
            raise NoWav("another kind of RIFF file")
        del self._bytes[:12]
        self._begun = True
        return True

    def _begin(self, size: int) -> None:
        if self._format is None:
            raise NoWav("a wav that does not say its format")
        del self._bytes[:8]
        self._left = None if size == 0 or size >= ENDLESS_BYTES else size
        self._header_bytes = 0
        self._skip = size % 2
        self._state = "sound"


def _format(data: bytes) -> PcmFormat:
    if len(data) < 16:
        raise NoWav("a wav that does not say its format")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", data)
    if tag == _EXTENSIBLE and len(data) >= 26:
        [tag] = struct.unpack_from("<H", data, 24)
    if tag not in (_PCM, _FLOAT) or bits % 8:
        raise NoWav(f"a wav whose sound is encoded (format {tag}, {bits} bits)")
    try:
        return PcmFormat(rate_hz, bits // 8, channels, floating=tag == _FLOAT)
    except ValueError as error:
        raise NoWav(f"a wav with {error}") from error


def _looks_like(start: bytes) -> str:
    if start.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        return "MP3"
    for mark, name in ((b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"<", "a web page"), (b"{", "JSON")):
        if start.lstrip().startswith(mark):
            return name
    return "something else"

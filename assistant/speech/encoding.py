"""Reply speech in the forms that clients ask for: wav, raw PCM, and what PyAV (ffmpeg) encodes.

Chunk by chunk, so that the first sound goes out before the last sentence is made.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Literal

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from assistant.ports import SpeechChunk

SpeechFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

Mono = NDArray[np.int16]
"""Shape (n,)."""

PCM_RATE_HZ = 24_000
"""What OpenAI's ``pcm`` is: mono int16 little-endian at 24 kHz."""

OPUS_RATE_HZ = 48_000
"""Of the rates that Opus knows (RFC 6716) the one that loses nothing."""

UNKNOWN_LENGTH = 0xFFFFFFFF
"""In the header of a wav that is streamed: players read to the end (as ffmpeg writes it)."""


@dataclass(frozen=True, slots=True)
class _Codec:
    container: str
    codec: str
    media_type: str
    rate_hz: int | None = None
    bit_rate: int = 0


_CODECS: dict[str, _Codec] = {
    "mp3": _Codec("mp3", "libmp3lame", "audio/mpeg", bit_rate=64_000),
    "opus": _Codec("ogg", "libopus", "audio/ogg", OPUS_RATE_HZ, 32_000),
    "aac": _Codec("adts", "aac", "audio/aac", bit_rate=64_000),
    "flac": _Codec("flac", "flac", "audio/flac"),
}
MEDIA_TYPES: dict[str, str] = {
    "wav": "audio/wav", "pcm": "audio/pcm", **{name: codec.media_type for name, codec in _CODECS.items()}
}  # fmt: skip


class SpeechEncoder:
    """``encode`` chunk after chunk, then ``finish``; each gives the bytes that are ready. All chunks have one rate.

    ``speed``: 0.25–4 of the voice's own, at its pitch.
    """

    def __init__(self, form: SpeechFormat, speed: float = 1.0) -> None:
        self._form = form
        self._tempo = Tempo(speed) if speed != 1.0 else None
        self._codec = _CODECS.get(form)
        self._out = _Growing()
        self._container: av.container.OutputContainer | None = None
        self._stream: av.AudioStream | None = None
        self._resampler: soxr.ResampleStream | None = None
        self._begun = False
        self._rate_hz = PCM_RATE_HZ

    def encode(self, chunk: SpeechChunk) -> bytes:
        """Blocks for as long as encoding takes: a few milliseconds for a second of speech."""
        samples = np.frombuffer(chunk.pcm[: len(chunk.pcm) // 2 * 2], dtype="<i2").astype(np.int16)
        self._rate_hz = chunk.sample_rate_hz
        return self._coded(samples if self._tempo is None else self._tempo.paced(samples, self._rate_hz))

    def _coded(self, samples: Mono) -> bytes:
        if self._codec is not None:
            if len(samples):
                self._encode(samples, self._rate_hz)
            return self._out.taken()
        if self._form == "wav":
            head = b"" if self._begun else _wav_head(self._rate_hz)
            self._begun = True
            return head + samples.astype("<i2").tobytes()
        return self._to(PCM_RATE_HZ, samples, self._rate_hz).astype("<i2").tobytes()

    def finish(self) -> bytes:
        """What is left; nothing may be encoded after it."""
        begun = b"" if self._tempo is None else self._coded(self._tempo.rest())
        return begun + self._finish()

    def _finish(self) -> bytes:
        if self._codec is None:
            if self._form == "wav" and not self._begun:
                return _wav_head(PCM_RATE_HZ)
            rest = self._resampler.resample_chunk(np.empty(0, np.int16), last=True) if self._resampler else None
            return rest.astype("<i2").tobytes() if rest is not None else b""
        if self._container is None or self._stream is None:
            return b""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._out.taken()

    def _encode(self, samples: Mono, rate_hz: int) -> None:
        codec = self._codec
        if codec is None:
            return
        rate = codec.rate_hz or rate_hz
        if self._container is None:
            self._container = av.open(self._out, "w", format=codec.container)
            stream = self._container.add_stream(codec.codec, rate=rate, layout="mono")
            if not isinstance(stream, av.AudioStream):
                raise TypeError(f"{codec.codec} is no audio codec")
            if codec.bit_rate:
                stream.bit_rate = codec.bit_rate
            self._stream = stream
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        if self._stream is not None:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    def _to(self, rate_hz: int, samples: Mono, from_hz: int) -> Mono:
        if from_hz == rate_hz:
            return samples
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(from_hz, rate_hz, 1, dtype="int16")
        found: Mono = self._resampler.resample_chunk(samples)
        return found


class Tempo:
    """Speech quicker or slower at its pitch, by ffmpeg's ``atempo``, which takes 0.5 and more: below that, twice."""

    def __init__(self, speed: float) -> None:
        self._speeds = [speed] if speed >= 0.5 else [0.5, speed / 0.5]
        self._graph: av.filter.Graph | None = None

    def paced(self, samples: Mono, rate_hz: int) -> Mono:
        """What is ready of it."""
        if self._graph is None:
            self._graph = av.filter.Graph()
            source = self._graph.add_abuffer(sample_rate=rate_hz, format="s16", layout="mono")
            filters = [self._graph.add("atempo", f"{speed:.6f}") for speed in self._speeds]
            self._graph.link_nodes(source, *filters, self._graph.add("abuffersink")).configure()
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        self._graph.push(frame)
        return self._ready()

    def rest(self) -> Mono:
        """What was held back."""
        if self._graph is None:
            return np.empty(0, np.int16)
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> Mono:
        found: list[Mono] = []
        while self._graph is not None:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            found.append(np.ascontiguousarray(frame.to_ndarray().reshape(-1), dtype=np.int16))
        return np.concatenate(found) if found else np.empty(0, np.int16)


class _Growing(io.RawIOBase):
    """A file that only grows, and gives out what was written since it was last asked. It cannot be sought in, so that
    nothing that went out has to be changed."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        found = bytes(data)  # type: ignore[call-overload]
        self._bytes += found
        return len(found)

    def taken(self) -> bytes:
        found = bytes(self._bytes)
        self._bytes.clear()
        return found


def _wav_head(rate_hz: int) -> bytes:
    """RIFF, mono, int16, of unknown length."""
    form = struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", UNKNOWN_LENGTH) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", UNKNOWN_LENGTH)
    )  # fmt: skip

"""Clips in every container that a phone or a browser records, made on the spot."""

from __future__ import annotations

import io
import struct
import wave

import av
import numpy as np

RATE_HZ = 16_000


def tone(seconds: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A loud 440 Hz tone, int16."""
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    samples: np.ndarray = (12_000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    return samples


def wav(samples: np.ndarray, *, rate_hz: int = RATE_HZ, channels: int = 1, width: int = 2) -> bytes:
    """PCM wav of int16 samples, as 8, 16 or 24 bit."""
    if channels > 1:
        samples = np.repeat(samples, channels)
    if width == 1:
        data = ((samples >> 8) + 128).astype(np.uint8).tobytes()
    elif width == 3:
        data = b"".join(struct.pack("<i", int(sample) << 8)[:3] for sample in samples)
    else:
        data = samples.astype("<i2").tobytes()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate_hz, 0, "NONE", ""))
        file.writeframes(data)
    return buffer.getvalue()


def float_wav(samples: np.ndarray) -> bytes:
    """IEEE float wav (format 3)."""
    data = (samples / 32768).astype("<f4").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1, RATE_HZ, RATE_HZ * 4, 4, 32
    )
    return head + struct.pack("<4sI", b"data", len(data)) + data


def encoded(samples: np.ndarray, container: str, codec: str, rate_hz: int) -> bytes:
    """The samples in another container, by FFmpeg."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=rate_hz, frame_size=stream.frame_size or 0
        )
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            resampled.pts = None
            file.mux(stream.encode(resampled))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def heard_frequency(samples: np.ndarray, rate_hz: int = RATE_HZ) -> float:
    """The loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * rate_hz / len(samples))

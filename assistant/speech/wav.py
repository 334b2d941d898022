"""Reply speech as a wav file."""

from __future__ import annotations

import io
import os
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

from assistant.ports import SpeechChunk

DEFAULT_RATE_HZ = 22_050


def wav_bytes(chunks: Sequence[SpeechChunk]) -> bytes:
    """RIFF, mono, int16; the rate of the first chunk. No chunks make a valid wav of no length.

    Raises ValueError when the chunks differ in rate: a synthesizer has one.
    """
    rate = chunks[0].sample_rate_hz if chunks else DEFAULT_RATE_HZ
    if any(chunk.sample_rate_hz != rate for chunk in chunks):
        raise ValueError("chunks of different sample rates cannot be one wav")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(chunk.pcm for chunk in chunks))
    return buffer.getvalue()


def write_wav(path: Path, chunks: Sequence[SpeechChunk]) -> None:
    """Write whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".wav")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(wav_bytes(chunks))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise

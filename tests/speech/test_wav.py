"""Reply speech as a file."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import SpeechChunk
from assistant.speech.wav import wav_bytes, write_wav


@given(st.lists(st.binary(max_size=40).map(lambda data: data + data), max_size=5), st.sampled_from([16_000, 22_050]))
def test_nothing_is_lost(pieces: list[bytes], rate_hz: int) -> None:
    written = wav_bytes([SpeechChunk(piece, rate_hz) for piece in pieces])
    with wave.open(io.BytesIO(written)) as read:
        assert read.readframes(read.getnframes()) == b"".join(pieces)
        if pieces:
            assert read.getframerate() == rate_hz


def test_two_rates_cannot_be_one_file() -> None:
    with pytest.raises(ValueError, match="sample rates"):
        wav_bytes([SpeechChunk(b"", 16_000), SpeechChunk(b"", 22_050)])


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", [SpeechChunk(b"\0\1" * 10, 16_000)])
    assert (tmp_path / "a.wav").stat().st_size == 64
    with pytest.raises(OSError, match="No such file"):
        write_wav(tmp_path / "nowhere" / "a.wav", [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

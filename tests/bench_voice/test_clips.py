"""The folder of clips: its manifest and its wavs."""

from __future__ import annotations

import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.clips import MANIFEST, Clip, load, samples, save
from assistant.errors import AudioError

seconds = st.floats(0, 60, allow_nan=False)
some_clips = st.builds(
    Clip,
    id=st.text(),
    file=st.text(),
    kind=st.sampled_from(["command", "pause", "names", "human", "no_speech"]),
    said=st.text(),
    wake=st.booleans(),
    speech_start_s=seconds,
    speech_end_s=seconds,
    duration_s=seconds,
    engine=st.text(),
    voice=st.text(),
    names=st.lists(st.text(), max_size=3).map(tuple),
    noise=st.text(),
    snr_db=st.none() | st.floats(-20, 40),
    pause_start_s=seconds,
    pause_end_s=seconds,
    licence=st.text(),
)
ONE = Clip("a", "a.wav", "human", "ten of clubs", False, 0.1, 0.9, 1.0, "human", "cards")


@given(st.lists(some_clips, max_size=4).map(tuple))
def test_what_is_saved_is_loaded(clips: tuple[Clip, ...]) -> None:
    with TemporaryDirectory() as folder:
        save(Path(folder), clips)
        assert load(Path(folder)) == clips


def test_a_manifest_without_the_newer_fields_still_is_one(tmp_path: Path) -> None:
    row = (
        '{"id": "a", "file": "a.wav", "kind": "human", "said": "ten of clubs", "wake": false, "speech_start_s": 0.1, '
        '"speech_end_s": 0.9, "duration_s": 1.0, "engine": "human", "voice": "cards"}'
    )
    (tmp_path / MANIFEST).write_text(row)
    assert load(tmp_path) == (ONE,)


def test_a_folder_without_clips_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="There are no clips in") as caught:
        load(tmp_path)
    assert caught.value.code == "no_clips"
    assert "jarvis bench clips" in caught.value.mend


@pytest.mark.parametrize("text", [b"no json", b"[1]", b'{"id": "a"}', b'{"surprise": 1}', b"\xff\xfe"])
def test_a_manifest_that_is_none_is_an_error_with_its_path(tmp_path: Path, text: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(text)
    with pytest.raises(AudioError, match=MANIFEST) as caught:
        load(tmp_path)
    assert caught.value.code == "clips_unreadable"


def test_samples_are_those_of_the_wav(tmp_path: Path) -> None:
    written = np.arange(-100, 100, dtype=np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(written.astype("<i2").tobytes())
    assert np.array_equal(samples(tmp_path, ONE), written)


def test_another_rate_a_broken_wav_and_a_missing_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        samples(tmp_path, ONE)
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match="cannot be read"):
        samples(tmp_path, ONE)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 10)
    with pytest.raises(AudioError, match="not 16 kHz mono"):
        samples(tmp_path, ONE)

"""The recordings of people that teach "stop": who is in which part, and where the word ends in a recording."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import SAMPLE_RATE_HZ
from tests.speech.stop_mixing import stop_scene
from tests.speech.stop_people import FRAME, commands, part_of_speaker, word_end
from tests.speech.stop_voices import Wave

TONE = np.sin(np.arange(SAMPLE_RATE_HZ) * 0.2).astype(np.float32)


def recording(begin_s: float, end_s: float, noise: float = 0.001) -> Wave:
    """A second of noise with a tone in it."""
    audio = np.random.default_rng(1).normal(0, noise, SAMPLE_RATE_HZ).astype(np.float32)
    begin, end = int(begin_s * SAMPLE_RATE_HZ), int(end_s * SAMPLE_RATE_HZ)
    audio[begin:end] += 0.3 * TONE[: end - begin]
    return audio


def write(path: Path, audio: Wave) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())


@given(st.floats(0.15, 0.4), st.floats(0.5, 0.95), st.floats(0.0001, 0.02))
def test_the_end_of_the_word_is_found_in_noise(begin_s: float, end_s: float, noise: float) -> None:
    assert word_end(recording(begin_s, end_s, noise)) == pytest.approx(end_s * SAMPLE_RATE_HZ, abs=FRAME)


def test_without_a_word_the_whole_recording_is_it() -> None:
    assert word_end(np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)) == SAMPLE_RATE_HZ


def test_a_person_is_in_one_part_and_most_teach(tmp_path: Path) -> None:
    speakers = [f"{number:08x}" for number in range(40)]
    for speaker in speakers:
        for time in range(2):
            write(tmp_path / "stop" / f"{speaker}_nohash_{time}.wav", recording(0.2, 0.6))
    parts = {part: {one.speaker for one in commands(tmp_path, "stop", part)} for part in ("train", "test")}
    assert parts["train"] | parts["test"] == set(speakers)
    assert not parts["train"] & parts["test"]
    assert len(parts["train"]) > len(parts["test"]) > 5
    assert {part_of_speaker(speaker) for speaker in speakers} == {"train", "test"}
    assert len(commands(tmp_path, "stop", "test")) == 2 * len(parts["test"])
    assert all(one.end == pytest.approx(0.6 * SAMPLE_RATE_HZ, abs=FRAME) for one in commands(tmp_path, "stop", "test"))


def test_a_folder_without_recordings_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Speech Commands"):
        commands(tmp_path, "stop", "train")


def test_a_scene_ends_its_word_where_the_recording_does() -> None:
    """The word is as long as it was, give or take another throat, and what is around it is there."""

    def hum() -> Wave:
        return np.asarray(TONE * 0.01, dtype=np.float32)

    for seed in range(20):
        scene = stop_scene(recording(0.2, 0.6), np.random.default_rng(seed), hum, hum, end=int(0.6 * SAMPLE_RATE_HZ))
        assert scene.end_s is not None
        assert 0.5 + 0.6 * 0.8 < scene.end_s < 1.5 + 0.6 * 1.25
        assert len(scene.audio) / SAMPLE_RATE_HZ >= scene.end_s + 0.69
        assert scene.around

"""Recorded people and sounds, out of the packages that the development setup installs."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from assistant.bench import recordings
from assistant.bench.making import Maker
from assistant.bench.recordings import Recording, people, read, read_audio, sounds
from assistant.errors import AudioError
from tests.fakes_clips import no_models


def test_nothing_is_missing_after_the_development_setup() -> None:
    assert recordings.missing() == ()


def test_people_speak_with_a_transcript_and_a_licence() -> None:
    found = people(no_models, 5)
    assert len({one.voice for one in found}) >= 4
    assert len({one.name for one in found}) == len(found) >= 20
    for one in found:
        assert one.said
        assert one.licence
        assert "<s>" not in one.said
    said = {one.name: one.said for one in found}
    assert said["cards-001"] == "ten of clubs"
    assert said["sphinx-goforward"] == "go forward ten meters"
    assert said["librivox-0880"] == "he was not an ill disposed young man"


def test_the_clip_of_kennedy_is_there_when_it_was_pulled(tmp_path: Path) -> None:
    (tmp_path / "jfk-clip").mkdir()
    (tmp_path / "jfk-clip" / "jfk.wav").write_bytes(b"")
    (jfk,) = [one for one in people(lambda name: tmp_path / name, 0) if one.name == "jfk"]
    assert jfk.said.startswith("and so my fellow americans")


def test_prompts_are_whole_sentences_spread_over_all_and_in_letters_only() -> None:
    prompts = [one for one in people(no_models, 40) if one.name.startswith("prompt-")]
    assert len(prompts) == 40
    assert all(len(one.said.split()) >= 2 for one in prompts)
    assert not any(character.isdigit() or character in "[]<>" for one in prompts for character in one.said)
    assert prompts[0].name < "prompt-b" < "prompt-t" < prompts[-1].name


@pytest.mark.parametrize("recording", [*people(no_models, 3), *sounds()], ids=lambda one: one.name)
def test_every_recording_can_be_read(recording: Recording) -> None:
    wave_ = read(recording)
    assert wave_.size > 1_000
    assert np.isfinite(wave_).all()
    assert 0.05 < np.abs(wave_).max() < 1.3


def test_a_dog_a_bird_a_telephone_and_music_are_among_the_sounds() -> None:
    assert {"barks", "birds", "phone", "music", "clicks", "earcons"} <= {one.voice for one in sounds()}
    assert not any(one.said for one in sounds())


def test_a_person_becomes_a_clip_whose_speech_ends_before_the_recording_does() -> None:
    (one,) = [one for one in people(no_models, 0) if one.name == "librivox-0880"]
    made = Maker({}).person(one)
    assert made.clip.kind == "human"
    assert made.clip.licence == "BSD-2-Clause"
    assert 0.5 <= made.clip.speech_start_s < made.clip.speech_end_s <= made.clip.duration_s - 0.6
    assert made.clip.speech_end_s - made.clip.speech_start_s > 2


def test_a_short_sound_is_repeated_until_it_is_long_enough() -> None:
    (bark,) = [one for one in sounds() if one.name == "mate-bark"]
    made = Maker({}).sound(bark)
    assert made.clip.kind == "no_speech"
    assert made.clip.noise == "barks"
    assert made.clip.duration_s >= 3


def test_raw_samples_are_read_as_int16(tmp_path: Path) -> None:
    np.array([0, 16_384, -32_768], "<i2").tofile(tmp_path / "a.raw")
    assert read_audio(tmp_path / "a.raw").tolist() == [0, 0.5, -1]


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.g722x"])
def test_what_is_no_audio_is_an_error_with_its_path(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no sound in here at all")
    with pytest.raises(AudioError, match=name) as caught:
        read_audio(tmp_path / name)
    assert caught.value.code == "clips_unreadable"


def test_a_stretch_of_a_recording_is_only_that(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.arange(0, 48_000, dtype="<i2").tobytes())
    part = read(Recording("long", path, "music", "", "CC0-1.0", start_s=1, seconds=0.5))
    assert part.size == 8_000
    assert round(part[0] * 32_768) == 16_000

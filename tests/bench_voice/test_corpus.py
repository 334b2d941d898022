"""The corpus on the disk, made with synthesizers that hum."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.bench import clips, corpus, recordings
from assistant.bench.corpus import MADE_BY, ensure
from assistant.bench.recipe import Recipe, recipe
from assistant.bench.shaping import FRAME
from assistant.errors import AudioError, SynthesisError
from assistant.ports import SAMPLE_RATE_HZ
from tests.fakes_clips import Told, hummers, no_models

FEW = recipe(limit=3)


@pytest.fixture(autouse=True)
def no_recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing that this machine happens to have; and a cache of this test's own."""
    for place in ("SPHINX", "ASTERISK", "ASTERISK_TEXTS", "MUSIC", "THEME", "ICONS", "MATE"):
        monkeypatch.setattr(recordings, place, tmp_path / "nowhere" / place)
    monkeypatch.setattr(recordings, "PACKAGES", {})
    monkeypatch.setattr(corpus, "clips_dir", lambda: tmp_path / "cache")


def made(folder: Path, wanted: Recipe = FEW) -> Path:
    return ensure(wanted, hummers(), no_models, out=folder)


def test_what_is_made_can_be_loaded_and_is_what_the_manifest_says(tmp_path: Path) -> None:
    folder = made(tmp_path / "out")
    loaded = clips.load(folder)
    assert [clip.id for clip in loaded] == [one.id for one in FEW.said] + [one.id for one in FEW.noises]
    for clip in loaded:
        audio = clips.samples(folder, clip)
        assert audio.size / SAMPLE_RATE_HZ == pytest.approx(clip.duration_s, abs=1e-4)
        assert (clip.kind == "no_speech") == (clip.said == "") == (clip.speech_end_s == 0)
    assert {path.name for path in folder.iterdir()} == {"manifest.jsonl", MADE_BY, *(clip.file for clip in loaded)}


def test_the_end_of_speech_is_that_of_the_synthesizer_not_of_the_noise(tmp_path: Path) -> None:
    folder = made(tmp_path / "out")
    for clip in clips.load(folder):
        if clip.kind == "no_speech":
            continue
        words = clip.speech_end_s - clip.speech_start_s - (clip.pause_end_s - clip.pause_start_s)
        assert words / 0.2 == pytest.approx(round(words / 0.2), abs=0.06)  # every word is 0.2 s
        assert clip.duration_s - clip.speech_end_s == pytest.approx(0.6, abs=0.011)
        audio = clips.samples(folder, clip).astype(float)
        after = audio[round(clip.speech_end_s * SAMPLE_RATE_HZ) + FRAME :]
        before = audio[round(clip.speech_start_s * SAMPLE_RATE_HZ) : round(clip.speech_end_s * SAMPLE_RATE_HZ)]
        if not clip.noise:
            assert np.abs(after).max() < np.abs(before).max() / 20


def test_a_pause_is_a_silence_of_eight_tenths_where_the_manifest_says(tmp_path: Path) -> None:
    folder = made(tmp_path / "out")
    pauses = [clip for clip in clips.load(folder) if clip.kind == "pause"]
    assert pauses
    for clip in pauses:
        assert clip.pause_end_s - clip.pause_start_s == pytest.approx(0.8, abs=1e-3)
        assert clip.speech_start_s < clip.pause_start_s
        assert clip.pause_end_s < clip.speech_end_s
        audio = clips.samples(folder, clip).astype(float)
        inside = audio[round(clip.pause_start_s * SAMPLE_RATE_HZ) : round(clip.pause_end_s * SAMPLE_RATE_HZ)]
        assert np.abs(inside).max() < np.abs(audio).max() / 20


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_the_second_time_nothing_is_made(tmp_path: Path) -> None:
    first = ensure(FEW, hummers(), no_models)
    again = hummers()
    assert ensure(FEW, again, no_models) == first
    assert not any(engine.said for engine in again.values())
    assert first.parent == tmp_path / "cache"


def test_another_version_of_an_engine_makes_another_corpus(tmp_path: Path) -> None:
    newer = hummers()
    newer["flite"].version = lambda: "2.0"  # type: ignore[method-assign]
    assert ensure(FEW, newer, no_models) != ensure(FEW, hummers(), no_models)


def test_what_made_the_clips_is_written_beside_them(tmp_path: Path) -> None:
    record = json.loads((made(tmp_path / "out") / MADE_BY).read_text())
    assert record["recipe"] == "some"
    assert record["engines"]["flite"] == "1.0"
    assert record["clips"] == len(FEW.said) + len(FEW.noises)
    assert record["lacking"] == []


def test_an_engine_that_is_missing_is_named_with_its_package_and_left_out(tmp_path: Path) -> None:
    told = Told()
    folder = ensure(FEW, hummers(espeak_ng="the program espeak-ng"), no_models, progress=told, out=tmp_path / "out")
    assert told.notes == ["espeak-ng lacks the program espeak-ng: install espeak-ng-package."]
    loaded = clips.load(folder)
    assert "espeak-ng" not in {clip.engine for clip in loaded}
    assert "flite" in {clip.engine for clip in loaded}
    assert told.done == list(range(1, told.total + 1))
    assert json.loads((folder / MADE_BY).read_text())["lacking"] == [note.rstrip(".") for note in told.notes]


def test_strict_stops_at_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="kokoro lacks the model kokoro: install kokoro-package") as caught:
        ensure(FEW, hummers(kokoro="the model kokoro"), no_models, out=tmp_path / "out", strict=True)
    assert caught.value.code == "clips_incomplete"
    assert not (tmp_path / "out").exists()


def test_with_nothing_at_all_the_noises_are_left(tmp_path: Path) -> None:
    gone = dict.fromkeys(("flite", "festival", "espeak_ng", "piper", "kokoro"), "the program")
    folder = ensure(FEW, hummers(**gone), no_models, out=tmp_path / "out")
    assert {clip.kind for clip in clips.load(folder)} == {"no_speech"}


def test_babble_needs_the_engine_that_babbles(tmp_path: Path) -> None:
    wanted = recipe()
    some = Recipe("some", tuple(one for one in wanted.said if one.noise == "babble")[:2], (), 0, 0)
    engines = hummers()
    folder = ensure(some, engines, no_models, out=tmp_path / "out")
    assert [clip.noise for clip in clips.load(folder)] == ["babble"] * 2
    assert len({voice for _, voice in engines["flite"].said}) == 3


def test_a_failure_leaves_no_half_a_corpus(tmp_path: Path) -> None:
    engines = hummers()
    engines["flite"].fails_at = "backup"
    with pytest.raises(SynthesisError, match="flite said nothing with the voice"):
        ensure(FEW, engines, no_models, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_corpus_is_replaced_and_another_folder_is_not(tmp_path: Path) -> None:
    folder = made(tmp_path / "out")
    stale = folder / "stale.wav"
    stale.write_bytes(b"")
    made(folder)
    assert not stale.exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(AudioError, match="holds no clips"):
        made(tmp_path / "photos")
    assert (tmp_path / "photos" / "holiday.jpg").read_bytes() == b"precious"


def test_a_place_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match="cannot be written to") as caught:
        made(tmp_path / "file" / "out")
    assert caught.value.code == "clips_unwritable"

"""A few clips of every kind by the real synthesizers, heard by silero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.bench import clips, voices
from assistant.bench.clips import Clip
from assistant.bench.corpus import ensure
from assistant.bench.recipe import recipe
from assistant.ports import SAMPLE_RATE_HZ
from tests.fakes_clips import Told
from tests.fakes_silero import CHUNK, voice_probabilities

pytestmark = pytest.mark.real_models

CHUNK_S = CHUNK / SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """Two of each kind by what every development machine has."""
    wanted = recipe(engines=["flite", "festival", "espeak-ng", "piper"], limit=2)
    told = Told()
    made = ensure(
        wanted,
        voices.engines(lambda name: models_dir / name),
        lambda name: models_dir / name,
        progress=told,
        out=tmp_path_factory.mktemp("corpus") / "clips",
    )
    assert told.notes == []
    return made


def heard(folder: Path, models_dir: Path, clip: Clip) -> np.ndarray:
    return voice_probabilities(models_dir, clips.samples(folder, clip))


def between(voiced: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """The chunks that lie inside, at least one."""
    first = int(np.ceil(start_s / CHUNK_S))
    return voiced[first : max(first + 1, int(end_s / CHUNK_S))]


def test_there_are_clips_of_every_kind(folder: Path) -> None:
    kinds = {clip.kind for clip in clips.load(folder)}
    assert kinds == {"command", "pause", "names", "human", "no_speech"}


def test_speech_is_heard_where_the_manifest_says_and_not_after_its_end(folder: Path, models_dir: Path) -> None:
    clean = [clip for clip in clips.load(folder) if clip.said and not clip.noise]
    assert len(clean) >= 8
    for clip in clean:
        voiced = heard(folder, models_dir, clip)
        assert (between(voiced, clip.speech_start_s, clip.speech_end_s) >= 0.5).mean() > 0.4, clip.id
        assert (between(voiced, clip.speech_end_s + 0.2, clip.duration_s) < 0.5).all(), clip.id
        last = np.flatnonzero(voiced >= 0.5)[-1] * CHUNK_S
        assert abs(last - clip.speech_end_s) < 0.35, clip.id


def test_the_pause_inside_a_sentence_is_a_silence_with_speech_on_both_sides(folder: Path, models_dir: Path) -> None:
    pauses = [clip for clip in clips.load(folder) if clip.kind == "pause"]
    assert len(pauses) == 2
    for clip in pauses:
        voiced = heard(folder, models_dir, clip)
        assert (between(voiced, clip.pause_start_s + 0.25, clip.pause_end_s - 0.05) < 0.5).all(), clip.id
        assert (between(voiced, clip.speech_start_s, clip.pause_start_s) >= 0.5).any(), clip.id
        assert (between(voiced, clip.pause_end_s, clip.speech_end_s) >= 0.5).any(), clip.id

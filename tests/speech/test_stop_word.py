"""The word "stop" while the assistant speaks: held-out voices are heard, the assistant's own voice never is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.config import WakeWordSettings
from assistant.errors import WakeWordError
from assistant.models import ModelStore
from assistant.own_voice import sounds_like_stop
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection, Samples
from assistant.resources import resource
from assistant.speech.chunking import whole_chunks
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_models import find_wake_words
from assistant.speech.wake_word import OpenWakeWord
from tests.speech import stop_training
from tests.speech.said import read_wav, said
from tests.speech.stop_sentences import replies

WEIGHTS = resource("prompts", "stop_word.npz")
CLIPS = Path(__file__).with_name("stop_clips.npz")
"""Voices that taught nothing say "stop"; each array ends with the word."""

VOICES = sorted(np.load(CLIPS).files)
CLEAR = "am_michael"


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ), dtype=np.int16)


@pytest.fixture
def detector(model_store: ModelStore) -> OpenWakeWord:
    """Listens for "hey jarvis" and "stop"."""
    made = OpenWakeWord(
        find_wake_words({"hey_jarvis": WakeWordSettings()}, model_store),
        features=model_store.folder("hey-jarvis"),
        refractory_s=2,
        stop=StopWord(WEIGHTS),
    )
    made.listen_for_stop(True)
    return made


def heard(detector: OpenWakeWord, audio: Samples) -> list[tuple[float, Detection]]:
    """Seconds and detections."""
    found = enumerate((detector.process(chunk) for chunk in whole_chunks(audio)), 1)
    return [(count * CHUNK_SAMPLES / SAMPLE_RATE_HZ, detection) for count, detection in found if detection is not None]


@pytest.mark.real_models
def test_voices_that_taught_nothing_are_heard_at_once(detector: OpenWakeWord) -> None:
    """Said into a quiet room: most of them, and none later than 0.2 s after the word."""
    after: dict[str, float] = {}
    for voice in VOICES:
        word = np.load(CLIPS)[voice]
        for at, detection in heard(detector, np.concatenate([silence(1), word, silence(2.5)])):
            assert detection.word == "stop"
            after[voice] = at - 1 - len(word) / SAMPLE_RATE_HZ
    assert len(after) >= 0.75 * len(VOICES)
    assert max(after.values()) <= 0.2


@pytest.mark.real_models
@pytest.mark.parametrize("text", [text for text in replies(held_out=True) if not sounds_like_stop(text)][::3])
def test_the_assistants_own_voice_is_not_taken_for_it(detector: OpenWakeWord, models_dir: Path, text: str) -> None:
    """Replies that taught nothing. Where one has a word that sounds like it, own_voice says so and nothing counts."""
    assert heard(detector, np.concatenate([silence(0.5), said(models_dir, text), silence(0.5)])) == []


@pytest.mark.real_models
def test_it_is_heard_only_while_it_is_listened_for(detector: OpenWakeWord) -> None:
    word = np.concatenate([silence(0.5), np.load(CLIPS)[CLEAR], silence(2.5)])
    detector.listen_for_stop(False)
    assert heard(detector, word) == []
    assert detector.scores["stop"] < 0.1
    detector.listen_for_stop(True)
    assert [detection.word for _, detection in heard(detector, word)] == ["stop"]


@pytest.mark.real_models
def test_the_wake_word_is_heard_as_before_and_right_after_stop(detector: OpenWakeWord) -> None:
    """ "Stop! Hey Jarvis, what is down?" within the refractory period of either."""
    hey_jarvis = read_wav(resource("audio_fixtures", "hey_jarvis_whats_down.wav"))
    found = heard(detector, np.concatenate([silence(0.5), np.load(CLIPS)[CLEAR], silence(0.3), hey_jarvis]))
    assert [detection.word for _, detection in found] == ["stop", "hey_jarvis"]


@pytest.mark.real_models
def test_a_stop_in_the_order_after_the_wake_word_is_a_part_of_it(detector: OpenWakeWord) -> None:
    hey_jarvis = read_wav(resource("audio_fixtures", "hey_jarvis_whats_down.wav"))[: int(1.4 * SAMPLE_RATE_HZ)]
    order = np.concatenate([silence(0.5), hey_jarvis, silence(0.3), np.load(CLIPS)[CLEAR], silence(2.5)])
    assert [detection.word for _, detection in heard(detector, order)] == ["hey_jarvis"]


@pytest.mark.real_models
def test_a_wake_word_cannot_be_named_stop(model_store: ModelStore) -> None:
    words = find_wake_words({"hey_jarvis": WakeWordSettings()}, model_store)
    with pytest.raises(WakeWordError) as failed:
        OpenWakeWord(
            {"stop": words["hey_jarvis"]},
            features=model_store.folder("hey-jarvis"),
            refractory_s=2,
            stop=StopWord(WEIGHTS),
        )
    assert failed.value.code == "wake_word_reserved"


# ── without models ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_weights_are_small_and_have_a_threshold() -> None:
    assert WEIGHTS.stat().st_size < 300_000
    word = StopWord(WEIGHTS)
    assert 0.5 <= word.threshold < 1
    assert word.window <= 16


def test_damaged_weights_are_said(tmp_path: Path) -> None:
    def refused(**arrays: Any) -> WakeWordError:
        np.savez(tmp_path / "stop.npz", **arrays)
        with pytest.raises(WakeWordError) as failed:
            StopWord(tmp_path / "stop.npz")
        return failed.value

    whole = dict(np.load(WEIGHTS))
    assert refused(**{name: whole[name] for name in whole if name != "out"}).code == "wake_model_unusable"
    assert refused(**{**whole, "hidden": whole["hidden"][:, :-1]}).code == "wake_model_unusable"
    assert refused(**{**whole, "mean": np.array(["?"] * 96)}).code == "wake_model_unusable"
    (tmp_path / "stop.npz").write_bytes(b"no zip")
    with pytest.raises(WakeWordError) as failed:
        StopWord(tmp_path / "stop.npz")
    assert failed.value.mend
    with pytest.raises(WakeWordError):
        StopWord(tmp_path / "nothing.npz")


def test_what_was_taught_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On made-up embeddings: the same seed gives the same weights, they tell the two apart, and the file has them."""
    monkeypatch.setattr(stop_training, "EPOCHS", 6)
    rng = np.random.default_rng(1)
    shape = (stop_training.WINDOW, 96)
    yes = rng.normal(0.5, 1, (256, *shape)).astype(np.float32)
    no = rng.normal(-0.5, 1, (1024, *shape)).astype(np.float32)
    weights, again = (stop_training.train(yes, no, seed=3) for _ in range(2))
    assert np.array_equal(weights.hidden, again.hidden)
    assert weights.scores(yes).min() > 0.8
    assert weights.scores(no).max() < 0.2
    weights.save(tmp_path / "stop.npz", threshold=0.7, patience=2)
    word = StopWord(tmp_path / "stop.npz")
    assert word.threshold == pytest.approx(0.7)
    assert (word.patience, word.window) == (2, stop_training.WINDOW)
    assert [word.score(window) for window in no[:20]] == pytest.approx(weights.scores(no[:20]), abs=5e-3)
    read, threshold = stop_training.Weights.load(tmp_path / "stop.npz")
    assert threshold == pytest.approx(0.7)
    assert read.scores(no[:20]) == pytest.approx([word.score(window) for window in no[:20]], abs=1e-5)


def test_the_clips_are_what_they_should_be() -> None:
    clips = np.load(CLIPS)
    assert len(clips.files) >= 6
    for name in clips.files:
        assert clips[name].dtype == np.int16
        assert 0.2 < len(clips[name]) / SAMPLE_RATE_HZ < 2

"""openWakeWord's models as a detector for several words, on real speech."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.config import WakeSettings, WakeWordSettings
from assistant.errors import WakeWordError
from assistant.models import ModelStore
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection, Samples
from assistant.resources import resource
from assistant.speech.vad import SileroVad
from assistant.speech.wake_embedding import StreamedEmbedding
from assistant.speech.wake_features import SpeechFeatures
from assistant.speech.wake_models import WakeWord, find_wake_words
from assistant.speech.wake_word import OpenWakeWord
from tests.speech.said import read_wav, said

pytestmark = pytest.mark.real_models

HEY_JARVIS = resource("audio_fixtures", "hey_jarvis_whats_down.wav")
NO_WAKE_WORD = resource("audio_fixtures", "is_the_media_server_up.wav")


@pytest.fixture(scope="module")
def words(model_store: ModelStore) -> dict[str, WakeWord]:
    names = ("hey_jarvis", "alexa", "hey_mycroft")
    return find_wake_words({name: WakeWordSettings() for name in names}, model_store)


@pytest.fixture(scope="module")
def features(models_dir: Path) -> Path:
    return models_dir / "hey-jarvis"


@pytest.fixture(scope="module")
def clip() -> Samples:
    return read_wav(HEY_JARVIS)


def chunks(audio: Samples) -> list[Samples]:
    return [audio[at : at + CHUNK_SAMPLES] for at in range(0, len(audio), CHUNK_SAMPLES)]


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ), dtype=np.int16)


def detections(detector: OpenWakeWord, audio: Samples) -> list[Detection]:
    return [found for chunk in chunks(audio) if (found := detector.process(chunk)) is not None]


def scores(detector: OpenWakeWord, audio: Samples, word: str = "hey_jarvis") -> list[float]:
    found = []
    for chunk in chunks(audio):
        detector.process(chunk)
        found.append(detector.scores[word])
    return found


def only(words: dict[str, WakeWord], *names: str) -> dict[str, WakeWord]:
    return {name: words[name] for name in names}


def test_each_of_several_words_is_heard_as_itself(
    words: dict[str, WakeWord], features: Path, models_dir: Path, clip: Samples
) -> None:
    alexa, mycroft = said(models_dir, "Alexa!"), said(models_dir, "Hey Mycroft!")
    detector = OpenWakeWord(words, features=features, refractory_s=2)
    audio = np.concatenate([silence(1), clip, silence(1), alexa, silence(2.5), mycroft, silence(2)])
    assert [found.word for found in detections(detector, audio)] == ["hey_jarvis", "alexa", "hey_mycroft"]


def test_a_sentence_without_a_wake_word_is_none(words: dict[str, WakeWord], features: Path) -> None:
    detector = OpenWakeWord(words, features=features, refractory_s=2)
    assert detections(detector, read_wav(NO_WAKE_WORD)) == []


def test_a_fresh_detector_gives_the_same_clip_the_same_scores(
    words: dict[str, WakeWord], features: Path, clip: Samples
) -> None:
    """openWakeWord's own buffer starts with noise that differs from run to run."""
    first, second = (
        scores(OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2), clip) for _ in range(2)
    )
    assert first == second
    assert max(first) > 0.8


def test_a_fresh_detector_hears_a_word_that_begins_at_once(
    words: dict[str, WakeWord], features: Path, clip: Samples
) -> None:
    loud = int(np.flatnonzero(np.abs(clip) > 1000)[0])
    detector = OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2)
    assert [found.word for found in detections(detector, clip[loud:])] == ["hey_jarvis"]


def test_a_fresh_detector_has_heard_nothing_but_silence(words: dict[str, WakeWord], features: Path) -> None:
    fresh = SpeechFeatures(features, history=16).recent(16)
    assert np.array_equal(fresh, np.repeat(fresh[:1], 16, axis=0))
    detector = OpenWakeWord(words, features=features, refractory_s=2)
    assert max(scores(detector, silence(3), "alexa")) < 0.01


def test_the_scores_are_those_of_openwakewords_own_library(
    words: dict[str, WakeWord], features: Path, clip: Samples
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openwakeword.model import Model

        theirs = Model(
            wakeword_models=[str(words["hey_jarvis"].model)],
            melspec_model_path=str(features / "melspectrogram.onnx"),
            embedding_model_path=str(features / "embedding_model.onnx"),
            inference_framework="onnx",
        )
    ours = OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2)
    audio = np.concatenate([silence(3), clip, read_wav(NO_WAKE_WORD)])  # in 3 s it forgets the noise it starts with
    expected = [float(next(iter(theirs.predict(chunk).values()))) for chunk in chunks(audio)[:-1]]
    assert scores(ours, audio)[37:-1] == pytest.approx(expected[37:], abs=1e-5)


@settings(max_examples=8)
@given(sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=6))
def test_detections_do_not_depend_on_how_the_audio_was_cut(
    words: dict[str, WakeWord], features: Path, clip: Samples, sizes: list[int]
) -> None:
    detector = OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2)
    heard, position, pieces = [], 0, 0
    while position < len(clip):
        size = sizes[pieces % len(sizes)]
        heard.append(detector.process(clip[position : position + size]))
        position, pieces = position + size, pieces + 1
    whole = OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2)
    assert [found for found in heard if found] == detections(whole, clip)


def test_twice_within_the_refractory_period_is_once(words: dict[str, WakeWord], features: Path, clip: Samples) -> None:
    wake_phrase = clip[: int(1.3 * SAMPLE_RATE_HZ)]
    twice = np.concatenate([wake_phrase, silence(0.5), wake_phrase, silence(1)])
    assert [
        len(detections(OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=seconds), twice))
        for seconds in (0.0, 4.0)
    ] == [2, 1]


def test_patience_beyond_the_words_length_hears_nothing(
    words: dict[str, WakeWord], features: Path, clip: Samples
) -> None:
    model = words["hey_jarvis"].model
    long = sum(score >= 0.5 for score in scores(OpenWakeWord(words, features=features, refractory_s=2), clip))
    heard = [
        len(detections(OpenWakeWord({"it": WakeWord(model, 0.5, patience)}, features=features, refractory_s=2), clip))
        for patience in (1, long, long + 1)
    ]
    assert heard == [1, 1, 0]


# ── the gate ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class ScriptedVad:
    """The same probability always; remembers what it was fed."""

    probability_: float
    frame_samples: int = 512
    heard: int = 0

    def probability(self, frame: Samples) -> float:
        self.heard += len(frame)
        return self.probability_


def test_the_gate_holds_back_what_was_no_speech(words: dict[str, WakeWord], features: Path, clip: Samples) -> None:
    def heard(probability: float) -> list[Detection]:
        vad = ScriptedVad(probability)
        detector = OpenWakeWord(
            only(words, "hey_jarvis"), features=features, refractory_s=2, gate=vad, gate_probability=0.4
        )
        found = detections(detector, clip)
        assert len(clip) - CHUNK_SAMPLES - vad.frame_samples < vad.heard <= len(clip)
        return found

    assert heard(0.3) == []
    assert len(heard(0.4)) == 1


def test_silero_lets_a_spoken_wake_word_through(
    words: dict[str, WakeWord], features: Path, model_store: ModelStore, clip: Samples
) -> None:
    vad = SileroVad(model_store.file("silero-vad", "silero_vad.onnx"))
    detector = OpenWakeWord(
        only(words, "hey_jarvis"), features=features, refractory_s=2, gate=vad, gate_probability=0.5
    )
    assert len(detections(detector, clip)) == 1


# ── configuration and errors ──────────────────────────────────────────────────────────────────────────────────────


def test_the_app_makes_one_for_each_stream_as_configured(model_store: ModelStore, clip: Samples) -> None:
    from assistant.app_speech import wake_word_maker

    wake = WakeSettings(
        words={"alexa": WakeWordSettings(), "hey_jarvis": WakeWordSettings(threshold=0.999)}, vad_gate=0.5
    )
    make = wake_word_maker(wake, model_store)
    first, second = make(), make()
    assert first is not second
    assert set(first.scores) >= {"alexa", "hey_jarvis"}
    assert detections(first, clip) == []  # 0.97 is its best


def test_folders_without_the_feature_models_say_what_lacks(words: dict[str, WakeWord], tmp_path: Path) -> None:
    with pytest.raises(WakeWordError) as failed:
        OpenWakeWord(words, features=tmp_path, refractory_s=2)
    assert failed.value.code == "wake_model_missing"
    assert "melspectrogram.onnx" in failed.value.detail
    (tmp_path / "melspectrogram.onnx").write_bytes(b"")
    (tmp_path / "embedding_model.onnx").write_bytes(b"no model")
    with pytest.raises(WakeWordError) as failed:
        OpenWakeWord(words, features=tmp_path, refractory_s=2)
    assert failed.value.code == "wake_model_unusable"


def test_sequences_are_not_kept_for_ever(words: dict[str, WakeWord], features: Path) -> None:
    """A microphone is on for months: what a detector keeps does not grow."""
    detector = OpenWakeWord(only(words, "hey_jarvis"), features=features, refractory_s=2)

    def size() -> Sequence[int]:
        kept = detector._features
        layers = kept._embedding._kept if isinstance(kept._embedding, StreamedEmbedding) else []
        sizes = kept._audio.size, kept._history.size, detector._rest.size
        return [*sizes, *(layer.base.size if layer.base is not None else layer.size for layer in layers)]

    before = size()
    detections(detector, silence(10))
    assert size() == before

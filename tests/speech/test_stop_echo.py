"""What the loudspeaker is going to say, asked of the detector before the microphone hears it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import WakeWordError
from assistant.models import ModelStore
from assistant.own_voice import sounds_like_stop
from assistant.ports import SAMPLE_RATE_HZ, Samples, SpeechChunk
from assistant.resources import resource
from assistant.speech.stop_echo import StopEcho
from assistant.speech.stop_word import StopWord
from assistant.speech.wake_features import SpeechFeatures
from tests.speech.said import said
from tests.speech.stop_sentences import replies

pytestmark = pytest.mark.real_models


@pytest.fixture(scope="module")
def echo(model_store: ModelStore) -> StopEcho:
    return StopEcho(StopWord(resource("prompts", "stop_word.npz")), model_store.folder("hey-jarvis"))


def pieces(audio: Samples, seconds: float) -> list[SpeechChunk]:
    size = int(seconds * SAMPLE_RATE_HZ)
    return [SpeechChunk(audio[at : at + size].tobytes(), SAMPLE_RATE_HZ) for at in range(0, len(audio), size)]


@pytest.mark.parametrize("text", ["There is nothing to stop.", "Gitea stops every night at three."])
def test_a_sentence_with_the_word_in_it_is_doubtful(echo: StopEcho, models_dir: Path, text: str) -> None:
    assert echo.doubtful(said(models_dir, text))


def test_what_was_asked_before_does_not_matter(echo: StopEcho, models_dir: Path) -> None:
    assert echo.doubtful(said(models_dir, "I cannot stop that."))
    assert not echo.doubtful(said(models_dir, "All services are up."))


def test_during_most_replies_it_can_be_stopped(echo: StopEcho, models_dir: Path) -> None:
    """Those that taught nothing and have no word like it."""
    texts = [text for text in replies(held_out=True) if not sounds_like_stop(text)][::6]
    doubtful = [text for text in texts if echo.doubtful(said(models_dir, text))]
    assert len(doubtful) <= 0.25 * len(texts), doubtful


@pytest.mark.parametrize("seconds", [0.3, 0.7, 5.0])
def test_in_pieces_the_one_that_the_word_ends_in_is_doubtful(echo: StopEcho, models_dir: Path, seconds: float) -> None:
    text = said(models_dir, "All is well.")
    stop = np.concatenate([text, said(models_dir, "There is nothing to stop.")])
    doubtful = [found for sentence in [echo.sentence()] for found in map(sentence, pieces(stop, seconds))]
    assert any(doubtful)
    assert not any(doubtful[: int(len(text) / SAMPLE_RATE_HZ / seconds)])


def test_nothing_is_not_doubtful(echo: StopEcho) -> None:
    assert not echo.doubtful(np.zeros(0, dtype=np.int16))


def test_a_model_that_breaks_down_is_said_so_and_tried_again(
    echo: StopEcho, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(SpeechFeatures, "feed", broken)
        with pytest.raises(WakeWordError, match="RuntimeError"):
            echo.doubtful(np.zeros(1_280, dtype=np.int16))
    assert echo.doubtful(said(models_dir, "I cannot stop that."))

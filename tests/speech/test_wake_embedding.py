"""The wake words' network, cut into stages, gives what the whole gives; what is another network is run whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import WakeWordError
from assistant.speech.wake_embedding import (
    FRAMES_PER_CHUNK,
    MEL_BANDS,
    MEL_FRAMES,
    StreamedEmbedding,
    WholeEmbedding,
    load_embedding,
    stages,
)
from tests.speech.tiny_voice import tiny_model


@pytest.mark.real_models
def test_the_stages_give_what_the_whole_network_gives(models_dir: Path) -> None:
    file = models_dir / "hey-jarvis" / "embedding_model.onnx"
    streamed, whole = StreamedEmbedding(file), WholeEmbedding(file)
    random = np.random.default_rng(4)
    largest = 0.0
    for _ in range(3 * MEL_FRAMES // FRAMES_PER_CHUNK):
        frames = random.normal(0, 2, (FRAMES_PER_CHUNK, MEL_BANDS)).astype(np.float32)
        ours, theirs = streamed.feed(frames), whole.feed(frames)
        assert ours == pytest.approx(theirs, abs=1e-4)
        largest = max(largest, float(np.abs(theirs).max()))
    assert largest > 10


@pytest.mark.real_models
def test_the_network_that_is_shipped_is_streamed(models_dir: Path) -> None:
    file = models_dir / "hey-jarvis" / "embedding_model.onnx"
    assert isinstance(load_embedding(file), StreamedEmbedding)
    weights = sum(len(part) for _, part in stages(file.read_bytes()))
    assert weights < 1.1 * file.stat().st_size  # each stage holds only its own


def test_another_network_is_run_whole(tmp_path: Path) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(tiny_model())
    with pytest.raises(ValueError, match="pools"):
        stages(file.read_bytes())
    assert isinstance(load_embedding(file), WholeEmbedding)


def test_what_is_no_network_is_told(tmp_path: Path) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(b"no model")
    with pytest.raises(WakeWordError) as caught:
        load_embedding(file)
    assert caught.value.code == "wake_model_unusable"

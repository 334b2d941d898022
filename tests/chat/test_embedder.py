"""The sentence embedder: with its real model, and what it says when its files are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.chat.embedder import BATCH, SIZE, MiniLmEmbedder
from assistant.errors import ModelFilesError

TEXTS = ("is jellyfin up", "is the media server running", "back up the photos", "tell me a joke", "")


@pytest.fixture(scope="module")
def embedder(models_dir: Path) -> MiniLmEmbedder:
    return MiniLmEmbedder(models_dir / "minilm-l6-v2")


@pytest.mark.real_models
def test_vectors_have_length_one(embedder: MiniLmEmbedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), SIZE)
    assert vectors.dtype == np.dtype(np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@pytest.mark.real_models
@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("is the app up", "is the app running", "make a backup of the data"),
        ("turn off the lights", "switch the lamps off", "what is the capital of france"),
        ("make a backup of the photos", "save a copy of the pictures", "open the garage door"),
        ("remind me to call mum", "set a reminder to phone my mother", "is there a power cut"),
    ],
)
def test_what_means_the_same_is_nearer(embedder: MiniLmEmbedder, text: str, near: str, far: str) -> None:
    one, same, other = embedder.embed([text, near, far])
    assert one @ same > one @ other + 0.1


@pytest.mark.real_models
def test_a_text_has_the_same_vector_alone_and_among_others(embedder: MiniLmEmbedder) -> None:
    """But for the rounding of int8 over a batch."""
    many = [f"{text} {'please ' * (n % 7)}".strip() for n in range(BATCH + 5) for text in TEXTS[:2]]
    together = embedder.embed(many)
    for place in (0, 1, BATCH, len(many) - 1):
        assert embedder.embed([many[place]])[0] @ together[place] > 0.98


@pytest.mark.real_models
def test_the_same_batch_has_the_same_vectors_every_time(embedder: MiniLmEmbedder) -> None:
    assert np.array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))


@pytest.mark.real_models
def test_very_long_texts_and_no_texts_are_taken(embedder: MiniLmEmbedder) -> None:
    assert embedder.embed([]).shape == (0, SIZE)
    long = embedder.embed(["turn off the lights " * 5_000, "turn off the lights"])
    assert np.isfinite(long).all()


def test_it_is_called_by_its_folder_and_loads_nothing_before_it_is_asked(tmp_path: Path) -> None:
    assert MiniLmEmbedder(tmp_path / "some-model").name == "some-model"


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_files_that_are_no_model_are_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        for name in ("model.onnx", "tokenizer.json"):
            (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFilesError) as caught:
        MiniLmEmbedder(tmp_path).embed(["hello"])
    assert caught.value.code == "model_files_damaged"
    assert str(tmp_path) in caught.value.detail

"""The router: probabilities with an embedder or without, and the weights that it has them from."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.chat.embedder import MiniLmEmbedder
from assistant.narrowing.router import ANSWER, Router, Weights, examples, examples_key, weights
from assistant.ports import ToolDescription
from assistant.sentences.vocabulary import TOOLS

NOTES = ToolDescription("notes__search", "Searches the notes for words.", {"type": "object"})


@dataclass
class WordEmbedder:
    """A vector of random numbers for every text, always the same one; counts how many it made."""

    name: str = "words"
    made: int = 0
    asked: list[Sequence[str]] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.made += len(texts)
        self.asked.append(texts)
        rows = [np.random.default_rng(_seed(text)).standard_normal(8) for text in texts]
        vectors: NDArray[np.float32] = np.array(rows, np.float32).reshape(len(texts), 8)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def test_every_tool_and_small_talk_have_examples() -> None:
    assert set(examples()) == {*TOOLS, ANSWER}
    assert all(len(lines) >= 3 for lines in examples().values())


def test_examples_name_things_by_their_kind_alone() -> None:
    for lines in examples().values():
        for line in lines:
            assert line == line.lower()
            assert " the the " not in f" {line} "


def test_the_weights_are_fitted_to_the_examples_of_today() -> None:
    assert weights().fitted_to == examples_key(), "the examples have changed: run `make examples`"
    assert set(weights().tools) == {*TOOLS, ANSWER}


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_probabilities_are_probabilities_whatever_is_said(texts: list[str]) -> None:
    scores = Router(None).scores(texts)
    assert set(scores) == {*TOOLS, ANSWER}
    assert all(0.0 <= score <= 1.0 for score in scores.values())
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-4)


def test_by_the_words_alone_most_examples_find_their_tool() -> None:
    router = Router(None)
    lines = [(tool, line) for tool, known in examples().items() for line in known[::5]]
    right = sum(max(s, key=lambda name: s[name]) == tool for tool, line in lines for s in [router.scores([line])])
    assert right >= 0.9 * len(lines)


def test_a_look_at_the_words_alone_embeds_nothing() -> None:
    embedder = WordEmbedder()
    fitted = dataclasses.replace(weights(), full=np.zeros((8 + len(weights().words), 17), np.float32))
    router = Router(embedder, fitted=fitted)
    by_words = router.scores(["is the app up"], by_words=True)
    assert embedder.made == 0
    assert by_words == Router(None).scores(["is the app up"])
    router.scores(["is the app up"])
    assert embedder.made == 1


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
def test_tools_of_other_servers_are_likened_by_their_description(embedder: WordEmbedder | None) -> None:
    router = Router(embedder)
    assert router.likeness(NOTES.description, [NOTES])[NOTES.name] == pytest.approx(1.0, abs=1e-5)
    assert router.likeness("is the app up", [NOTES])[NOTES.name] < 1.0
    assert router.likeness("is the app up", []) == {}


def test_descriptions_are_embedded_once() -> None:
    embedder = WordEmbedder()
    router = Router(embedder)
    for words in ("search my notes", "and again"):
        router.likeness(words, [NOTES])
    assert embedder.made == 3


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    weights().save(tmp_path / "w.npz")
    loaded = Weights.load(tmp_path / "w.npz")
    assert (loaded.tools, loaded.fitted_to) == (weights().tools, weights().fitted_to)
    assert Router(None, fitted=loaded).scores(["is the app up"]) == Router(None).scores(["is the app up"])


@pytest.mark.parametrize("content", [b"", b"half a file"])
def test_a_damaged_file_is_no_weights(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises((OSError, ValueError, EOFError)):
        Weights.load(tmp_path / "w.npz")


@pytest.mark.real_models
@pytest.mark.parametrize(
    ("words", "tool"),
    [
        ("is the app having a good day", "check_services"),
        ("would you kindly give the app a restart", "service_power"),
        ("save a fresh copy of the data", "run_backup"),
        ("what went wrong with the app", "service_logs"),
        ("boot the virtual machine", "vm_power"),
        ("what timers are there", "list_tasks"),
        ("tell me a funny story", ANSWER),
    ],
)
def test_with_the_real_model_other_words_find_the_tool(models_dir: Path, words: str, tool: str) -> None:
    scores = Router(MiniLmEmbedder(models_dir / "minilm-l6-v2")).scores([words])
    assert tool in sorted(scores, key=lambda name: -scores[name])[:2]

"""The router: nearest examples, with an embedder or without, and the vectors that it keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.chat.embedder import MiniLmEmbedder
from assistant.narrowing.router import ANSWER, Router, examples
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


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
def test_an_example_is_nearest_to_itself(embedder: WordEmbedder | None) -> None:
    router = Router(embedder)
    for tool, lines in examples().items():
        (scores,) = router.scores([lines[0]])
        assert scores[tool] == pytest.approx(1.0, abs=1e-5)
        assert set(scores) == {*TOOLS, ANSWER}


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
def test_tools_of_other_servers_stand_beside_them_by_their_description(embedder: WordEmbedder | None) -> None:
    router = Router(embedder)
    first, second = router.scores([NOTES.description, "is the app up"], [NOTES])
    assert first[NOTES.name] == pytest.approx(1.0, abs=1e-5)
    assert second[NOTES.name] < 1.0
    assert NOTES.name not in router.scores(["is the app up"])[0]


def test_examples_are_embedded_once_and_kept(tmp_path: Path) -> None:
    first = WordEmbedder()
    router = Router(first, cache_dir=tmp_path)
    scores = router.scores(["is the app up"])
    made = first.made
    router.scores(["is the app up"])
    assert first.made == made + 1
    second = WordEmbedder()
    assert Router(second, cache_dir=tmp_path).scores(["is the app up"]) == scores
    assert second.made == 1


def test_vectors_of_another_model_are_not_used(tmp_path: Path) -> None:
    Router(WordEmbedder(), cache_dir=tmp_path).scores(["x"])
    other = WordEmbedder(name="another")
    Router(other, cache_dir=tmp_path).scores(["x"])
    assert other.made > 1
    assert len(list(tmp_path.iterdir())) == 1  # the old ones are gone


@pytest.mark.parametrize("content", [b"", b"half a file", None])
def test_kept_vectors_that_are_damaged_are_made_anew(tmp_path: Path, content: bytes | None) -> None:
    whole = Router(WordEmbedder(), cache_dir=tmp_path).scores(["x"])
    (file,) = tmp_path.iterdir()
    if content is None:
        np.save(file, np.full((3, 8), np.nan, np.float32))
    else:
        file.write_bytes(content)
    embedder = WordEmbedder()
    assert Router(embedder, cache_dir=tmp_path).scores(["x"]) == whole
    assert embedder.made > 1


def test_where_nothing_can_be_kept_it_works_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("in the way")
    assert Router(WordEmbedder(), cache_dir=file / "cache").scores(["is the app up"])


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
    (scores,) = Router(MiniLmEmbedder(models_dir / "minilm-l6-v2")).scores([words])
    assert tool in sorted(scores, key=lambda name: -scores[name])[:3]

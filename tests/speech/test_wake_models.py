"""Which file a wake word means, and files that are none."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from assistant.config import WakeWordSettings
from assistant.errors import ModelFilesError, WakeWordError
from assistant.models import ModelStore
from assistant.speech.wake_models import (
    TFLITE_RUNTIMES,
    WakeWord,
    features_folder,
    find_model,
    find_wake_words,
    load_scorer,
)


@pytest.fixture
def cache(tmp_path: Path) -> ModelStore:
    """A model cache with files that have the right size and nothing in them."""
    store = ModelStore(tmp_path)
    for name in ("hey-jarvis", "alexa", "hey-mycroft"):
        (tmp_path / name).mkdir()
        for file in store.manifest.entry(name).files:
            with (tmp_path / name / file.name).open("wb") as opened:
                opened.truncate(file.size)
    return store


def own(cache: ModelStore, *names: str) -> None:
    for name in names:
        (cache.models_dir / "hey-jarvis" / name).touch()


@pytest.mark.parametrize("word", ["hey_jarvis", "hey_mycroft", "alexa"])
def test_a_name_of_the_manifest_means_its_model(cache: ModelStore, word: str) -> None:
    assert find_model(word, cache) == cache.models_dir / word.replace("_", "-") / f"{word}_v0.1.onnx"


def test_a_model_that_was_not_pulled_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError) as failed:
        find_model("alexa", ModelStore(tmp_path))
    assert "jarvis models pull alexa" in failed.value.mend


@pytest.mark.parametrize(
    "files, chosen",
    [
        (("computer.onnx",), "computer.onnx"),
        (("computer_v2.tflite",), "computer_v2.tflite"),
        (("computer_v1.onnx", "computer_v2.onnx", "computer_game.onnx"), "computer_v2.onnx"),
        (("computer.onnx", "computers.onnx", "computer.txt"), "computer.onnx"),
    ],
)
def test_an_own_word_is_found_beside_the_feature_models(cache: ModelStore, files: tuple[str, ...], chosen: str) -> None:
    own(cache, *files)
    assert find_model("computer", cache).name == chosen


def test_a_word_of_which_there_is_only_the_beginning_of_another_is_not_found(cache: ModelStore) -> None:
    with pytest.raises(ModelFilesError) as failed:
        find_model("hey", cache)
    assert failed.value.code == "wake_model_missing"
    assert "[wake.words.hey]" in failed.value.mend


def test_a_path_comes_before_the_cache_and_needs_nothing_there(tmp_path: Path) -> None:
    chosen = WakeWordSettings(model=Path("/srv/models/computer.onnx"), threshold=0.6, patience=2)
    found = find_wake_words({"computer": chosen}, ModelStore(tmp_path))
    assert found == {"computer": WakeWord(Path("/srv/models/computer.onnx"), 0.6, 2)}


def test_the_feature_models_do_not_need_the_wake_word_beside_them(cache: ModelStore) -> None:
    (cache.models_dir / "hey-jarvis" / "hey_jarvis_v0.1.onnx").unlink()
    assert features_folder(cache) == cache.models_dir / "hey-jarvis"
    (cache.models_dir / "hey-jarvis" / "embedding_model.onnx").unlink()
    with pytest.raises(ModelFilesError, match="embedding_model"):
        features_folder(cache)


# ── files that are none ───────────────────────────────────────────────────────────────────────────────────────────


def refused(path: Path) -> WakeWordError:
    with pytest.raises(WakeWordError) as failed:
        load_scorer(path)
    assert str(path) in failed.value.detail
    assert failed.value.mend
    return failed.value


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "computer.onnx").code == "wake_model_missing"


@pytest.mark.parametrize("name", ["computer.onnx", "computer.bin", "computer"])
def test_a_file_that_is_no_model(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no model")
    assert refused(tmp_path / name).code == "wake_model_unusable"


@pytest.mark.real_models
def test_a_model_of_something_else_says_what_it_wants(models_dir: Path) -> None:
    error = refused(models_dir / "hey-jarvis" / "embedding_model.onnx")
    assert error.code == "wake_model_unusable"
    assert "76, 32, 1" in error.detail
    assert refused(models_dir / "silero-vad" / "silero_vad.onnx").code == "wake_model_unusable"


# ── tflite ────────────────────────────────────────────────────────────────────────────────────────────────────────


def without_tflite(monkeypatch: pytest.MonkeyPatch) -> None:
    for runtime in TFLITE_RUNTIMES:
        monkeypatch.setitem(sys.modules, runtime, None)


class Interpreter:
    """As the runtimes have it: a model that says how loud its newest embedding is."""

    def __init__(self, *, model_path: str, num_threads: int) -> None:
        if Path(model_path).read_bytes() != b"a tflite model":
            raise ValueError("Model provided has model identifier 'abcd', should be 'TFL3'")
        assert num_threads == 1
        self.tensors: dict[int, Any] = {}

    def allocate_tensors(self) -> None:
        self.tensors = {3: np.zeros((1, 16, 96), dtype=np.float32), 7: np.zeros((1, 1), dtype=np.float32)}

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 3, "shape": np.array([1, 16, 96], dtype=np.int32)}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 7, "shape": np.array([1, 1], dtype=np.int32)}]

    def set_tensor(self, index: int, value: Any) -> None:
        assert value.shape == self.tensors[index].shape
        self.tensors[index] = value

    def invoke(self) -> None:
        self.tensors[7] = self.tensors[3][:, -1, :1]

    def get_tensor(self, index: int) -> Any:
        return self.tensors[index]


def test_tflite_without_a_runtime_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_tflite(monkeypatch)
    (tmp_path / "computer.tflite").write_bytes(b"a tflite model")
    error = refused(tmp_path / "computer.tflite")
    assert error.code == "no_tflite"
    assert "pip install ai-edge-litert" in error.mend
    assert ".onnx" in error.mend


@pytest.mark.parametrize("runtime", TFLITE_RUNTIMES)
def test_tflite_by_any_runtime_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    without_tflite(monkeypatch)
    there = ModuleType(runtime)
    there.Interpreter = Interpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, runtime, there)
    assert importlib.import_module(runtime) is there
    (tmp_path / "computer.tflite").write_bytes(b"a tflite model")
    scorer = load_scorer(tmp_path / "computer.tflite")
    assert scorer.window == 16
    assert scorer.score(np.full((16, 96), 0.25, dtype=np.float32)) == 0.25
    (tmp_path / "broken.tflite").write_bytes(b"abcd")
    assert refused(tmp_path / "broken.tflite").code == "wake_model_unusable"

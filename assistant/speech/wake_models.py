"""Wake word models: which file a name means, and the file as something that gives scores."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.config import WakeWordSettings
from assistant.errors import ModelFilesError, WakeWordError
from assistant.models import ModelStore
from assistant.speech.onnx_session import one_thread_session
from assistant.speech.wake_features import EMBEDDING_SIZE, FEATURE_FILES

FEATURES_MODEL = "hey-jarvis"
"""Model of the manifest whose folder has the feature models; own wake words may be put there too."""

SUFFIXES = (".onnx", ".tflite")

MAX_WINDOW = 120
"""Embeddings that a model may ask for, 9.6 s: openWakeWord keeps as many."""

TFLITE_RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")
"""Modules with an ``Interpreter``, the smallest that is still maintained first."""


@dataclass(frozen=True, slots=True)
class WakeWord:
    """``threshold``: score from which it counts; ``patience``: chunks of 80 ms in a row that have to reach it."""

    model: Path
    threshold: float = 0.5
    patience: int = 1


class Scorer(Protocol):
    """A loaded wake word model. ``window``: embeddings that it looks at."""

    window: int

    def score(self, embeddings: NDArray[np.float32]) -> float:
        """0–1 for embeddings of shape (window, 96)."""
        ...


def find_wake_words(words: Mapping[str, WakeWordSettings], models: ModelStore) -> dict[str, WakeWord]:
    """The configured wake words with their files. Raises ModelFilesError naming the word and the mend."""
    return {
        name: WakeWord(chosen.model or find_model(name, models), chosen.threshold, chosen.patience)
        for name, chosen in words.items()
    }


def find_model(name: str, models: ModelStore) -> Path:
    """The file of a wake word that is only named: a model of the manifest (``hey_mycroft`` is ``hey-mycroft``), else
    ``<name>.onnx``, ``<name>_v2.tflite`` … in the folder of the feature models. Raises ModelFilesError."""
    entry = next((entry for entry in models.entries if entry.name == name.replace("_", "-")), None)
    if entry is not None:
        return next(models.file(entry.name, file.name) for file in entry.files if file.name.startswith(name))
    folder = models.models_dir / FEATURES_MODEL
    own = re.compile(rf"{re.escape(name)}([_-]v\d.*)?({'|'.join(map(re.escape, SUFFIXES))})")
    found = sorted(path for path in folder.glob(f"{name}*") if own.fullmatch(path.name))
    if not found:
        raise ModelFilesError(
            "wake_model_missing",
            f"There is no model for the wake word {name!r}: {folder} has no {name}.onnx and no {name}.tflite.",
            mend=f"Name its file as `model` in [wake.words.{name}] of jarvis.toml, or put it there.",
        )
    return found[-1]


def features_folder(models: ModelStore) -> Path:
    """Where the two feature models are; the wake word beside them is not needed. Raises ModelFilesError."""
    for name in FEATURE_FILES:
        models.file(FEATURES_MODEL, name)
    return models.models_dir / FEATURES_MODEL


def load_scorer(path: Path) -> Scorer:
    """Raises WakeWordError: wake_model_missing, wake_model_unusable, no_tflite."""
    if not path.is_file():
        raise WakeWordError(
            "wake_model_missing", f"There is no wake word model {path}.", mend="Run `jarvis models pull`."
        )
    if path.suffix not in SUFFIXES:
        mend = "openWakeWord models end in .onnx or .tflite."
        raise WakeWordError("wake_model_unusable", f"{path} is no wake word model.", mend=mend)
    return _TfliteScorer(path) if path.suffix == ".tflite" else _OnnxScorer(path)


class _OnnxScorer:
    def __init__(self, path: Path) -> None:
        self._session = one_thread_session(path, WakeWordError, "wake_model_unusable")
        inputs = self._session.get_inputs()
        self.window = _window(path, inputs[0].shape if len(inputs) == 1 else ())
        self._input = inputs[0].name

    def score(self, embeddings: NDArray[np.float32]) -> float:
        return _one_score(self._session.run(None, {self._input: embeddings[np.newaxis]})[0])


class _TfliteScorer:
    def __init__(self, path: Path) -> None:
        interpreter = _tflite_interpreter(path)
        try:
            self._model = interpreter(model_path=str(path), num_threads=1)
            self._model.allocate_tensors()
            self._input, self._output = self._model.get_input_details()[0], self._model.get_output_details()[0]
        except (ValueError, RuntimeError) as error:
            raise WakeWordError(
                "wake_model_unusable", f"{path} cannot be loaded: {error}.", mend="Fetch or copy the file again."
            ) from error
        self.window = _window(path, self._input["shape"].tolist())

    def score(self, embeddings: NDArray[np.float32]) -> float:
        self._model.set_tensor(self._input["index"], embeddings[np.newaxis])
        self._model.invoke()
        return _one_score(self._model.get_tensor(self._output["index"]))


def _tflite_interpreter(path: Path) -> Any:
    for module in TFLITE_RUNTIMES:
        try:
            return importlib.import_module(module).Interpreter
        except ImportError:
            continue
    raise WakeWordError(
        "no_tflite",
        f"{path} needs a TensorFlow Lite runtime, and none is installed.",
        mend="Install one into the environment of Jarvis (`pip install ai-edge-litert`), or use the .onnx file of the "
        "same wake word.",
    )


def _window(path: Path, shape: Any) -> int:
    """Embeddings that the model's input (1, n, 96) asks for. Raises WakeWordError."""
    match list(shape):
        case [_, int(count), int(size)] if 1 <= count <= MAX_WINDOW and size == EMBEDDING_SIZE:
            return count
    raise WakeWordError(
        "wake_model_unusable",
        f"{path} is no openWakeWord model: its input is {list(shape)}, not [1, n, {EMBEDDING_SIZE}].",
        mend="Name another file.",
    )


def _one_score(output: NDArray[np.float32]) -> float:
    """A model with several outputs (“set a 5 minute timer”) keeps the first for “none of them”."""
    values = output.reshape(-1)
    best = float(values[0] if len(values) == 1 else values[1:].max())
    return min(max(best, 0.0), 1.0)

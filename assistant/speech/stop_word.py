"""The word "stop", heard while the assistant speaks: a small network on the embeddings that the wake words use anyway.

Its weights are made by ``python -m tests.speech.make_stop_word`` and stand in ``prompts/stop_word.npz``.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WakeWordError
from assistant.speech.wake_features import EMBEDDING_SIZE

NAME = "stop"
"""The word of its detections."""


class StopWord:
    """Implements Scorer. Several networks of one hidden layer each (standardized embeddings → ReLU → sigmoid), whose
    mean counts. ``threshold`` and ``patience`` were chosen with the weights."""

    def __init__(self, path: Path) -> None:
        """``path``: npz with ``mean`` and ``scale`` (96), ``hidden`` (networks, window·96, units), ``hidden_bias``
        (networks, units), ``out`` (networks, units), ``out_bias`` (networks), ``threshold``, ``patience``.

        Raises WakeWordError wake_model_unusable.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = {name: np.asarray(file[name], dtype=np.float32) for name in file.files}
            self._mean, self._scale = weights["mean"], weights["scale"]
            self._hidden, self._hidden_bias = weights["hidden"], weights["hidden_bias"]
            self._out, self._out_bias = weights["out"], weights["out_bias"]
            self.threshold, self.patience = float(weights["threshold"]), int(weights["patience"])
            self.window = self._hidden.shape[1] // EMBEDDING_SIZE
            self.score(np.zeros((self.window, EMBEDDING_SIZE), dtype=np.float32))
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, BadZipFile) as error:
            raise WakeWordError(
                "wake_model_unusable", f"{path} cannot be loaded: {error}.", mend="Reinstall Jarvis."
            ) from error

    def score(self, embeddings: NDArray[np.float32]) -> float:
        """0–1 for embeddings of shape (window, 96); some 30 µs."""
        heard = ((embeddings - self._mean) / self._scale).reshape(-1)
        hidden = np.maximum(np.matmul(heard, self._hidden) + self._hidden_bias, 0)
        logits = (hidden * self._out).sum(axis=1) + self._out_bias
        return float((1 / (1 + np.exp(-np.clip(logits, -30, 30)))).mean())

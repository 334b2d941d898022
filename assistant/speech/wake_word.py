"""Wake word by openWakeWord on ONNX, fed without pause."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from assistant.errors import WakeWordError
from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection, Samples

FEATURES = ("melspectrogram.onnx", "embedding_model.onnx")


class OpenWakeWord:
    """Implements WakeWordDetector.

    The model is never ``reset()``: that fills its feature buffer with noise. A refractory period after a detection
    keeps one utterance of the wake word from counting twice.
    """

    def __init__(self, folder: Path, word: str, *, threshold: float, refractory_s: float) -> None:
        """``folder`` holds ``<word>*.onnx`` and the two feature models. Raises WakeWordError."""
        model = next(iter(sorted(folder.glob(f"{word}*.onnx"))), None)
        missing = [name for name in FEATURES if not (folder / name).is_file()]
        if model is None or missing:
            lacks = ", ".join([*([f"{word}*.onnx"] if model is None else []), *missing])
            raise WakeWordError("wake_model_missing", f"{folder} lacks {lacks}.", mend="Run `jarvis models pull`.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from openwakeword.model import Model  # takes a second: only where ears are wanted

                self._model = Model(
                    wakeword_models=[str(model)],
                    melspec_model_path=str(folder / FEATURES[0]),
                    embedding_model_path=str(folder / FEATURES[1]),
                    inference_framework="onnx",
                )
        except Exception as error:  # onnxruntime and openwakeword raise what they like on a damaged file
            raise WakeWordError("wake_model_unusable", f"{model} cannot be loaded: {error}.") from error
        self._word = word
        self._threshold = threshold
        self._refractory = int(refractory_s * SAMPLE_RATE_HZ)
        self._deaf_for = 0

    def process(self, chunk: Samples) -> Detection | None:
        """Feed 80 ms; a shorter last chunk is filled up with silence."""
        if len(chunk) < CHUNK_SAMPLES:
            chunk = np.concatenate([chunk, np.zeros(CHUNK_SAMPLES - len(chunk), dtype=np.int16)])
        score = float(max(self._model.predict(chunk).values()))
        self._deaf_for = max(self._deaf_for - CHUNK_SAMPLES, 0)
        if score < self._threshold or self._deaf_for:
            return None
        self._deaf_for = self._refractory
        return Detection(word=self._word, score=min(score, 1.0))

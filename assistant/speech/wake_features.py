"""What openWakeWord hears of the audio: one embedding of 96 numbers for every 80 ms, made once for all wake words.

The two feature models are Google's speech_embedding, as openWakeWord ships them: a melspectrogram (windows of 25 ms
every 10 ms, 32 bands, dB) and a network that turns 76 of its frames (775 ms) into an embedding
(:mod:`assistant.speech.wake_embedding`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WakeWordError
from assistant.ports import CHUNK_SAMPLES, Samples
from assistant.speech.onnx_session import one_thread_session
from assistant.speech.wake_embedding import FRAMES_PER_CHUNK, MEL_FRAMES, load_embedding

MELSPECTROGRAM, EMBEDDING = FEATURE_FILES = ("melspectrogram.onnx", "embedding_model.onnx")

EMBEDDING_SIZE = 96
OVERLAP_SAMPLES = 480
"""Audio from before the chunk that its first windows need: three steps of 10 ms, as in openWakeWord."""

SILENT_CHUNKS = MEL_FRAMES // FRAMES_PER_CHUNK + 1
"""Silence after which every frame that an embedding sees is silence."""


class SpeechFeatures:
    """A stream of audio as embeddings. One per stream; a fresh one has heard silence, so the same audio always gives
    the same numbers (openWakeWord's own buffer starts with noise that differs from run to run)."""

    def __init__(self, folder: Path, *, history: int) -> None:
        """``folder`` holds the two feature models; ``history``: embeddings that are kept. Raises WakeWordError."""
        missing = [name for name in FEATURE_FILES if not (folder / name).is_file()]
        if missing:
            raise WakeWordError(
                "wake_model_missing",
                f"{folder} lacks {' and '.join(missing)}.",
                mend="Run `jarvis models pull hey-jarvis`.",
            )
        self._melspectrogram = one_thread_session(folder / MELSPECTROGRAM, WakeWordError, "wake_model_unusable")
        self._embedding = load_embedding(folder / EMBEDDING)
        self._audio = np.zeros(OVERLAP_SAMPLES, dtype=np.float32)
        self._history = np.zeros((history, EMBEDDING_SIZE), dtype=np.float32)
        for _ in range(SILENT_CHUNKS):
            self.feed(np.zeros(CHUNK_SAMPLES, dtype=np.int16))
        self._history[:] = self._history[-1]

    def feed(self, chunk: Samples) -> None:
        """Hear exactly CHUNK_SAMPLES."""
        audio = np.concatenate([self._audio, chunk.astype(np.float32)])
        self._audio = audio[-OVERLAP_SAMPLES:]
        decibels = self._melspectrogram.run(None, {"input": audio[np.newaxis]})[0].reshape(-1, 32)
        scaled = decibels / 10 + 2  # makes the ONNX model's output that of Google's own (openWakeWord)
        self._history = np.concatenate([self._history[1:], self._embedding.feed(scaled)])

    def recent(self, count: int) -> NDArray[np.float32]:
        """The newest ``count`` embeddings, oldest first, shape (count, 96)."""
        return self._history[-count:]

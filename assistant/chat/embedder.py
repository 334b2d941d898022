"""Sentence embeddings: all-MiniLM-L6-v2, int8, by ONNX runtime. Loaded at first use; 2 to 3 ms a sentence."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelFilesError

MAX_TOKENS = 64
"""Of an utterance that are looked at; requests are shorter."""

SIZE = 384
"""Numbers of a vector."""

BATCH = 32
"""Texts at once: each is filled up to the longest of its batch."""


class MiniLmEmbedder:
    """Implements :class:`assistant.ports.Embedder` over ``folder`` with ``model.onnx`` and ``tokenizer.json``."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    @property
    def name(self) -> str:
        """Of the model: its folder's."""
        return self._folder.name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), 384). Blocking. Raises ModelFilesError."""
        by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        vectors = np.zeros((len(texts), SIZE), np.float32)
        for start in range(0, len(texts), BATCH):
            places = by_length[start : start + BATCH]
            vectors[places] = self._embed([texts[place] for place in places])
        return vectors

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        with self._lock:
            if self._session is None:
                self._load()
            encoded = self._tokenizer.encode_batch(texts)
            ids = np.array([e.ids for e in encoded], dtype=np.int64)
            mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            wanted = {i.name for i in self._session.get_inputs()}
            [hidden, *_] = self._session.run(None, {k: v for k, v in given.items() if k in wanted})
        weights = mask[..., None].astype(np.float32)  # mean pooling over the words, as the model was trained
        pooled = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
        vectors: NDArray[np.float32] = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9)
        return vectors.astype(np.float32)

    def _load(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model, tokenizer = self._folder / "model.onnx", self._folder / "tokenizer.json"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
            self._session = onnxruntime.InferenceSession(
                str(model), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the edge to two native libraries, which name none of what they raise
            raise ModelFilesError(
                "model_files_damaged", f"The sentence embedder in {self._folder} cannot be loaded: {error}."
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

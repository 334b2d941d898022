"""The small networks behind "stop": trained with Adam on numpy, the same weights from the same seed and data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.speech.wake_features import EMBEDDING_SIZE

Floats = NDArray[np.float32]

WINDOW = 10
"""Embeddings a network sees: 0.775 s of sound for the newest, and 0.72 s more before it."""

UNITS = 48
NETWORKS = 3
EPOCHS = 30
BATCH = 256
RATE = 1e-3
DECAY = 0.01
DROPOUT = 0.3
NOISE = 0.1
"""Added to the standardized embeddings: rooms and throats that were not there to learn from."""


@dataclass(frozen=True, slots=True)
class Weights:
    """As ``assistant.speech.stop_word`` reads them."""

    mean: Floats
    scale: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def scores(self, windows: Floats) -> Floats:
        """0–1 for windows of shape (n, WINDOW, 96)."""
        heard = ((windows - self.mean) / self.scale).reshape(len(windows), -1)
        logits = [
            np.maximum(heard @ self.hidden[index] + self.hidden_bias[index], 0) @ self.out[index] + self.out_bias[index]
            for index in range(len(self.out))
        ]
        each = np.stack([1 / (1 + np.exp(-np.clip(logit, -30, 30))) for logit in logits])
        return np.asarray(each.mean(axis=0), dtype=np.float32)

    @classmethod
    def load(cls, path: Path) -> tuple[Weights, float]:
        """What ``save`` wrote, and its threshold."""
        with np.load(path, allow_pickle=False) as file:
            names = [field.name for field in fields(cls)]
            return cls(*(np.asarray(file[name], dtype=np.float32) for name in names)), float(file["threshold"])

    def save(self, path: Path, *, threshold: float, patience: int) -> None:
        """Matrices as float16: 1 part in 1,000, at half the size."""
        np.savez_compressed(
            path,
            mean=self.mean,
            scale=self.scale,
            hidden=self.hidden.astype(np.float16),
            hidden_bias=self.hidden_bias,
            out=self.out,
            out_bias=self.out_bias,
            threshold=np.float32(threshold),
            patience=np.int32(patience),
        )


def train(positives: Floats, negatives: Floats, *, seed: int) -> Weights:
    """From windows of shape (n, WINDOW, 96). Each batch is one part "stop" and three parts anything else; half of the
    latter are those that look most like it so far."""
    every = np.concatenate([positives, negatives]).reshape(-1, EMBEDDING_SIZE)
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-3
    yes, no = (((windows - mean) / scale).reshape(len(windows), -1) for windows in (positives, negatives))
    networks = [_Network(np.random.default_rng((seed, index))) for index in range(NETWORKS)]
    for network in networks:
        network.fit(yes, no)
    stacked = [np.stack([network.weights[name] for network in networks]) for name in range(4)]
    return Weights(mean, scale, stacked[0], stacked[1], stacked[2], stacked[3][:, 0])


class _Network:
    """Embeddings → ReLU → sigmoid."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        size = WINDOW * EMBEDDING_SIZE
        self.weights = [
            rng.normal(0, np.sqrt(2 / size), (size, UNITS)).astype(np.float32),
            np.zeros(UNITS, dtype=np.float32),
            rng.normal(0, np.sqrt(1 / UNITS), UNITS).astype(np.float32),
            np.full(1, -1.0, dtype=np.float32),
        ]
        self._moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in self.weights]
        self._steps = 0

    def fit(self, yes: Floats, no: Floats) -> None:
        hard = no
        for epoch in range(EPOCHS):
            rate = RATE * min(1.0, 2 * (1 - epoch / EPOCHS))
            for heard, wanted in self._batches(yes, no, hard):
                self._step(heard, wanted, rate)
            if epoch % 3 == 2:
                hard = no[np.argsort(self._logits(no))[-4 * len(yes) :]]

    def _batches(self, yes: Floats, no: Floats, hard: Floats) -> Iterator[tuple[Floats, Floats]]:
        part = BATCH // 4
        order = self._rng.permutation(len(yes))
        for start in range(0, len(yes) - part + 1, part):
            chosen = yes[order[start : start + part]]
            easy = no[self._rng.integers(len(no), size=BATCH * 3 // 8)]
            near = hard[self._rng.integers(len(hard), size=BATCH * 3 // 8)]
            wanted = np.zeros(part + len(easy) + len(near), dtype=np.float32)
            wanted[:part] = 1
            yield np.concatenate([chosen, easy, near]), wanted

    def _step(self, heard: Floats, wanted: Floats, rate: float) -> None:
        hidden, hidden_bias, out, out_bias = self.weights
        heard = heard + self._rng.normal(0, NOISE, heard.shape).astype(np.float32)
        active = np.maximum(heard @ hidden + hidden_bias, 0)
        kept = (self._rng.random(active.shape) >= DROPOUT) / np.float32(1 - DROPOUT)
        logits = (active * kept) @ out + out_bias
        error = ((1 / (1 + np.exp(-logits))) - wanted) / len(wanted)
        back = (error[:, None] * out) * kept * (active > 0)
        self._adam([heard.T @ back, back.sum(axis=0), (active * kept).T @ error, error.sum(keepdims=True)], rate)

    def _adam(self, gradients: list[Floats], rate: float) -> None:
        """With decoupled weight decay (AdamW)."""
        self._steps += 1
        for weight, gradient, (first, second) in zip(self.weights, gradients, self._moments, strict=True):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            step = (first / (1 - 0.9**self._steps)) / (np.sqrt(second / (1 - 0.999**self._steps)) + 1e-8)
            decay = DECAY * weight if weight.ndim == 2 else 0.0
            weight -= rate * (step + decay)

    def _logits(self, heard: Floats) -> Floats:
        hidden, hidden_bias, out, out_bias = self.weights
        return np.asarray(np.maximum(heard @ hidden + hidden_bias, 0) @ out + out_bias)

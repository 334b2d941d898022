"""The router: how likely each tool is what an utterance is for.

A multinomial logistic regression over :mod:`assistant.narrowing.features`, fitted beforehand to the examples in
``prompts/examples`` (`make examples`). It says what somebody talks about, not what may be done: that is for the other
signals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rapidfuzz import fuzz

from assistant.narrowing.features import Vectors, features
from assistant.narrowing.mentions import MASKS
from assistant.ports import Embedder, ToolDescription
from assistant.resources import resource

ANSWER = "answer"
"""Stands for no tool at all, among the tools."""

_PLACES = {"APP": "service", "DATA": "job", "VM": "vm", "ROOM": "area", "DEVICE": "device"}


@cache
def examples(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Per tool, what people say to it, with names masked: the hand-written ones and those that were collected."""
    found: dict[str, dict[str, None]] = {}
    for name in (language, f"{language}_said"):
        data: dict[str, Any] = yaml.safe_load(
            resource("prompts", "examples", f"{name}.yaml").read_text(encoding="utf-8")
        )
        for tool, lines in data.items():
            found.setdefault(tool, {}).update(dict.fromkeys(_masked(str(line)) for line in lines))
    return {tool: tuple(lines) for tool, lines in found.items()}


def examples_key(language: str = "en") -> str:
    """Names the examples by their content: weights that were fitted to others are out of date."""
    pairs = sorted((tool, line) for tool, lines in examples(language).items() for line in lines)
    return hashlib.sha256("\n".join(f"{tool}\t{line}" for tool, line in pairs).encode()).hexdigest()[:16]


def _masked(line: str) -> str:
    words = [MASKS[_PLACES[word]] if word in _PLACES else word for word in line.split()]
    return " ".join(words).lower().replace("the the ", "the ")


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted regression. ``full`` is for rows with an embedding, ``words`` for rows without; shape (features, tools)
    each, ``full_bias`` and ``words_bias`` (tools,)."""

    tools: tuple[str, ...]
    full: Vectors
    full_bias: Vectors
    words: Vectors
    words_bias: Vectors
    fitted_to: str = ""
    """The :func:`examples_key` of its examples."""

    def save(self, path: Path) -> None:
        """Half precision is enough: the probabilities move by less than a thousandth."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        np.savez_compressed(path, tools=np.array(self.tools), fitted_to=np.array(self.fitted_to), **arrays)

    @classmethod
    def load(cls, path: Path) -> Weights:
        """Raises OSError, ValueError, KeyError on a damaged file."""
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in _ARRAYS}
            return cls(tuple(str(tool) for tool in file["tools"]), fitted_to=str(file["fitted_to"]), **arrays)


_ARRAYS = ("full", "full_bias", "words", "words_bias")


@cache
def weights(language: str = "en") -> Weights:
    """Those of ``prompts/examples/<language>.npz``."""
    return Weights.load(Path(str(resource("prompts", "examples", f"{language}.npz"))))


class Router:
    """Probabilities of the tools. Without an embedder from the words alone, which is coarser."""

    def __init__(self, embedder: Embedder | None, language: str = "en", fitted: Weights | None = None) -> None:
        self._embedder = embedder
        self._language = language
        self._weights = fitted or weights(language)
        self._outside: tuple[str, ...] = ()
        self._outside_vectors: Vectors | None = None

    def scores(self, variants: Sequence[str], *, by_words: bool = False) -> dict[str, float]:
        """Tool (and ANSWER) → probability, the mean over the variants; they sum to 1. Raises ModelFilesError.

        ``by_words``: without the embedding, in a tenth of a millisecond.
        """
        texts = list(variants)
        w = self._weights
        if self._embedder is None or by_words:
            logits = features(texts, None, self._language) @ w.words + w.words_bias
        else:
            logits = features(texts, self._embedder.embed(texts), self._language) @ w.full + w.full_bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)
        return {tool: float(share) for tool, share in zip(w.tools, shares, strict=True)}

    def likeness(self, text: str, outside: Iterable[ToolDescription]) -> Mapping[str, float]:
        """How alike the utterance and the description of each tool of other servers are, −1 to 1."""
        tools = list(outside)
        if not tools:
            return {}
        told = tuple(tool.description[:300] for tool in tools)
        if self._embedder is None:
            return {tool.name: fuzz.token_sort_ratio(text, says) / 100 for tool, says in zip(tools, told, strict=True)}
        if self._outside != told or self._outside_vectors is None:
            self._outside, self._outside_vectors = told, self._embedder.embed(told)
        near = self._embedder.embed([text]) @ self._outside_vectors.T
        return {tool.name: float(score) for tool, score in zip(tools, near[0], strict=True)}

"""The router: how near an utterance is to the nearest example of each tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rapidfuzz import fuzz

from assistant.narrowing.mentions import MASKS
from assistant.ports import Embedder, ToolDescription
from assistant.resources import resource

ANSWER = "answer"
"""Stands for no tool at all, among the tools."""

_PLACES = {"APP": "service", "DATA": "job", "VM": "vm", "ROOM": "area"}


@cache
def examples(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Per tool, what people say to it, with names masked."""
    data: dict[str, Any] = yaml.safe_load(
        resource("prompts", "examples", f"{language}.yaml").read_text(encoding="utf-8")
    )
    return {tool: tuple(_masked(str(line)) for line in lines) for tool, lines in data.items()}


def _masked(line: str) -> str:
    words = [MASKS[_PLACES[word]] if word in _PLACES else word for word in line.split()]
    return " ".join(words).lower().replace("the the ", "the ")


class Router:
    """Scores tools by their nearest example. Without an embedder by common words, which is coarser."""

    def __init__(self, embedder: Embedder | None, language: str = "en") -> None:
        self._embedder = embedder
        self._language = language
        self._tools: list[str] = []
        self._texts: list[str] = []
        self._vectors: NDArray[np.float32] | None = None
        self._known: tuple[str, ...] | None = None

    def scores(self, variants: Sequence[str], outside: Iterable[ToolDescription] = ()) -> list[Mapping[str, float]]:
        """For each variant of the utterance: tool → similarity to its nearest example, −1 to 1.

        Tools of ``outside`` servers have their descriptions as their only example. Raises ModelFilesError.
        """
        self._learn(tuple(outside))
        if self._embedder is None:
            table = np.array([[fuzz.token_sort_ratio(v, t) / 100 for t in self._texts] for v in variants])
        else:
            assert self._vectors is not None  # noqa: S101 - learnt above
            table = self._embedder.embed(variants) @ self._vectors.T
        best: list[Mapping[str, float]] = []
        for row in table:
            scores: dict[str, float] = {}
            for tool, score in zip(self._tools, row, strict=True):
                scores[tool] = max(scores.get(tool, -1.0), float(score))
            best.append(scores)
        return best

    def _learn(self, outside: tuple[ToolDescription, ...]) -> None:
        names = tuple(tool.name for tool in outside)
        if self._known == names:
            return
        pairs = [(tool, line) for tool, lines in examples(self._language).items() for line in lines]
        pairs += [(tool.name, tool.description[:300]) for tool in outside]
        self._tools, self._texts = [tool for tool, _ in pairs], [line for _, line in pairs]
        if self._embedder is not None:
            self._vectors = self._embedder.embed(self._texts)
        self._known = names

"""The router: how near an utterance is to the nearest example of each tool."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rapidfuzz import fuzz

from assistant.narrowing.mentions import MASKS
from assistant.ports import Embedder, ToolDescription
from assistant.resources import resource

log = logging.getLogger(__name__)

ANSWER = "answer"
"""Stands for no tool at all, among the tools."""

_PLACES = {"APP": "service", "DATA": "job", "VM": "vm", "ROOM": "area", "DEVICE": "device"}

Vectors = NDArray[np.float32]


@cache
def examples(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Per tool, what people say to it, with names masked: the hand-written ones and those of the sets to develop on."""
    found: dict[str, dict[str, None]] = {}
    for name in (language, f"{language}_said"):
        data: dict[str, Any] = yaml.safe_load(
            resource("prompts", "examples", f"{name}.yaml").read_text(encoding="utf-8")
        )
        for tool, lines in data.items():
            found.setdefault(tool, {}).update(dict.fromkeys(_masked(str(line)) for line in lines))
    return {tool: tuple(lines) for tool, lines in found.items()}


def _masked(line: str) -> str:
    words = [MASKS[_PLACES[word]] if word in _PLACES else word for word in line.split()]
    return " ".join(words).lower().replace("the the ", "the ")


class Router:
    """Scores tools by their nearest example. Without an embedder by common words, which is coarser.

    ``cache_dir``: where the examples' vectors are kept between starts, as making them takes a second; None: nowhere.
    """

    def __init__(self, embedder: Embedder | None, language: str = "en", cache_dir: Path | None = None) -> None:
        self._embedder = embedder
        pairs = [(tool, line) for tool, lines in examples(language).items() for line in lines]
        self._own_tools, self._own_texts = [tool for tool, _ in pairs], [line for _, line in pairs]
        self._cache_dir = cache_dir
        self._own_vectors: Vectors | None = None
        self._outside: tuple[tuple[str, str], ...] = ()
        self._outside_vectors: Vectors | None = None

    def scores(self, variants: Sequence[str], outside: Iterable[ToolDescription] = ()) -> list[Mapping[str, float]]:
        """For each variant of the utterance: tool → similarity to its nearest example, −1 to 1.

        Tools of ``outside`` servers have their descriptions as their only example. Raises ModelFilesError.
        """
        others = tuple((tool.name, tool.description[:300]) for tool in outside)
        tools = [*self._own_tools, *(name for name, _ in others)]
        if self._embedder is None:
            texts = [*self._own_texts, *(text for _, text in others)]
            table = np.array([[fuzz.token_sort_ratio(v, t) / 100 for t in texts] for v in variants])
        else:
            table = self._embedder.embed(variants) @ self._vectors(self._embedder, others).T
        best: list[Mapping[str, float]] = []
        for row in table:
            scores: dict[str, float] = {}
            for tool, score in zip(tools, row, strict=True):
                scores[tool] = max(scores.get(tool, -1.0), float(score))
            best.append(scores)
        return best

    def _vectors(self, embedder: Embedder, others: tuple[tuple[str, str], ...]) -> Vectors:
        if self._own_vectors is None:
            self._own_vectors = self._kept() if self._cache_dir else None
            if self._own_vectors is None:
                self._own_vectors = embedder.embed(self._own_texts)
                self._keep(self._own_vectors)
        if not others:
            return self._own_vectors
        if self._outside != others or self._outside_vectors is None:
            self._outside, self._outside_vectors = others, embedder.embed([text for _, text in others])
        return np.concatenate([self._own_vectors, self._outside_vectors])

    def _file(self) -> Path | None:
        """Named by what is in it, so that other examples or another model never meet old vectors."""
        if self._cache_dir is None or self._embedder is None:
            return None
        content = "\n".join([self._embedder.name, *self._own_texts])
        return self._cache_dir / f"examples-{hashlib.sha256(content.encode()).hexdigest()[:16]}.npy"

    def _kept(self) -> Vectors | None:
        if (file := self._file()) is None or not file.is_file():
            return None
        try:
            vectors: Vectors = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # cut short by a power cut: made anew
        fits = vectors.ndim == 2 and vectors.shape[0] == len(self._own_texts) and vectors.dtype == np.float32
        return vectors if fits and bool(np.isfinite(vectors).all()) else None

    def _keep(self, vectors: Vectors) -> None:
        if (file := self._file()) is None:
            return
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in file.parent.glob("examples-*.npy"):
                old.unlink(missing_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
            with os.fdopen(handle, "wb") as part:
                np.save(part, vectors)
            Path(name).replace(file)
        except OSError as error:
            log.warning("the examples' vectors cannot be kept: %s", error.strerror)

"""What the router looks at in an utterance whose names are masked: its meaning, its words, what is read off them. Pure.

Three blocks side by side: the sentence embedding (unit length), word and word-pair counts in a hashed space, and
signals: whether it asks or orders, kinds of names, words that speak for a tool.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.narrowing.candidates import cues_in
from assistant.narrowing.mentions import MASKS
from assistant.sentences.speech_kind import speech_of
from tools.contract import Speech

HASHED = 1024
"""Places that words and word pairs are hashed into (the "hashing trick", Weinberger et al. 2009)."""

WORDS_WEIGHT = 0.7
SIGNALS_WEIGHT = 0.5
"""Of these blocks beside the embedding. Measured with `python -m tests.eval.make_examples --check`."""

MOST_CUES = 2
"""Words for the same tool beyond which more say nothing more."""

Vectors = NDArray[np.float32]


def features(texts: list[str], embeddings: Vectors | None, language: str = "en") -> Vectors:
    """One row a text, float32; without embeddings (shape (n, 384)) the row has the other two blocks only."""
    words = np.array([_words(text) for text in texts], np.float32) * WORDS_WEIGHT
    signals = np.array([_signals(text, language) for text in texts], np.float32) * SIGNALS_WEIGHT
    blocks = [words, signals] if embeddings is None else [embeddings, words, signals]
    return np.hstack(blocks)


@lru_cache(8192)
def _words(text: str) -> Vectors:
    row = np.zeros(HASHED, np.float32)
    words = text.split()
    edged = ["^", *words, "$"]
    for gram in (*words, *(f"{left} {right}" for left, right in pairwise(edged))):
        row[zlib.crc32(gram.encode()) % HASHED] += 1.0
    length = float(np.linalg.norm(row))
    return row / length if length else row


@lru_cache(8192)
def _signals(text: str, language: str) -> Vectors:
    speech = speech_of(text, language)
    cues = cues_in(text, language)
    padded = f" {text} "
    return np.array(
        [
            *(speech is kind for kind in (Speech.QUESTION, Speech.ORDER, Speech.UNKNOWN)),
            *(f" {mask} " in padded for mask in MASKS.values()),
            *(min(cues[tool], MOST_CUES) / MOST_CUES for tool in sorted(cues)),
        ],
        np.float32,
    )

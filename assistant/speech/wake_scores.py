"""From scores to detections: patience, threshold and the refractory period, on counted chunks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Detection

CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Trigger:
    """What makes a word heard: ``patience`` chunks in a row whose score is at least ``threshold``."""

    threshold: float
    patience: int = 1


@dataclass(slots=True)
class _Run:
    """Chunks in a row that reach the threshold. ``spent``: they have made a detection already."""

    length: int = 0
    best: float = 0.0
    spent: bool = False


@dataclass
class WakeEvents:
    """The scores of one stream, chunk after chunk.

    A run of chunks at or above a word's threshold is heard once, at the first chunk where it is ``patience`` long. For
    ``refractory_s`` after a detection, of whichever word, nothing is heard; a run that is still on when that time is
    over counts, unless it has been heard already.
    """

    triggers: Mapping[str, Trigger]
    refractory_s: float
    _runs: dict[str, _Run] = field(init=False)
    _deaf_for: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._runs = {word: _Run() for word in self.triggers}

    def heard(self, scores: Mapping[str, float], *, counts: bool = True) -> Detection | None:
        """One chunk's scores. Where several words are heard at once, the one with the best score in its run.

        ``counts``: False holds a detection back; a run that is still on when it is True again counts.
        """
        self._deaf_for = max(self._deaf_for - 1, 0)
        ready = [word for word, trigger in self.triggers.items() if self._long_enough(word, trigger, scores[word])]
        if not ready or self._deaf_for or not counts:
            return None
        for word in ready:
            self._runs[word].spent = True
        self._deaf_for = math.ceil(round(self.refractory_s / CHUNK_S, 6))
        word = max(ready, key=lambda name: self._runs[name].best)
        return Detection(word, self._runs[word].best)

    def _long_enough(self, word: str, trigger: Trigger, score: float) -> bool:
        run = self._runs[word]
        if score < trigger.threshold:
            self._runs[word] = _Run()
            return False
        run.length += 1
        run.best = max(run.best, score)
        return run.length >= trigger.patience and not run.spent

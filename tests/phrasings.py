"""The measure: what a model makes of seeded results is said only where it is true.

``python -m tests.phrasings [COUNT] [SEED]`` lets the embedded model phrase that many turns (200 unless told, or
JARVIS_PHRASING_TURNS) and asks the oracle, which knows what is true and nothing of the check, about all that would be
said. Exit code 1 when something false would be.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from assistant.chat.embedded import EmbeddedModel
from assistant.models import ModelStore
from assistant.phrasing import TIMEOUT_S, Phrasing, phrase_results
from assistant.ports import ChatModel
from tests.injections import EMBEDDED
from tests.oracle import concealed, falsehoods
from tests.seeded_results import SeededTurn, house_names, turns

TURNS_VARIABLE = "JARVIS_PHRASING_TURNS"
COUNT, SEED = 200, 2026
PATIENCE_S = 240.0
"""Longer than anybody would wait, so that slow answers are judged, too."""


@dataclass(slots=True)
class Tally:
    """What came of the turns. ``false`` and ``withheld``: texts that passed the check, and what is wrong with them."""

    turns: int = 0
    spoken: int = 0
    late: int = 0
    wrote_false: int = 0
    false: list[tuple[str, list[str]]] = field(default_factory=list)
    withheld: list[tuple[str, list[str]]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)

    def count(self, turn: SeededTurn, phrasing: Phrasing) -> None:
        self.turns += 1
        self.took_s.append(phrasing.took_ms / 1000)
        self.late += phrasing.took_ms / 1000 > TIMEOUT_S
        self.wrote_false += bool(falsehoods(phrasing.wrote, turn))
        if phrasing.text is None:
            self.reasons[phrasing.reason] += 1
            return
        self.spoken += 1
        for found, kept in ((falsehoods, self.false), (concealed, self.withheld)):
            if wrong := found(phrasing.text, turn):
                kept.append((phrasing.text, wrong))

    def report(self) -> str:
        """For people."""
        fell_back = self.turns - self.spoken
        lines = [
            f"{self.turns} turns over seeded results: {self.spoken} phrasings passed the check, {fell_back} fell back",
            f"false facts in what passed: {len(self.false)}; bad news left out of it: {len(self.withheld)}",
            f"turns in which the model wrote something that the oracle calls false: {self.wrote_false}",
            f"the model took {median(self.took_s):.1f} s (p50); {self.late} times more than the {TIMEOUT_S:.0f} s after"
            " which a turn goes on without it",
            *(f"  {times:3} × {reason}" for reason, times in self.reasons.most_common()),
            *(f"  FALSE: {text} — {'; '.join(wrong)}" for text, wrong in self.false),
            *(f"  WITHHELD: {text} — {'; '.join(wrong)}" for text, wrong in self.withheld),
        ]
        return "\n".join(lines)


async def measure(model: ChatModel, count: int, seed: int = SEED) -> Tally:
    """Phrase ``count`` turns."""
    tally, names = Tally(), house_names()
    for turn in turns(seed, count):
        phrasing = await phrase_results(model, turn.utterance, turn.results, names, timeout_s=PATIENCE_S)
        tally.count(turn, phrasing)
    return tally


def turns_wanted(default: int) -> int:
    """What the environment says, else ``default``."""
    return int(os.environ.get(TURNS_VARIABLE, default))


async def _measure_all(models_dir: Path, count: int, seed: int) -> Tally:
    with tempfile.TemporaryDirectory(prefix="jarvis-phrasings-") as folder:
        async with EmbeddedModel(
            models_dir / EMBEDDED, Path(folder) / "model.log", context_tokens=4096, threads=0,
            first_delta_timeout_s=PATIENCE_S, timeout_s=PATIENCE_S,
        ) as model:  # fmt: skip
            return await measure(model, count, seed)


if __name__ == "__main__":
    _count, _seed = (*map(int, sys.argv[1:3]), *(turns_wanted(COUNT), SEED)[len(sys.argv) - 1 :])
    _tally = asyncio.run(_measure_all(ModelStore().models_dir, _count, _seed))
    print(_tally.report())  # noqa: T201
    sys.exit(1 if _tally.false or _tally.withheld or not _tally.spoken else 0)

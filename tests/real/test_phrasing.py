"""Measure: turns over seeded results, phrased by the embedded 1.5B; nothing unsupported is said.

Twelve turns by default, JARVIS_PHRASING_TURNS=200 for the whole measure (`make phrasing`).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from assistant.phrasing import phrase_results
from tests.chat.test_embedded import DEFAULT, embedded
from tests.liar import falsehoods
from tests.seeded_results import house_names, turns

SEED = 200


@pytest.mark.real_models
@pytest.mark.timeout(3600)
async def test_nothing_unsupported_is_said_of_seeded_results(models_dir: Path, tmp_path: Path) -> None:
    count = int(os.environ.get("JARVIS_PHRASING_TURNS", "12"))
    names = house_names()
    fell_back: Counter[str] = Counter()
    false: list[tuple[str, list[str]]] = []
    wrote_false = 0
    async with embedded(models_dir / DEFAULT, tmp_path) as model:
        for turn in turns(SEED, count):
            phrased = await phrase_results(model, turn.utterance, turn.results, names)
            wrote_false += bool(falsehoods(phrased.wrote, turn))
            if phrased.text is None:
                fell_back[phrased.reason] += 1
            elif wrong := falsehoods(phrased.text, turn):
                false.append((phrased.text, wrong))
    said = count - fell_back.total()
    print(  # noqa: T201 - a measurement
        f"\n{count} turns: {said} phrased, {fell_back.total()} fell back; {wrote_false} times the oracle found "
        f"something false in what the model wrote, {len(false)} times in what was said"
    )
    for reason, times in fell_back.most_common():
        print(f"  {times:3} {reason}")  # noqa: T201
    assert false == []
    assert said > 0

"""Measure, in short: turns over seeded results, phrased by the embedded 1.5B; nothing false is said.

All two hundred: `make phrasing`, or JARVIS_PHRASING_TURNS=200 with this test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.chat.embedded import EmbeddedModel
from tests.injections import EMBEDDED
from tests.phrasings import PATIENCE_S, measure, turns_wanted

SOME = 10


@pytest.mark.long
@pytest.mark.real_models
@pytest.mark.timeout(7200)
async def test_nothing_false_is_said_of_seeded_results(models_dir: Path, tmp_path: Path) -> None:
    async with EmbeddedModel(
        models_dir / EMBEDDED, tmp_path / "model.log", context_tokens=4096, threads=0,
        first_delta_timeout_s=PATIENCE_S, timeout_s=PATIENCE_S,
    ) as model:  # fmt: skip
        tally = await measure(model, turns_wanted(SOME))
    print(f"\n{tally.report()}")  # noqa: T201 - a measurement
    assert tally.false == []
    assert tally.withheld == []
    assert tally.spoken > 0

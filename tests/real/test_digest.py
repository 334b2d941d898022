"""Measure, in short: digests over seeded results, put into words by the embedded 1.5B; nothing unsupported is said."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from assistant.chat.embedded import EmbeddedModel
from assistant.digesting import TIMEOUT_S, digest_phraser
from assistant.ports import Names
from assistant.truth import Evidence, unsupported
from tests.digests import digest_from, outcomes_of
from tests.injections import EMBEDDED
from tests.oracle import concealed, falsehoods
from tests.phrasings import PATIENCE_S
from tests.seeded_results import house_names, turns

COUNT, SEED = 6, 41


async def names() -> Names:
    return house_names()


@pytest.mark.long
@pytest.mark.real_models
@pytest.mark.timeout(3600)
async def test_nothing_unsupported_is_said_in_a_digest(models_dir: Path, tmp_path: Path) -> None:
    false, withheld, strange = [], [], []
    reasons: Counter[str] = Counter()
    took_s: list[float] = []
    async with EmbeddedModel(
        models_dir / EMBEDDED, tmp_path / "model.log", context_tokens=4096, threads=0,
        first_delta_timeout_s=PATIENCE_S, timeout_s=PATIENCE_S,
    ) as model:  # fmt: skip
        phrase = digest_phraser(model, names, timeout_s=PATIENCE_S)
        for turn in turns(SEED, COUNT):
            outcomes = outcomes_of(turn)
            started = time.perf_counter()
            made = await digest_from(outcomes, phrase)
            took_s.append(time.perf_counter() - started)
            reasons[made.reason or "said"] += 1
            if made.by == "model":
                results = [outcome.result for outcome in outcomes if outcome.result is not None]
                false += falsehoods(made.text, turn)
                withheld += concealed(made.text, turn) if len(outcomes) == len(turn.results) else []
                strange += [unsupported(made.text, Evidence(results, "", house_names()))]
    print(  # noqa: T201 - a measurement
        f"\n{COUNT} digests: {reasons['said']} in the model's words, {median(took_s):.1f} s (p50), "
        f"{sum(one > TIMEOUT_S for one in took_s)} took more than {TIMEOUT_S:.0f} s; {dict(reasons)}"
    )
    assert false == []
    assert withheld == []
    assert [one for one in strange if one is not None] == []
    assert reasons["said"] > 0

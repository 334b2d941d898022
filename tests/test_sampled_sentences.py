"""Utterances drawn from Home Assistant's own sentences."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from assistant.home_lines import HomeLine, read_home_lines
from tests.home.sampled import QUOTA, Sampler

DRAWN = Path(__file__).parent / "home" / "sampled_2026-11-22.jsonl"


def test_the_set_that_was_drawn_is_large_and_even() -> None:
    lines = read_home_lines([DRAWN])

    assert Counter(line.domain for line in lines) == QUOTA
    assert len({line.text.lower() for line in lines}) == len(lines) >= 200


def test_a_seed_draws_the_same_lines_again_and_another_seed_draws_others() -> None:
    first, again, other = (Sampler(seed).lines() for seed in (5, 5, 6))

    assert first == again
    texts, others = ({line["text"] for line in lines} for lines in (first, other))
    assert len(texts & others) < len(texts) / 2
    assert all(HomeLine.model_validate_json(json.dumps(line)) for line in first)

"""Measure, in short: fifty jobs, judged from what is remembered. `python -m tests.tools.backups_bench` has figures."""

from __future__ import annotations

import statistics

from tests.tools.backups_bench import LIMIT_MS, measure

SLACK = 6
"""This machine may be doing anything else meanwhile."""


async def test_ten_thousand_records_are_judged_in_the_time_that_fifty_jobs_may_take() -> None:
    assert statistics.median((await measure(10_000, 5)).wall_ms) <= SLACK * LIMIT_MS

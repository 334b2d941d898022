"""Three weeks of the simulated year, around each change of the clock; ``make scheduler-year`` runs all of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.tools.tasks.year import Year


@pytest.mark.parametrize("begin", [date(2026, 3, 20), date(2026, 10, 16)])
async def test_each_task_comes_exactly_as_often_as_it_should(tmp_path: Path, begin: date) -> None:
    year = Year(tmp_path, count=40, days=21, seed=7, begin=begin)
    await year.run()
    assert year.wrong() == []
    assert year.events["restarts"] > 0
    assert sum(task.seen["done"] for task in year.tasks) > 100

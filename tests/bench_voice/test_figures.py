"""Figures of the voice benchmark."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.figures import percentile, share, upper_bound

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1)


@given(numbers, st.floats(0, 1))
def test_a_percentile_is_one_of_the_values_and_enough_of_them_do_not_exceed_it(
    values: list[float], rank: float
) -> None:
    found = percentile(values, rank)
    assert found in values
    assert sum(value <= found for value in values) >= rank * len(values)


@given(numbers)
def test_percentiles_do_not_fall_with_the_rank(values: list[float]) -> None:
    assert min(values) == percentile(values, 0) <= percentile(values, 0.5) <= percentile(values, 0.95)
    assert percentile(values, 1) == max(values)


def test_the_median_of_an_even_number_is_the_lower_of_the_two() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2


@pytest.mark.parametrize(("values", "rank"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_a_percentile_of_nothing_or_beyond_the_ends_is_refused(values: list[float], rank: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, rank)


def test_a_share_of_nothing_is_not_known() -> None:
    assert share(1, 4) == 0.25
    assert share(0, 0) is None


@pytest.mark.parametrize(
    ("events", "bound"),
    # χ²(0.95; 2n + 2) / 2 of printed tables
    [(0, 2.996), (1, 4.744), (2, 6.296), (3, 7.754), (4, 9.154), (5, 10.513), (10, 16.962), (100, 118.079)],
)
def test_the_upper_bound_is_that_of_the_tables(events: int, bound: float) -> None:
    assert upper_bound(events, 1.0) == pytest.approx(bound, abs=5e-4)


@given(st.floats(0.001, 10_000), st.floats(0.5, 0.999))
def test_without_events_it_is_the_rule_of_three(hours: float, confidence: float) -> None:
    assert upper_bound(0, hours, confidence) == pytest.approx(-math.log(1 - confidence) / hours)


@given(st.integers(0, 300), st.floats(0.01, 1000))
def test_the_bound_lies_above_the_rate_and_falls_with_what_was_heard(events: int, hours: float) -> None:
    here, there = upper_bound(events, hours), upper_bound(events, hours * 2)
    assert here is not None
    assert there is not None
    assert here > events / hours
    assert there == pytest.approx(here / 2)
    assert (upper_bound(events + 1, hours) or 0) > here


def test_nothing_heard_allows_no_bound() -> None:
    assert upper_bound(0, 0.0) is None

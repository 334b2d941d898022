"""The arithmetic of the soak's verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.soak.figures import growth, relative, slope, tail_ratio, tenths

levels = st.floats(1, 1e4)
counts = st.integers(5, 200)


def line(count: int, start: float, step: float) -> tuple[list[float], list[float]]:
    """Points of a straight line."""
    return [float(at) for at in range(count)], [start + step * at for at in range(count)]


@given(counts, levels, st.floats(-10, 10))
def test_the_slope_of_a_straight_line_is_its_own(count: int, start: float, step: float) -> None:
    assert slope(*line(count, start, step)) == pytest.approx(step, abs=1e-6)


@given(st.integers(10, 100), levels, st.floats(-5, 5), st.data())
def test_a_fifth_of_outliers_hardly_moves_it(count: int, start: float, step: float, data: st.DataObject) -> None:
    xs, ys = line(count, start, step)
    for at in data.draw(st.lists(st.integers(0, count - 1), max_size=count // 5, unique=True)):
        ys[at] += data.draw(st.sampled_from([-1e6, 1e6]))
    assert slope(xs, ys) == pytest.approx(step, abs=1e-3) or abs(slope(xs, ys) - step) < 1e5
    assert abs(slope(xs, ys)) < 1e6 / 2


@given(st.lists(levels, min_size=2, max_size=80), st.floats(0.1, 10))
def test_growth_is_a_share_whatever_the_unit(values: list[float], factor: float) -> None:
    xs = [float(at) for at in range(len(values))]
    scaled = [value * factor for value in values]
    assert growth(xs, scaled) == pytest.approx(growth(xs, values), rel=1e-6, abs=1e-9)


@given(levels, counts)
def test_what_stays_has_not_grown(level: float, count: int) -> None:
    assert growth([float(at) for at in range(count)], [level] * count) == 0


@given(counts, levels, st.floats(0.05, 1))
def test_a_steady_leak_is_found_in_full(count: int, start: float, share: float) -> None:
    xs, ys = line(count, start, start * share / (count - 1))
    assert growth(xs, ys) >= share * 0.85


def test_a_step_in_the_last_part_is_found_though_the_slope_does_not_see_it() -> None:
    ys = [100.0] * 80 + [110.0] * 20
    assert slope([float(at) for at in range(100)], ys) == 0
    assert growth([float(at) for at in range(100)], ys) == pytest.approx(0.1)


def test_growth_from_nothing_is_endless_and_of_nothing_is_refused() -> None:
    assert growth([0, 1], [0, 1]) == math.inf
    assert growth([0, 1], [0, 0]) == 0
    with pytest.raises(ValueError, match="no values"):
        growth([], [])


@given(st.integers(1, 10_000))
def test_tenths_are_equal_parts_at_both_ends(count: int) -> None:
    first, last = (range(count)[part] for part in tenths(count))
    assert first.start == 0
    assert last.stop == count
    assert len(first) == len(last) == max(count // 10, 1)


timed = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 1e4)), min_size=1, max_size=100)


@given(timed, st.floats(0.5, 100))
def test_a_kind_that_takes_longer_as_a_whole_changes_nothing(times: list[tuple[str, float]], factor: float) -> None:
    slower = [(kind, time * factor if kind == "a" else time) for kind, time in times]
    assert relative(slower) == pytest.approx(relative(times))


@given(timed)
def test_the_tail_of_what_never_changes_is_the_same_tail(times: Sequence[tuple[str, float]]) -> None:
    assert tail_ratio([*times, *times]) > 0
    steady = [("a", 5.0)] * 50
    assert tail_ratio(steady) == 1


def test_a_slow_end_shows_in_the_tail_of_any_kind() -> None:
    times = [
        ("quick" if at % 3 else "slow", (10.0 if at % 3 else 1000.0) * (2 if at >= 900 else 1)) for at in range(1000)
    ]
    assert tail_ratio(times) == pytest.approx(2)

"""Figures of the voice benchmark."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.figures import (
    WordErrors,
    detections,
    normalized,
    percentile,
    pooled,
    upper_bound,
    word_errors,
)

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1)
WORDS = ("turn", "on", "the", "desk", "lamp", "is", "jellyfin", "up", "5", "five", "ok")
sentence = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
scores = st.lists(st.sampled_from([0.0, 0.2, 0.49, 0.5, 0.9, 1.0]), max_size=60)


# ── percentiles ───────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Is the backup OK?", "is the backup okay"),
        ("set the heating to twenty one degrees", "Set the heating to 21°."),
        ("dim it to thirty percent", "dim it to 30%"),
        ("start the windows VM", "start the Windows V M"),
        ("what's down", "What’s down?"),
        ("paperless n g x", "Paperless NGX"),
    ],
)
def test_the_same_words_written_otherwise_are_no_errors(said: str, heard: str) -> None:
    assert word_errors(said, heard).errors == 0


@pytest.mark.parametrize(
    ("said", "heard", "errors", "words"),
    [
        ("is jellyfin up", "is gelatin up", 1, 3),
        ("is jellyfin up", "is jelly fin up", 2, 3),
        ("turn on the desk lamp", "turn on desk lamp", 1, 5),
        ("turn on the desk lamp", "", 5, 5),
        ("", "thanks for watching", 3, 0),
        ("turn it on", "turn it off", 1, 3),
    ],
)
def test_errors_are_words_substituted_left_out_and_added(said: str, heard: str, errors: int, words: int) -> None:
    assert word_errors(said, heard) == WordErrors(errors, words)


@given(sentence, sentence)
def test_word_errors_are_a_distance_within_its_bounds(one: str, other: str) -> None:
    here, there = len(normalized(one)), len(normalized(other))
    found = word_errors(one, other)
    assert abs(here - there) <= found.errors <= max(here, there)
    assert (found.errors == 0) == (normalized(one) == normalized(other))
    assert found.errors == word_errors(other, one).errors


@given(sentence, sentence, sentence)
def test_a_detour_costs_no_fewer_errors(one: str, other: str, third: str) -> None:
    direct = word_errors(one, third).errors
    assert direct <= word_errors(one, other).errors + word_errors(other, third).errors


@given(st.text())
def test_normalized_words_are_normal(text: str) -> None:
    once = " ".join(normalized(text))
    assert all(word and not word.isspace() for word in normalized(text))
    assert len(normalized(once)) <= len(normalized(text))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_pooled_errors_weigh_every_word_alike(pairs: list[tuple[int, int]]) -> None:
    together = pooled(WordErrors(*pair) for pair in pairs)
    assert together == WordErrors(sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs))
    assert (together.rate is None) == (together.words == 0)


# ── what a count allows ───────────────────────────────────────────────────────────────────────────────────────────


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


# ── events of a wake word ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_of_frames_is_one_event_at_its_first_frame() -> None:
    assert detections([0.1, 0.6, 0.9, 0.9, 0.6, 0.1], 0.5, refractory=1) == [1]


def test_a_second_run_counts_once_the_refractory_period_is_over() -> None:
    twice = [0.9, 0.0, 0.9, 0.0, 0.0, 0.9]
    assert detections(twice, 0.5, refractory=1) == [0, 2, 5]
    assert detections(twice, 0.5, refractory=3) == [0, 5]
    assert detections(twice, 0.5, refractory=9) == [0]


@given(scores, st.integers(0, 30))
def test_events_are_fewer_than_frames_and_apart(frames: list[float], refractory: int) -> None:
    found = detections(frames, 0.5, refractory)
    assert len(found) <= sum(score >= 0.5 for score in frames)
    assert bool(found) == any(score >= 0.5 for score in frames)
    assert all(frames[at] >= 0.5 for at in found)
    assert all(later - earlier >= refractory for earlier, later in pairwise(found))


@given(scores, st.integers(0, 30))
def test_a_higher_threshold_or_longer_refractory_period_hears_no_more_runs(frames: list[float], more: int) -> None:
    assert len(detections(frames, 0.5, more)) <= len(detections(frames, 0.5, 0))

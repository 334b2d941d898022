"""From scores to detections, without any model."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import Detection
from assistant.speech.wake_scores import CHUNK_S, Trigger, WakeEvents

SCORES = st.lists(st.floats(0, 1), max_size=120)
PATIENCE = st.integers(1, 5)
REFRACTORY_S = st.floats(0, 5)


def heard(scores: list[float], trigger: Trigger, refractory_s: float = 0.0) -> list[tuple[int, Detection]]:
    """Chunk numbers and detections."""
    events = WakeEvents({"word": trigger}, refractory_s)
    found = [(index, events.heard({"word": score})) for index, score in enumerate(scores)]
    return [(index, detection) for index, detection in found if detection is not None]


def runs(scores: list[float], threshold: float) -> list[range]:
    """Stretches at or above the threshold."""
    above = [index for index, score in enumerate(scores) if score >= threshold]
    starts = [index for index in above if index - 1 not in above]
    return [range(start, next(i for i in range(start, len(scores) + 1) if i not in above)) for start in starts]


def test_one_utterance_of_the_word_is_one_detection_at_its_first_chunk() -> None:
    assert heard([0, 0.2, 0.7, 0.9, 0.8, 0.1, 0], Trigger(0.5)) == [(2, Detection("word", 0.7))]


def test_patience_waits_for_chunks_in_a_row_and_reports_the_best_of_them() -> None:
    assert heard([0.9, 0, 0.9, 0.6, 0.7], Trigger(0.5, patience=3)) == [(4, Detection("word", 0.9))]
    assert heard([0.9, 0, 0.9, 0.9, 0], Trigger(0.5, patience=3)) == []


def test_a_score_that_just_reaches_the_threshold_counts() -> None:
    assert len(heard([0.5], Trigger(0.5))) == 1


def test_what_is_said_again_in_the_refractory_period_is_ignored_and_after_it_heard() -> None:
    again = [0.9, 0.0] + [0.0] * 10 + [0.9, 0.0]
    assert [index for index, _ in heard(again, Trigger(0.5), refractory_s=2.0)] == [0]
    assert [index for index, _ in heard(again, Trigger(0.5), refractory_s=0.9)] == [0, 12]


def test_a_word_that_begins_in_the_refractory_period_and_outlasts_it_is_heard() -> None:
    assert [index for index, _ in heard([0.9, 0, 0.9, 0.9, 0.9], Trigger(0.5), refractory_s=4 * CHUNK_S)] == [0, 4]


def test_of_two_words_at_once_the_better_score_counts_and_the_other_not_at_all() -> None:
    events = WakeEvents({"a": Trigger(0.5), "b": Trigger(0.9)}, refractory_s=0)
    assert events.heard({"a": 0.6, "b": 0.95}) == Detection("b", 0.95)
    assert events.heard({"a": 0.6, "b": 0.95}) is None


def test_the_refractory_period_is_that_of_the_stream_not_of_the_word() -> None:
    events = WakeEvents({"a": Trigger(0.5), "b": Trigger(0.5)}, refractory_s=1)
    assert events.heard({"a": 0.9, "b": 0}) == Detection("a", 0.9)
    assert events.heard({"a": 0, "b": 0.9}) is None


def test_each_word_has_its_own_threshold_and_patience() -> None:
    events = WakeEvents({"a": Trigger(0.3, 1), "b": Trigger(0.8, 2)}, refractory_s=0)
    said = [events.heard({"a": 0.0, "b": 0.7}), events.heard({"a": 0.4, "b": 0.9}), events.heard({"a": 0.0, "b": 0.9})]
    assert said == [None, Detection("a", 0.4), Detection("b", 0.9)]


def test_a_detection_that_is_held_back_comes_as_soon_as_it_counts() -> None:
    events = WakeEvents({"word": Trigger(0.5)}, refractory_s=1)
    assert events.heard({"word": 0.9}, counts=False) is None
    assert events.heard({"word": 0.7}) == Detection("word", 0.9)


@given(SCORES, st.floats(0.01, 0.99), PATIENCE, REFRACTORY_S)
def test_two_detections_are_never_closer_than_the_refractory_period(
    scores: list[float], threshold: float, patience: int, refractory_s: float
) -> None:
    at = [index for index, _ in heard(scores, Trigger(threshold, patience), refractory_s)]
    assert all((later - earlier) * CHUNK_S >= refractory_s - 1e-6 for earlier, later in pairwise(at))


@given(SCORES, st.floats(0.01, 0.99), PATIENCE, REFRACTORY_S)
def test_every_detection_ends_a_stretch_of_patience_and_no_stretch_has_two(
    scores: list[float], threshold: float, patience: int, refractory_s: float
) -> None:
    detections = heard(scores, Trigger(threshold, patience), refractory_s)
    for index, detection in detections:
        assert all(score >= threshold for score in scores[index - patience + 1 : index + 1])
        assert index + 1 >= patience
        assert detection.score >= threshold
    for run in runs(scores, threshold):
        assert sum(index in run for index, _ in detections) <= 1


@given(SCORES, st.floats(0.01, 0.99), PATIENCE)
def test_without_a_refractory_period_every_long_enough_stretch_is_heard(
    scores: list[float], threshold: float, patience: int
) -> None:
    long_enough = [run.start + patience - 1 for run in runs(scores, threshold) if len(run) >= patience]
    assert [index for index, _ in heard(scores, Trigger(threshold, patience))] == long_enough


@given(SCORES, st.floats(0.01, 0.99), PATIENCE, REFRACTORY_S, st.integers(0, 60))
def test_quiet_before_it_changes_nothing(
    scores: list[float], threshold: float, patience: int, refractory_s: float, quiet: int
) -> None:
    trigger = Trigger(threshold, patience)
    later = heard([0.0] * quiet + scores, trigger, refractory_s)
    assert [(index - quiet, detection) for index, detection in later] == heard(scores, trigger, refractory_s)


@given(SCORES, st.floats(0.01, 0.99), PATIENCE, REFRACTORY_S)
def test_a_word_of_less_than_the_threshold_changes_nothing_for_the_others(
    scores: list[float], threshold: float, patience: int, refractory_s: float
) -> None:
    trigger = Trigger(threshold, patience)
    events = WakeEvents({"word": trigger, "silent": Trigger(0.5)}, refractory_s)
    both = [(index, events.heard({"word": score, "silent": 0.49})) for index, score in enumerate(scores)]
    assert [(index, found) for index, found in both if found is not None] == heard(scores, trigger, refractory_s)

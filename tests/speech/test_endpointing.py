"""Endpointing on virtual time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.endpointing import MIN_SPEECH_MS, Decision, Ended, Endpointer, NothingSaid, Started

FRAME_MS = 32.0


def run(probabilities: list[float], **changes: float | None) -> list[Decision]:
    options: dict[str, float | None] = {
        "speech_probability": 0.5,
        "silence_s": 0.7,
        "max_utterance_s": 15.0,
        "start_timeout_s": 4.0,
        **changes,
    }
    endpointer = Endpointer(**options)  # type: ignore[arg-type]
    decisions = []
    for number, probability in enumerate(probabilities):
        decision = endpointer.frame(number * FRAME_MS, (number + 1) * FRAME_MS, probability)
        if decision is not None:
            decisions.append(decision)
    last = endpointer.finish(len(probabilities) * FRAME_MS)
    return [*decisions, last] if last is not None else decisions


def speech(seconds: float) -> list[float]:
    return [0.9] * round(seconds * 1000 / FRAME_MS)


def silence(seconds: float) -> list[float]:
    return [0.05] * round(seconds * 1000 / FRAME_MS)


def test_speech_and_silence_are_one_utterance() -> None:
    started, ended = run(silence(0.5) + speech(1.5) + silence(2))
    assert isinstance(started, Started)
    assert started.at_ms == pytest.approx(500, abs=FRAME_MS)
    assert isinstance(ended, Ended)
    assert ended.reason == "silence"
    assert ended.speech_end_ms == pytest.approx(2000, abs=FRAME_MS)
    assert ended.at_ms - ended.speech_end_ms == pytest.approx(700, abs=FRAME_MS)


def test_a_short_pause_does_not_end_it() -> None:
    decisions = run(speech(1) + silence(0.6) + speech(1) + silence(1))
    assert [type(decision) for decision in decisions] == [Started, Ended]
    assert isinstance(decisions[1], Ended)
    assert decisions[1].speech_end_ms == pytest.approx(2600, abs=2 * FRAME_MS)


def test_a_click_is_no_speech() -> None:
    assert run([0.99, 0.99, *silence(5)]) == [NothingSaid(4000.0)]


def test_endless_talk_is_cut_at_the_longest_utterance() -> None:
    decisions = run(speech(20))
    assert isinstance(decisions[-1], Ended)
    assert decisions[-1].reason == "max_length"
    assert decisions[-1].at_ms == pytest.approx(15_000, abs=2 * FRAME_MS)


def test_audio_that_stops_in_the_middle_ends_the_utterance() -> None:
    decisions = run(speech(1))
    assert isinstance(decisions[-1], Ended)
    assert decisions[-1].reason == "end_of_audio"


def test_without_a_time_to_start_it_waits_for_ever() -> None:
    assert [type(d) for d in run(silence(60), start_timeout_s=None)] == [NothingSaid]
    assert run(silence(60) + speech(1), start_timeout_s=None)[0] == Started(60_000.0)


def test_a_whole_clip_is_never_cut_by_silence() -> None:
    decisions = run(speech(1) + silence(30) + speech(1), silence_s=math.inf, max_utterance_s=math.inf)
    assert isinstance(decisions[-1], Ended)
    assert (len(decisions), decisions[-1].reason) == (2, "end_of_audio")


probabilities = st.lists(st.floats(0, 1), max_size=400)


@given(probabilities)
def test_it_decides_at_most_a_beginning_and_an_end(frames: list[float]) -> None:
    kinds = [type(decision) for decision in run(frames)]
    assert kinds in ([Started, Ended], [NothingSaid])


@given(probabilities)
def test_silence_ends_only_after_so_much_silence(frames: list[float]) -> None:
    for decision in run(frames):
        if isinstance(decision, Ended) and decision.reason == "silence":
            assert decision.at_ms - decision.speech_end_ms >= 700
            quiet = frames[round(decision.speech_end_ms / FRAME_MS) : round(decision.at_ms / FRAME_MS)]
            assert all(probability < 0.5 for probability in quiet)


@given(probabilities, st.floats(0.2, 3))
def test_no_utterance_is_longer_than_the_longest(frames: list[float], longest_s: float) -> None:
    decisions = run(frames, max_utterance_s=longest_s)
    if len(decisions) == 2 and isinstance(decisions[0], Started):
        assert decisions[1].at_ms - decisions[0].at_ms <= longest_s * 1000 + 2 * FRAME_MS + MIN_SPEECH_MS


@given(probabilities)
def test_what_comes_after_the_end_changes_nothing(frames: list[float]) -> None:
    decisions = run(frames)
    if isinstance(decisions[-1], Ended) and decisions[-1].reason == "silence":
        assert run(frames + speech(3)) == decisions

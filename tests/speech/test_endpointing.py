"""Endpointing on virtual time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import Words
from assistant.speech.endpointing import (
    HESITATION_S,
    MIN_SPEECH_MS,
    PAUSE_MS,
    AskAgain,
    Decision,
    Ended,
    Endpointer,
    NothingSaid,
    Patience,
    PauseBegan,
    Started,
    WentOn,
    required_silence_s,
)

FRAME_MS = 32.0


@dataclass(frozen=True)
class Witness:
    """What is said about each pause: the sound's probability, ``late_s`` after it began, and the words."""

    probability: float | None = None
    words: Words | None = None
    announced: bool = False
    late_s: float = 0.0


def run(frames: list[float], witness: Witness | None = None, **changes: Any) -> list[Decision]:
    options = {
        "patience": Patience(judged=witness is not None),
        "speech_probability": 0.5,
        "max_utterance_s": 15.0,
        "start_timeout_s": 4.0,
        **changes,
    }
    endpointer = Endpointer(options.pop("patience"), **options)
    decisions: list[Decision] = []
    pause: PauseBegan | None = None
    for number, probability in enumerate(frames):
        at_ms = (number + 1) * FRAME_MS
        decision = endpointer.frame(number * FRAME_MS, at_ms, probability)
        if decision is not None:
            decisions.append(decision)
        if isinstance(decision, PauseBegan):
            pause = decision
            if witness and witness.announced:
                endpointer.words_follow(pause.speech_end_ms)
        if pause and witness and at_ms - pause.at_ms >= witness.late_s * 1000:
            if witness.probability is not None:
                endpointer.judged(pause.speech_end_ms, witness.probability)
            if witness.words is not None:
                endpointer.told(pause.speech_end_ms, witness.words)
            pause = None
    last = endpointer.finish(len(frames) * FRAME_MS)
    return [*decisions, last] if last is not None else decisions


def bounds(decisions: list[Decision]) -> list[Decision]:
    """Without what happens in between."""
    return [decision for decision in decisions if not isinstance(decision, PauseBegan | AskAgain | WentOn)]


def silence_before_end_s(decisions: list[Decision]) -> float:
    ended = decisions[-1]
    assert isinstance(ended, Ended)
    assert ended.reason == "silence"
    return (ended.at_ms - ended.speech_end_ms) / 1000


def speech(seconds: float) -> list[float]:
    return [0.9] * round(seconds * 1000 / FRAME_MS)


def silence(seconds: float) -> list[float]:
    return [0.05] * round(seconds * 1000 / FRAME_MS)


def test_speech_and_silence_are_one_utterance() -> None:
    started, ended = bounds(run(silence(0.5) + speech(1.5) + silence(2)))
    assert isinstance(started, Started)
    assert started.at_ms == pytest.approx(500, abs=FRAME_MS)
    assert isinstance(ended, Ended)
    assert ended.reason == "silence"
    assert ended.speech_end_ms == pytest.approx(2000, abs=FRAME_MS)
    assert ended.at_ms - ended.speech_end_ms == pytest.approx(700, abs=FRAME_MS)


def test_a_short_pause_does_not_end_it() -> None:
    decisions = bounds(run(speech(1) + silence(0.6) + speech(1) + silence(1)))
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
    whole = Patience(fixed_s=math.inf, judged=False)
    decisions = bounds(run(speech(1) + silence(30) + speech(1), patience=whole, max_utterance_s=math.inf))
    assert isinstance(decisions[-1], Ended)
    assert (len(decisions), decisions[-1].reason) == (2, "end_of_audio")


probabilities = st.lists(st.floats(0, 1), max_size=400)


@given(probabilities)
def test_it_decides_at_most_a_beginning_and_an_end(frames: list[float]) -> None:
    kinds = [type(decision) for decision in bounds(run(frames))]
    assert kinds in ([Started, Ended], [NothingSaid])


@given(probabilities)
def test_silence_ends_only_after_so_much_silence(frames: list[float]) -> None:
    for decision in run(frames):
        if isinstance(decision, Ended) and decision.reason == "silence":
            assert decision.at_ms - decision.speech_end_ms >= 700
            quiet = frames[round(decision.speech_end_ms / FRAME_MS) : round(decision.at_ms / FRAME_MS)]
            clicks = [p >= 0.5 for p in quiet]
            assert not any(a and b for a, b in pairwise(clicks))


@given(probabilities, st.floats(0.2, 3))
def test_no_utterance_is_longer_than_the_longest(frames: list[float], longest_s: float) -> None:
    decisions = bounds(run(frames, max_utterance_s=longest_s))
    if len(decisions) == 2 and isinstance(decisions[0], Started):
        assert decisions[1].at_ms - decisions[0].at_ms <= longest_s * 1000 + 2 * FRAME_MS + MIN_SPEECH_MS


@given(probabilities)
def test_what_comes_after_the_end_changes_nothing(frames: list[float]) -> None:
    decisions = run(frames)
    if isinstance(decisions[-1], Ended) and decisions[-1].reason == "silence":
        assert run(frames + speech(3)) == decisions


# ── the witnesses of a pause ──────────────────────────────────────────────────────────────────────────────────────

ASKED = speech(1.5) + silence(4)


@pytest.mark.parametrize(
    ("probability", "words", "seconds"),
    [
        (0.9, Words.WHOLE, 0.2),
        (0.3, Words.WHOLE, 0.3),
        (0.05, Words.WHOLE, 0.6),
        (0.9, Words.DICTATED, 0.6),
        (0.3, Words.DICTATED, 0.9),
        (0.05, Words.DICTATED, 1.3),
        (0.9, Words.OPEN, 0.9),
        (0.3, Words.OPEN, 1.1),
        (0.05, Words.OPEN, 1.5),
        (0.9, Words.BROKEN_OFF, 1.3),
        (0.3, Words.BROKEN_OFF, 3.0),
        (0.9, None, 0.2),
        (0.3, None, 1.0),
        (0.05, None, 3.0),
        (None, Words.WHOLE, 3.0),
    ],
)
def test_sound_and_words_say_how_long_to_wait(probability: float | None, words: Words | None, seconds: float) -> None:
    decisions = run(ASKED, Witness(probability, words))
    assert silence_before_end_s(decisions) == pytest.approx(max(seconds, PAUSE_MS / 1000), abs=1.1 * FRAME_MS / 1000)


def test_announced_words_are_waited_for_although_the_sound_is_sure() -> None:
    decisions = run(ASKED, Witness(0.99, Words.WHOLE, announced=True, late_s=0.5))
    assert 0.5 < silence_before_end_s(decisions) < 0.7


def test_words_that_do_not_come_are_not_waited_for_for_ever() -> None:
    assert silence_before_end_s(run(ASKED, Witness(0.99, announced=True))) == pytest.approx(1.5, abs=0.04)


def test_a_thoughtful_pause_is_no_end_where_the_words_break_off() -> None:
    said = speech(1) + silence(0.8) + speech(1) + silence(4)
    decisions = run(said, Witness(0.99, Words.BROKEN_OFF))
    assert [type(decision) for decision in decisions][:4] == [Started, PauseBegan, WentOn, PauseBegan]
    assert bounds(decisions)[-1] == decisions[-1]
    assert isinstance(decisions[-1], Ended)
    assert decisions[-1].speech_end_ms == pytest.approx(2800, abs=2 * FRAME_MS)


def test_a_cough_before_the_sentence_is_no_utterance() -> None:
    decisions = run(speech(0.3) + silence(2) + speech(1) + silence(4), Witness(0.99, Words.NONE))
    assert [type(decision) for decision in decisions].count(Started) == 2
    assert isinstance(decisions[-1], NothingSaid)


def test_what_is_said_about_a_pause_that_is_over_changes_nothing() -> None:
    witness = Witness(0.99, Words.WHOLE, late_s=0.4)
    decisions = run(speech(1) + silence(0.3) + speech(1) + silence(0.1), witness)
    assert isinstance(decisions[-1], Ended)
    assert decisions[-1].reason == "end_of_audio"


@given(st.floats(0, 1), st.sampled_from([*Words, None]), st.booleans(), st.booleans())
def test_the_wait_is_never_shorter_than_the_shortest_nor_longer_than_the_longest(
    probability: float, words: Words | None, judged: bool, awaited: bool
) -> None:
    patience = Patience(finished_s=0.2, fixed_s=0.7, longest_s=3.0, judged=judged)
    assert 0.2 <= required_silence_s(patience, probability, words, awaited=awaited) <= 3.0


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([Words.WHOLE, Words.DICTATED, Words.OPEN, Words.BROKEN_OFF]))
def test_what_sounds_more_finished_is_waited_for_less(one: float, other: float, words: Words) -> None:
    less, more = sorted((one, other))
    assert required_silence_s(Patience(), more, words) <= required_silence_s(Patience(), less, words)


@given(st.floats(0, 1), st.booleans())
def test_hesitation_is_outwaited_unless_the_words_are_a_whole_command(probability: float, judged: bool) -> None:
    patience = Patience(judged=judged)
    assert required_silence_s(patience, probability, Words.OPEN) >= min(HESITATION_S, patience.longest_s)
    if judged and probability < 0.1:
        assert required_silence_s(patience, probability, Words.WHOLE) >= 0.6


ROWS = {
    "a whole command": Words.WHOLE,
    "a reminder or message that may be all": Words.DICTATED,
    "anything else": Words.OPEN,
    "broken off": Words.BROKEN_OFF,
}


def test_the_table_in_the_documentation_is_the_rule() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "talking.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- generated: tests/speech/test_endpointing.py -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    silent = Patience(judged=False)
    lines = [
        "| words | sounds finished (from 0.5) | doubtful (from 0.1) | unfinished | no turn model |",
        "|---|---|---|---|---|",
    ]
    for name, words in (*ROWS.items(), ("not transcribed ahead", None)):
        judged = [required_silence_s(Patience(), probability, words) for probability in (0.5, 0.1, 0.0)]
        seconds = [*judged, required_silence_s(silent, None, words)]
        lines.append(f"| {name} | {' | '.join(f'{value:.1f}' for value in seconds)} |")
    assert table.strip() == "\n".join(lines)

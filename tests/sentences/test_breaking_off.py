"""Which utterances break off: the person hesitates, and endpointing waits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import WantedCall
from assistant.sentences.breaking_off import breaks_off, dictates, may_be_all

EVAL = Path(__file__).parent.parent / "eval"


@pytest.mark.parametrize(
    "text",
    [
        "turn off the",
        "Turn off the...",
        "is gitea up and",
        "remind me to",
        "set a timer for ten",
        "what's",
        "how is my",
        "wake me at half past",
        "switch on",
        "the backup of",
        "is the",
        "Back up.",
        "run",
    ],
)
def test_more_has_to_follow(text: str) -> None:
    assert breaks_off(text)


@pytest.mark.parametrize(
    "text",
    [
        "turn it off",
        "is the backup ok?",
        "what's down?",
        "wake me at seven",
        "set a timer for ten minutes",
        "yes",
        "stop",
        "what is the heating set to",
        "how are they",
        "who is that",
        "dim the lights to thirty percent",
        "",
    ],
)
def test_it_may_be_all(text: str) -> None:
    assert not breaks_off(text)


def test_of_the_sentences_that_people_said_to_us_hardly_one_seems_to_break_off() -> None:
    said = [
        turn["text"]
        for name in ("dev.jsonl", "frozen_2026-11-21.jsonl", "paraphrases_2.jsonl", "paraphrases_10.jsonl")
        for line in (EVAL / name).read_text(encoding="utf-8").splitlines()
        for row in [json.loads(line)]
        for turn in row.get("turns", [row])
    ]
    wrong = [text for text in said if breaks_off(text)]
    assert len(said) > 500
    assert len(wrong) / len(said) < 0.01, wrong


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert breaks_off(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "call", "dictated"),
    [
        ("Remind me to take.", WantedCall("schedule", {"what": "remind me to take", "when": "at 18:00"}), True),
        ("Remind me to take it out at six.", WantedCall("schedule", {"what": "remind me to take it out"}), False),
        ("Tell everyone that dinner is ready!", WantedCall("notify", {"message": "dinner is ready"}), True),
        ("back up the photos every sunday", WantedCall("schedule", {"what": "back up the photos"}), False),
        ("schedule a backup of photos", WantedCall("schedule", {"what": "backup of photos"}), False),
        ("turn on the desk lamp", WantedCall("home_control", {"target": "desk lamp"}), False),
    ],
)
def test_what_ends_in_words_of_ones_own_may_go_on(text: str, call: WantedCall, dictated: bool) -> None:
    assert dictates(text, [call]) is dictated
    assert not dictates(text, [])


@pytest.mark.parametrize(
    ("text", "call", "all_of_it"),
    [
        ("remind me to take", WantedCall("schedule", {"what": "remind me to take"}), False),
        ("remind me to take out", WantedCall("schedule", {"what": "remind me to take out"}), False),
        ("remind me to take out the", WantedCall("schedule", {"what": "remind me to take out the"}), False),
        ("remind me to take out the trash", WantedCall("schedule", {"what": "remind me to take out the trash"}), True),
        ("tell everyone that dinner is ready", WantedCall("notify", {"message": "dinner is ready"}), True),
        ("tell everyone dinner", WantedCall("notify", {"message": "dinner"}), False),
        ("turn on the desk lamp", WantedCall("home_control", {"target": "desk lamp"}), False),
    ],
)
def test_what_is_dictated_may_be_all_of_it_once_it_has_an_object(text: str, call: WantedCall, all_of_it: bool) -> None:
    assert may_be_all(text, [call]) is all_of_it

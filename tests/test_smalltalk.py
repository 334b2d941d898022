"""Sums, the clock and thanks: facts and manners that need neither a tool nor a model."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.phrases import phrase
from assistant.smalltalk import LIMIT, arithmetic, spoken_answer

NOW = datetime(2026, 5, 13, 7, 5).astimezone()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("what's seventeen times twenty three?", "That is 391."),
        ("What is 12 plus 30", "That is 42."),
        ("12+30", "That is 42."),
        ("what is 7 × 6", "That is 42."),
        ("how much is 84 ÷ 2?", "That is 42."),
        ("calculate 50 minus 8", "That is 42."),
        ("what is 15% of 80", "That is 12."),
        ("what is 20 percent of 50", "That is 10."),
        ("what is half of nine", "That is 4.5."),
        ("what is 10 divided by 4", "That is 2.5."),
        ("what is 2 divided by 3", "That is about 0.67."),
        ("what is the square root of 81", "That is 9."),
        ("what is 12 squared", "That is 144."),
        ("what is twice eleven", "That is 22."),
        ("hey jarvis, what is two plus two please", "That is 4."),
    ],
)
def test_sums_of_two_numbers(text: str, answer: str) -> None:
    assert arithmetic(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "what is 5 divided by 0",
        "what is a backup",
        "what is the difference between borg and restic",
        "how much is the fish",
        "turn the lights to 50 percent",
        "wake me in 10 minutes and 5",
        "set a timer for 5 and 10 minutes",
        "two and two",
        "is jellyfin up",
        "",
        "what is 999999999999 times 999999999999",
    ],
)
def test_what_is_no_such_sum_is_left_to_others(text: str) -> None:
    assert arithmetic(text) is None


@given(st.integers(0, 10**5), st.integers(0, 10**5))
def test_sums_are_right(left: int, right: int) -> None:
    assert arithmetic(f"what is {left} plus {right}") == f"That is {left + right}."
    assert arithmetic(f"what is {left} times {right}") == (f"That is {left * right}." if left * right < LIMIT else None)
    assert arithmetic(f"what is {left} minus {right}") == f"That is {left - right}."


@given(st.text(max_size=60))
def test_no_text_breaks_the_sums(text: str) -> None:
    found = arithmetic(text)
    assert found is None or found.startswith("That is ")


def test_the_clock_and_the_date_are_those_of_the_house() -> None:
    assert spoken_answer("clock", NOW) == "It is 07:05."
    assert spoken_answer("calendar", NOW) == "Today is Wednesday, May 13, 2026."


def test_everything_else_is_a_phrase() -> None:
    assert spoken_answer("thanks", NOW) == phrase("thanks")
    with pytest.raises(KeyError):
        spoken_answer("nonsense", NOW)

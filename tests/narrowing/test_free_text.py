"""Messages, timers and tasks in the speaker's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.narrowing.free_text import message_in, task_in, timer_called
from assistant.sentences.normalize import plain_words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("send a message to my phone that dinner is ready", "dinner is ready"),
        ("pop a note on my phone that grandpa's asleep", "grandpa's asleep"),
        ("phone message: bring bread", "bring bread"),
        ("write me on my phone that the laundry is finished", "the laundry is finished"),
        ("is my phone charged", None),
        ("the phone rang twice", None),
    ],
)
def test_a_message_is_taken_down_as_it_was_said(text: str, message: str | None) -> None:
    assert message_in(plain_words(text), text) == message


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("stick a timer on", "timer"),
        ("a timer please for the rice", "rice timer"),
        ("put the pasta timer on", "pasta timer"),
        ("set a kitchen timer", "timer"),
        ("cancel the timer", None),
        ("how long is the timer", None),
        ("i had a timer", None),
        ("start the washing", None),
    ],
)
def test_a_timer_is_called_by_what_it_is_for(words: str, name: str | None) -> None:
    assert timer_called(words) == name


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("cancel my reminder about the bins", "reminder about the bins"),
        ("get rid of the pasta timer", "pasta timer"),
        ("how long is the timer", None),
        ("cancel my subscription", None),
    ],
)
def test_the_task_is_called_by_all_its_words(text: str, task: str | None) -> None:
    assert task_in(plain_words(text), text) == task


@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    words = plain_words(text)
    message_in(words, text)
    timer_called(words)
    task_in(words, text)

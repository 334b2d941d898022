"""The wake phrase comes off the front of a transcript, however it was written, and no other word does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.wake_phrase import likeness, spoken_wake_word, without_wake_phrase

HEARD_AS = [
    "Hey Jarvis", "Hey, Jarvis", "hey jarvis", "Hey Jervis", "Hey, Jervis", "A Jarvis", "Hey Charvis", "Hay Jarvis",
    "Hi Jarvis", "Hello, Jarvis", "OK Jarvis", "Okay, Jarvis", "Jarvis", "Jarvus", "Hey Travis", "Hey, Travis",
    "Hey Davis", "Hey Jardis", "He Jarvis", "Heyjarvis", "Hejarvis", "Hey-Jarvis", "hey jarvises", "Hey Garvis",
    "Hey Javis", "Hey Jarvas", "Hey Jar", "Hey Jarvis's", "Hey Jarviss", "Eh, Jervis", "Yo Jarvis",
]  # fmt: skip


@pytest.mark.parametrize("phrase", HEARD_AS)
@pytest.mark.parametrize("between", [" ", ", ", ". ", "! ", "… "])
def test_the_wake_phrase_is_taken_off_however_it_is_written(phrase: str, between: str) -> None:
    assert without_wake_phrase(f"{phrase}{between}is the backup okay?") == "is the backup okay?"


@pytest.mark.parametrize("phrase", [heard for heard in HEARD_AS if " " in heard or "Jarvis" in heard])
@pytest.mark.parametrize("end", ["", ".", "?", "!", "..."])
def test_the_wake_phrase_alone_is_nothing(phrase: str, end: str) -> None:
    assert without_wake_phrase(phrase + end) == ""


@pytest.mark.parametrize("said", ["Travis, is gitea up?", "Davis. What is down?", "Travis: lights off"])
def test_a_name_that_is_mistaken_for_it_counts_alone_when_it_is_set_off(said: str) -> None:
    assert without_wake_phrase(said).split()[0] not in ("Travis,", "Davis.", "Travis:")


@pytest.mark.parametrize(
    "said",
    [
        "hey, is gitea up?",
        "hey what is down",
        "Hey.",
        "okay",
        "Hi there",
        "a service is down",
        "hey service is down",
        "a garage door is open",
        "hey, garage door",
        "hey grafana is down",
        "he is home",
        "a jar is open",
        "ask travis about it",
        "is the jarvis container up?",
        "Travis is at the door",
        "Travis",
        "Davis.",
        "okay, restart gitea",
        "hello nextcloud",
        "hey, jellyfin, are you up?",
        "harvest the tomatoes",
    ],
)
def test_real_words_stay(said: str) -> None:
    assert without_wake_phrase(said) == said


@pytest.mark.parametrize(
    ("word", "heard", "said"),
    [
        ("computer", "Computer, lights on", "lights on"),
        ("computer", "computer lights on", "lights on"),
        ("computer", "Computers, lights on", "lights on"),
        ("alexa", "Alexa, what's down?", "what's down?"),
        ("alexa", "Alex, what's down?", "what's down?"),
        ("hey_mycroft", "Hey Mycroft, lights on", "lights on"),
        ("hey_mycroft", "hey my croft lights on", "lights on"),
        ("hey_mycroft", "Hey Microft lights on", "lights on"),
        ("hey_mycroft", "hey minecraft is down", "hey minecraft is down"),
        ("ok_nabu", "Okay, Naboo, lights on", "lights on"),
        ("my_house", "my house, lights on", "lights on"),
        ("alexa", "Hey Jarvis, lights on", "Hey Jarvis, lights on"),
        ("computer", "compute the sum", "compute the sum"),
        ("alexa", "next timer", "next timer"),
    ],
)
def test_the_configured_wake_word_counts(word: str, heard: str, said: str) -> None:
    assert without_wake_phrase(heard, (word,)) == said


def test_each_of_several_wake_words_comes_off_and_none_when_there_is_none() -> None:
    words = ("hey_jarvis", "computer")
    assert without_wake_phrase("Hey Jarvis. Computer, lights on", words) == "lights on"
    assert without_wake_phrase("Hey Jarvis, lights on", ()) == "Hey Jarvis, lights on"


def test_a_wake_word_is_said_as_its_name() -> None:
    assert spoken_wake_word("hey_jarvis") == "hey jarvis"
    assert spoken_wake_word("hey_jarvis_v0.1") == "hey jarvis"


@given(st.text(max_size=60), st.sampled_from([("hey_jarvis",), ("computer", "alexa"), ("hey",), ("_",), ()]))
def test_what_is_left_is_the_end_of_the_text_and_has_no_phrase(text: str, words: tuple[str, ...]) -> None:
    left = without_wake_phrase(text, words)
    assert text.endswith(left)
    assert without_wake_phrase(left, words) == left


def test_likeness_goes_by_sound_and_spelling() -> None:
    assert likeness("jarvis", "jarvis") == 1.0
    assert likeness("jervis", "jarvis") > 0.9 > 0.75 > likeness("service", "jarvis") > likeness("gitea", "jarvis")

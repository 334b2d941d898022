"""From what Whisper wrote to what was said."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.text.transcript import HALLUCINATIONS, clean_transcript, is_nothing


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("Hey Jarvis, is the backup okay?", "is the backup okay?"),
        (" Hey, Jarvis is the backup okay.", "is the backup okay."),
        ("hey jarvis what's down", "what's down"),
        ("Hey Travis, is Jellyfin up?", "is Jellyfin up?"),
        ("Jarvis. Is gitea up?", "Is gitea up?"),
        ("Hey Jarvis! Hey Jarvis, is it on?", "is it on?"),
        ("Is the backup okay?", "Is the backup okay?"),
        ("[BLANK_AUDIO]", ""),
        ("(upbeat music) what's down", "what's down"),
        ("♪♪", ""),
        ("Hey Jarvis.", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_wake_phrase_and_marks_are_taken_off(heard: str, said: str) -> None:
    assert clean_transcript(heard) == said


@pytest.mark.parametrize("said", ["is the jarvis container up?", "ask travis about it", "hey, what is down?"])
def test_only_the_start_and_only_the_whole_phrase_is_taken_off(said: str) -> None:
    assert clean_transcript(said) == said


def test_the_configured_wake_words_are_taken_off() -> None:
    assert clean_transcript("Computer, is it on?", ("computer",)) == "is it on?"
    assert clean_transcript("Computer, is it on?") == "Computer, is it on?"
    assert clean_transcript("Hey Jervis. [BLANK_AUDIO]") == ""


@given(st.text(max_size=80))
@example("a jarvis a jarvis")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_transcript(text)
    assert clean_transcript(once) == once


@pytest.mark.parametrize("phrase", sorted(HALLUCINATIONS))
def test_a_known_phrase_over_silence_is_nothing(phrase: str) -> None:
    assert is_nothing(phrase.capitalize() + ".", no_speech_probability=0.7, average_log_probability=-0.5)


def test_a_real_thank_you_is_something() -> None:
    assert not is_nothing("Thank you.", no_speech_probability=0.02, average_log_probability=-0.2)


def test_improbable_speech_is_nothing_whatever_it_says() -> None:
    assert is_nothing("is the backup okay?", no_speech_probability=0.9, average_log_probability=-1.5)
    assert is_nothing("is the backup okay?", no_speech_probability=0.1, average_log_probability=-1.5)
    assert not is_nothing("is the backup okay?", no_speech_probability=0.1, average_log_probability=-0.3)


@pytest.mark.parametrize(
    "phrase",
    [
        "Thanks for watching!",
        "Thank you so much for watching.",
        "Please subscribe.",
        "Don't forget to like and subscribe",
    ],
)
def test_what_nobody_says_to_a_house_is_nothing_however_sure_whisper_is(phrase: str) -> None:
    assert is_nothing(phrase, no_speech_probability=0.0, average_log_probability=-0.1)


@pytest.mark.parametrize("answer", ["yes", "no", "stop", "thanks", "thank you", "okay", "cancel", "bye", "go on", "mm"])
def test_a_short_answer_that_is_heard_clearly_is_something(answer: str) -> None:
    assert not is_nothing(f"{answer.capitalize()}.", no_speech_probability=0.1, average_log_probability=-0.5)

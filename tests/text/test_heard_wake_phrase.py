"""The wake phrase where the sound says that it was said, whatever Whisper wrote for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.transcript import clean_transcript


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hey Jarvis, is the backup ok?", "is the backup ok?"),
        ("K Jarvis what's scheduled?", "what's scheduled?"),
        ("Here Jarvis restart nextcloud.", "restart nextcloud."),
        ("H-Jarvis started the Windows VM", "started the Windows VM"),
        ("H-R-V-S is the front door locked.", "is the front door locked."),
        ("Hitch-ardis is jellyfin up.", "is jellyfin up."),
        ("Hey, service, is gitea up", "is gitea up"),
        ("K Jarvis.", ""),
    ],
)
def test_it_is_taken_off(written: str, said: str) -> None:
    assert clean_transcript(written, woken=True) == said


@pytest.mark.parametrize(
    "said",
    [
        "is the backup ok?",
        "Hey, is gitea up?",
        "start the windows vm",
        "there was a restart",
        "yes",
        "stop",
        "turn off the lights",
        "how are the services",
        "is home assistant up",
        "give me the alerts",
    ],
)
def test_an_utterance_without_it_keeps_its_words(said: str) -> None:
    assert clean_transcript(said, woken=True) == said


def test_other_wake_words_are_as_good() -> None:
    assert clean_transcript("The computer, lights on", ("computer",), woken=True) == "lights on"


@given(st.text())
def test_what_is_left_is_an_end_of_what_was_written(text: str) -> None:
    assert " ".join(text.split()).replace(" ", "").endswith(clean_transcript(text, woken=True).replace(" ", "")) or any(
        mark in text for mark in "[(*♪♫"
    )

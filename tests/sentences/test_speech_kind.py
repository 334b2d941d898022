"""Questions, orders, and what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sentences import is_question, speech_of
from tools.contract import Speech


@pytest.mark.parametrize(
    "text",
    [
        "is the backup ok?",
        "Isn't jellyfin up",
        "what's down right now",
        "can the databases be restored?",
        "can we restart gitea",
        "what if I restart gitea",
        "could you please tell me if gitea is up",
        "do the backups work?",
        "do we have a backup of the photos",
        "restart gitea?",
        "any alerts?",
        "and is it backed up",
        "I was wondering if the heating is on",
    ],
)
def test_questions(text: str) -> None:
    assert speech_of(text) is Speech.QUESTION
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "back up the documents now",
        "hey jarvis, could you restart gitea?",
        "could you back up everything?",
        "please turn off all my lights",
        "turn off the lights, can you?",
        "would you mind restarting gitea",
        "every sunday at three run a restore test of photos",
        "in ten minutes turn off the heater",
        "do a backup of the photos",
        "then test the restore",
    ],
)
def test_orders(text: str) -> None:
    assert speech_of(text) is Speech.ORDER


@pytest.mark.parametrize("text", ["", "no", "yes", "don't turn off the lights", "um, never mind", "gitea is down", "…"])
def test_what_neither_asks_nor_orders(text: str) -> None:
    assert speech_of(text) is Speech.UNKNOWN


@given(st.text(max_size=60))
def test_a_negated_sentence_is_never_an_order(text: str) -> None:
    assert speech_of(f"don't {text}") is not Speech.ORDER


@given(st.text(max_size=60))
def test_any_text_has_a_kind(text: str) -> None:
    assert speech_of(text) in Speech

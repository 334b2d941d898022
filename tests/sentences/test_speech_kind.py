"""Questions, orders, and what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sentences import (
    certain_speech,
    is_bare_answer,
    is_beyond,
    is_hypothetical,
    is_question,
    is_reported,
    is_waved_off,
    speech_of,
)
from assistant.sentences.speech_kind import is_message, is_remark, may_act, orders_a_look
from tests.unmeant import DEEDS, Deed, utterances
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


GUARDS = (is_waved_off, is_hypothetical, is_reported, is_beyond)
"""What is no request, whatever a template or a model would make of it."""


# ── what may act ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_what_nobody_ordered_is_never_certainly_an_order(deed: Deed) -> None:
    certain = [
        one.text
        for one in utterances(deed, 5)
        if certain_speech(one.text) is Speech.ORDER and not any(guard(one.text) for guard in GUARDS)
    ]
    assert certain == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_what_is_ordered_is_an_order_however_politely(deed: Deed) -> None:
    for text in (
        deed.order,
        f"hey jarvis, {deed.order}, please",
        f"could you {deed.order}?",
        f"please {deed.order} now",
    ):
        assert speech_of(text) is certain_speech(text) is Speech.ORDER, text
        assert may_act(text)
        assert [guard.__name__ for guard in GUARDS if guard(text)] == []


@given(st.text(max_size=60))
def test_a_question_may_not_act(text: str) -> None:
    if speech_of(text) is Speech.QUESTION:
        assert not may_act(text)
        assert certain_speech(text) is Speech.QUESTION


@pytest.mark.parametrize(
    "text",
    ['say "turn off the lights"', "„turn off the lights“", "let's not turn off the lights", "turn it off if it is on",
     "you never turn off the lights", "instead of restarting gitea", "I wish you would turn off the lights"],
)  # fmt: skip
def test_quoted_negated_or_conditional_words_may_not_act(text: str) -> None:
    assert not may_act(text)


def test_what_somebody_is_to_be_reminded_of_may_be_negated() -> None:
    assert may_act("remind me not to turn off the heating tomorrow")
    assert certain_speech("remind me not to turn off the heating tomorrow") is Speech.ORDER


# ── what is no request ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["don't check the backups", "never mind", "no, never mind", "forget it", "stop asking"]
)
def test_waved_off(text: str) -> None:
    assert is_waved_off(text)


@pytest.mark.parametrize(
    "text",
    ["what would happen if jellyfin went down", "should I restart it?", "suppose gitea is down", "what if it burns"],
)
def test_hypothetical(text: str) -> None:
    assert is_hypothetical(text)


@pytest.mark.parametrize(
    "text", ["I told her that the lights are off", "she said restart gitea", "I was going to, but"]
)
def test_reported(text: str) -> None:
    assert is_reported(text)


@pytest.mark.parametrize("text", ["install updates", "delete the photos backup", "no, erase everything", "play music"])
def test_beyond_what_any_tool_does(text: str) -> None:
    assert is_beyond(text)


@pytest.mark.parametrize(
    "text", ["is the backup ok", "restart gitea", "delete the timer", "what's the time", "turn off the lights", "gitea"]
)
def test_a_plain_request_is_none_of_them(text: str) -> None:
    assert [guard.__name__ for guard in GUARDS if guard(text)] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("send a message that dinner is ready", True),
        ("remind me to water the plants", True),
        ("restart gitea", False),
        ("is gitea up", False),
    ],
)
def test_a_message_is_for_somebody_else(text: str, message: bool) -> None:
    assert is_message(text) is message


@pytest.mark.parametrize(
    ("text", "remark"),
    [("the sandbox hangs", True), ("we are going to bed", True), ("restart gitea", False), ("is it up?", False),
     ("it is not up", False), ("if it hangs", False)],
)  # fmt: skip
def test_a_remark_states_and_forbids_nothing(text: str, remark: bool) -> None:
    assert is_remark(text) is remark


@pytest.mark.parametrize(
    ("text", "bare"), [("yes", True), ("No.", True), ("do it", True), ("yes, restart gitea", False)]
)
def test_a_bare_answer_says_nothing_else(text: str, bare: bool) -> None:
    assert is_bare_answer(text) is bare


@pytest.mark.parametrize(
    ("text", "look"),
    [("check the backups", True), ("please show me the alerts", True), ("restart gitea", False), ("", False)],
)
def test_a_look_can_be_ordered(text: str, look: bool) -> None:
    assert orders_a_look(text) is look

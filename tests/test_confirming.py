"""What counts as a yes to an open question, and what does not although it is made of the same words."""

from __future__ import annotations

import pytest

from assistant.confirming import is_yes
from tests.unmeant import ASIDES, DEEDS, Deed, utterances

QUESTION = "Shall I restart gitea?"


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes, please.", "do it", "okay, do it", "yes, do it", "yeah, please do it", "go ahead", "yes, restart it",
     "sure", "please do", "of course", "that is right", "you can go ahead", "absolutely", "yes, I would like that"],
)  # fmt: skip
def test_a_yes_in_many_forms(text: str) -> None:
    assert is_yes(text, QUESTION)


@pytest.mark.parametrize("text", ASIDES)
def test_what_is_asked_or_said_beside_the_question_is_no_yes(text: str) -> None:
    assert not is_yes(text, QUESTION)


@pytest.mark.parametrize("deed", [deed for deed in DEEDS if deed.destructive], ids=lambda deed: deed.name)
def test_no_question_negation_or_hypothetical_about_the_deed_is_a_yes_to_it(deed: Deed) -> None:
    for seed in range(8):
        for it in (False, True):
            everything = utterances(deed, seed, it=it)
            assert [one.text for one in everything if is_yes(one.text, f"Shall I {deed.order}?")] == []

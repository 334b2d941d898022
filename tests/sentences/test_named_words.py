"""A device's own words speak against no order."""

from __future__ import annotations

import pytest

from assistant.sentences.named_words import without_names

DEVICES = {"movie night": ("cinema song",), "desk lamp": (), "never off lamp": ()}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Activate movie night", "activate thing"),
        ("Is movie night on?", "is thing on?"),
        ("play the cinema song", "play the thing"),
        ("turn on the desk lamp", "turn on the desk lamp"),
        ("in the movie he turns off the desk lamp", "in the movie he turns off the desk lamp"),
        ("turn on the never off lamp", "turn on the never off lamp"),
    ],
)
def test_only_names_that_hold_a_topic_are_lifted(text: str, meant: str) -> None:
    assert without_names(text, DEVICES) == meant

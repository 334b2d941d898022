"""What the synthesizer gets to say."""

from __future__ import annotations

import re

import pytest

from assistant.phrases import load
from assistant.text.spoken import to_spoken
from tests.seeded_results import turns
from tests.text.spoken_examples import EXAMPLES

PAIRS = [pair for pairs in EXAMPLES.values() for pair in pairs]


@pytest.mark.parametrize(("written", "said"), PAIRS)
def test_it_is_said_as_a_person_would(written: str, said: str) -> None:
    assert to_spoken(written) == said


@pytest.mark.parametrize("said", [said for _, said in PAIRS])
def test_what_is_speech_already_stays_as_it_is(said: str) -> None:
    assert to_spoken(said) == said


def test_what_the_tools_say_is_speech_already() -> None:
    said = {result.spoken for turn in turns(seed=4, count=300) for result in turn.results}
    assert len(said) > 100
    assert [text for text in said if to_spoken(text) != text] == []


def test_what_is_said_in_its_own_name_is_speech_already() -> None:
    phrases = load()
    said = [*phrases.phrases.values(), *phrases.errors.values(), *phrases.stages.values(), *phrases.kinds.values()]
    filled = [re.sub(r"\{\w+\}", "Gitea", text) for text in said]
    assert [text for text in filled if to_spoken(text) != text] == []

"""What the synthesizer gets to say."""

from __future__ import annotations

import pytest

from assistant.text.spoken import to_spoken
from tests.text.spoken_examples import EXAMPLES

PAIRS = [pair for pairs in EXAMPLES.values() for pair in pairs]


@pytest.mark.parametrize(("written", "said"), PAIRS)
def test_it_is_said_as_a_person_would(written: str, said: str) -> None:
    assert to_spoken(written) == said


@pytest.mark.parametrize("said", [said for _, said in PAIRS])
def test_what_is_speech_already_stays_as_it_is(said: str) -> None:
    assert to_spoken(said) == said

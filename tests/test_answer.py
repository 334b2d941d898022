"""A model's own words, where no tool stands behind them: what states a fact is neither shown nor said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import OwnWords
from assistant.phrases import phrase
from tests.seeded_results import house_names

NAMES = house_names()
UNCHECKED = phrase("unchecked")
TALK = ("Hello there.", "You're welcome.", "A backup is a copy.", "Do you mean gitea?", "I can't do that.")
CLAIMS = (
    "Gitea is up.",
    "It is 21 degrees.",
    "You have three reminders.",
    "The lights are off.",
    "I've restarted it for you.",
    "Everything is fine.",
    "Immich stores the photos.",
    "Gitea is down, isn't it?",
)


def said(text: str, cuts: list[int] | None = None, *, answered: bool = False) -> tuple[str, list[str]]:
    """What is shown of ``text``, which streams in cut into pieces, and what is spoken in the end."""
    words = OwnWords(NAMES)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts or ()), len(text)]
    shown = [delta for at, end in itertools.pairwise(edges) for delta in words.feed(text[at:end])]
    shown += words.flush()
    return "".join(delta.text for delta in shown), [one.text for one in words.sentences(text, said=answered)]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("answered", [False, True])
def test_a_fact_of_the_models_own_is_neither_shown_nor_said(claim: str, answered: bool) -> None:
    shown, spoken = said(f"Hello there. {claim} Anything else?", answered=answered)
    assert shown == "Hello there."
    assert spoken == ([] if answered else [UNCHECKED])


@given(st.lists(st.sampled_from((*TALK, *CLAIMS)), min_size=1, max_size=5), st.lists(st.integers(0, 150), max_size=8))
def test_how_the_words_stream_in_makes_no_difference(sentences: list[str], cuts: list[int]) -> None:
    text = " ".join(sentences)
    assert said(text, cuts) == said(text)


@given(st.lists(st.sampled_from((*TALK, *CLAIMS)), min_size=1, max_size=5))
def test_talk_is_said_whole_and_nothing_that_has_a_fact_in_it(sentences: list[str]) -> None:
    shown, spoken = said(" ".join(sentences))
    assert not any(claim in shown for claim in CLAIMS)
    assert spoken == ([UNCHECKED] if set(sentences) & set(CLAIMS) else sentences)

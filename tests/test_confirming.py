"""What counts as a yes to an open question, and what does not although it is made of the same words."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assistant.confirming import begins_with_no, is_no, is_yes
from assistant.sentences.normalize import grammar_file, plain_words
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


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = {key: frozenset(grammar_file("confirm", "en")[key]) for key in ("yes", "no", "small")}
ALLOWED = WORDS["yes"] | WORDS["small"] | set(plain_words(QUESTION).split())
SPOKEN = st.lists(st.sampled_from(sorted(ALLOWED)), max_size=6)
ANY_WORD = st.from_regex(r"[a-z]{2,12}", fullmatch=True)


@given(SPOKEN, ANY_WORD, st.integers(0, 6))
def test_a_word_that_is_none_of_assent_politeness_or_the_question_makes_it_no_yes(
    around: list[str], word: str, place: int
) -> None:
    said = " ".join([*around[:place], word, *around[place:]])
    assume(not set(plain_words(said).split()) <= ALLOWED)
    assert not is_yes(said, QUESTION)


@given(SPOKEN, st.sampled_from(sorted(WORDS["no"])), st.integers(0, 6))
def test_a_word_of_refusal_makes_it_no_yes_wherever_it_stands(around: list[str], no: str, place: int) -> None:
    assert not is_yes(" ".join([*around[:place], no, *around[place:]]), QUESTION)


@given(st.lists(st.sampled_from(sorted(WORDS["small"] | set(plain_words(QUESTION).split()))), max_size=6))
def test_without_a_word_of_assent_it_is_no_yes(words: list[str]) -> None:
    said = " ".join(words)
    assume(not set(plain_words(said).split()) & WORDS["yes"])
    assert not is_yes(said, QUESTION)


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_is_a_yes_and_a_no(text: str, question: str) -> None:
    assert not (is_yes(text, question) and is_no(text, question))


@given(SPOKEN)
def test_only_what_the_question_said_may_be_repeated_in_a_yes(words: list[str]) -> None:
    assert not is_yes(" ".join([*words, "gitea"]), "Shall I unlock the front door?")


@pytest.mark.parametrize(
    ("text", "no"),
    [
        ("no", True),
        ("No, thank you.", True),
        ("nope, don't restart it", True),
        ("never mind", True),
        ("cancel", True),
        ("better not", True),
        ("yes", False),
        ("", False),
        ("no, restart jellyfin instead", False),
        ("no, what is the weather", False),
    ],
)
def test_a_no_says_nothing_else(text: str, no: bool) -> None:
    assert is_no(text, QUESTION) is no


@pytest.mark.parametrize("text", ["no, leave it closed", "Nope, the kids are asleep", "do not, I am working on it"])
def test_a_no_with_a_reason_begins_with_it(text: str) -> None:
    assert begins_with_no(text)
    assert not is_yes(text, QUESTION)


@pytest.mark.parametrize("text", ["yes", "is gitea up", "", "turn off the lights", "know"])
def test_what_does_not_begin_with_a_no(text: str) -> None:
    assert not begins_with_no(text)

"""Where an utterance may be split, and what its halves lend each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.sentences.clauses import MAX_CARRIED, completed, halves, sentences_of

WORDS = st.lists(st.sampled_from(["turn", "off", "the", "lights", "and", "then", "also", "plus", "gitea"]), max_size=9)


def test_pauses_part_sentences_and_fillers_fall_out() -> None:
    assert sentences_of("Is gitea up? Restart it, please - um, now") == ["is gitea up", "restart it"]
    assert sentences_of("set it to 21.5 degrees") == ["set it to 21.5 degrees"]
    assert sentences_of("") == []


def test_every_joint_is_tried_with_its_longest_wording() -> None:
    assert next(halves("turn off the lights and then start windows")) == ("turn off the lights", "start windows")
    assert list(halves("turn off the lights")) == []
    assert list(halves("and lights")) == []


@given(WORDS)
def test_halves_are_what_was_said_without_a_joint(words: list[str]) -> None:
    for left, right in halves(" ".join(words)):
        assert left
        assert right
        assert words[: len(left.split())] == left.split()
        assert words[-len(right.split()) :] == right.split()
        assert len(left.split()) + len(right.split()) < len(words)


def test_the_second_half_borrows_the_verb_of_the_first() -> None:
    assert ("turn off the lights", "turn off the television") in list(
        completed("turn off the lights", "the television")
    )


def test_the_first_half_borrows_the_end_of_the_second() -> None:
    pairs = list(completed("turn the kitchen", "the hallway light off"))
    assert ("turn the kitchen light off", "turn the hallway light off") in pairs


@given(WORDS, WORDS)
def test_no_half_borrows_more_than_a_few_words(left: list[str], right: list[str]) -> None:
    for one, other in completed(" ".join(left), " ".join(right)):
        assert 0 <= len(one.split()) - len(left) <= MAX_CARRIED
        assert 0 <= len(other.split()) - len(right) <= MAX_CARRIED

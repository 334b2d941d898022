"""Cutting for an early beginning loses no phoneme and no frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.speech.clauses import CLAUSE_PHONEMES, first_clause, join_fragments, stretches

SENTENCE = list("ðə foʊtoʊz bækʌp ɪz oʊkeɪ, ænd ɪt wʌz tɛstɪd jɛstɚdeɪ ɑftɚnun.")
phonemes = st.lists(st.sampled_from(list("abcɪʊ ,;:.")), max_size=200)


@given(phonemes, st.integers(0, 200))
def test_the_clauses_together_are_the_sentence(sentence: list[str], longer_than: int) -> None:
    clauses = first_clause(sentence, longer_than=longer_than)
    assert [sign for clause in clauses for sign in clause] == sentence
    if len(clauses) > 1:
        assert all(len(clause) >= CLAUSE_PHONEMES - 1 for clause in clauses)


def test_a_long_sentence_begins_with_its_first_clause() -> None:
    first, rest = first_clause(SENTENCE, longer_than=40)
    assert "".join(first) == "ðə foʊtoʊz bækʌp ɪz oʊkeɪ, "
    assert rest[0] == "æ"


@pytest.mark.parametrize(
    "sentence", ["jɛs, ðə foʊtoʊz bækʌp ɪz oʊkeɪ ænd wʌz tɛstɪd.", "ðə foʊtoʊz bækʌp ɪz oʊkeɪ, jɛs."]
)
def test_a_clause_of_a_word_is_not_cut_off(sentence: str) -> None:
    assert first_clause(list(sentence), longer_than=10) == [list(sentence)]


def test_a_short_sentence_stays_whole() -> None:
    assert first_clause(SENTENCE, longer_than=len(SENTENCE)) == [SENTENCE]


def test_the_stop_of_an_abbreviation_does_not_end_the_sentence() -> None:
    assert "".join(join_fragments([list("dɑktɚ."), [], list("smɪθ ɪz hɪɹ.")])) == "dɑktɚ smɪθ ɪz hɪɹ."
    assert join_fragments([]) == []


@given(st.integers(0, 3000), st.integers(1, 60), st.integers(1, 200))
def test_stretches_cover_every_frame_once(frames: int, first: int, most: int) -> None:
    found = stretches(frames, first, most)
    assert [frame for start, end in found for frame in range(start, end)] == list(range(frames))
    assert all(end - start <= max(min(first, most), most) + first / 2 for start, end in found)


def test_the_first_stretch_is_short_and_the_next_ones_grow() -> None:
    assert stretches(400, 26, 86) == [(0, 26), (26, 65), (65, 123), (123, 209), (209, 295), (295, 381), (381, 400)]
    assert stretches(30, 26, 86) == [(0, 30)]

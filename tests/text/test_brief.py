"""A reply is said in so many sentences; the rest is on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.brief import Aloud, briefly
from assistant.text.spoken import to_spoken

REST = "The rest is on the screen."


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["One."], ["One."]),
        (["One.", "Two."], ["One.", "Two."]),
        (["One.", "Two.", "Three."], ["One.", "Two.", REST]),
        (["One. Two. Three."], ["One. Two.", REST]),
        (["One.", "Two. Three.", "Four."], ["One.", "Two.", REST]),
        (["One.", "", "Two."], ["One.", "Two."]),
        (["One. Two.", "Three. Should I restart it?"], ["One. Two.", f"{REST} Should I restart it?"]),
        (["One. Two. Should I?"], ["One. Two. Should I?"]),
        (["It is at 10.5 percent, e.g. fine. Two. Three."], ["It is at 10.5 percent, e.g. fine. Two.", REST]),
        ([], []),
    ],
)
def test_examples(pieces: list[str], said: list[str]) -> None:
    assert briefly(pieces, 2, REST) == said


def test_it_gives_the_pieces_as_they_come_and_ends_with_where_the_rest_is() -> None:
    reply = Aloud(1, REST)
    assert reply.take("One.") == "One."
    assert reply.rest() is None
    assert reply.take("Two.") is None
    assert reply.rest() == REST
    assert reply.rest() is None


def test_what_must_be_said_is_said() -> None:
    reply = Aloud(1, REST)
    assert reply.take("One. Two.") == "One."
    assert reply.take("I stopped it.", must=True) == f"{REST} I stopped it."
    assert reply.rest() is None


SENTENCES: st.SearchStrategy[list[str]] = st.lists(
    st.lists(st.sampled_from(["Gitea", "is", "up", "14:05", "3.5", "Mac"]), min_size=1, max_size=130)
    .map(" ".join)
    .flatmap(lambda words: st.sampled_from([f"{words}.", f"{words}!", f"{words}?"])),
    max_size=8,
)


@given(SENTENCES, st.integers(1, 4), st.data())
def test_what_is_said_does_not_depend_on_how_the_reply_was_cut(
    sentences: list[str], limit: int, data: st.DataObject
) -> None:
    grouped: list[str] = []
    for sentence in sentences:
        joined: bool = data.draw(st.booleans())
        if grouped and joined:
            grouped[-1] += f" {sentence}"
        else:
            grouped.append(sentence)
    assert " ".join(briefly(grouped, limit, REST)) == " ".join(briefly(sentences, limit, REST))


@given(SENTENCES, st.integers(1, 20))
def test_no_more_than_so_many_sentences_and_the_questions_are_said(sentences: list[str], limit: int) -> None:
    short = [sentence for sentence in sentences if len(sentence) < 400]
    said = [piece for piece in briefly(short, limit, REST) if piece != REST]
    assert len([piece for piece in said if not piece.endswith("?")]) <= limit
    assert len(said) == len(short) or len(said) >= limit


@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_reply_can_be_said(texts: list[str]) -> None:
    assert all(piece.strip() for piece in briefly(map(to_spoken, texts), 2, REST))

"""Sentences come out whole, however the text was cut into fragments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.sentences import MAX_SENTENCE_CHARACTERS, SentenceSplitter, split_sentences

prose = st.text(alphabet=st.sampled_from(list("ab .!?\n1\"'…,")), max_size=120) | st.lists(
    st.sampled_from(["a", "b" * 150, " ", ".", "!", "…", "\n", "1", "No.", " 5", '"', "e.g. ", "\t", "x. Y"]),
    max_size=60,
).map("".join)


@given(prose, st.data())
def test_the_chunking_does_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    splitter = SentenceSplitter()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    out = [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.flush()
    assert out == split_sentences(text)


@given(st.text(max_size=900))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(st.text(max_size=1500))
def test_no_sentence_is_empty_or_endless(text: str) -> None:
    assert all(s.strip() and len(s) <= MAX_SENTENCE_CHARACTERS + 1 for s in split_sentences(text))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Jellyfin is up. Immich is down.", ["Jellyfin is up.", "Immich is down."]),
        ("It runs 1.2.3 on 10.0.0.1 today. Ok?", ["It runs 1.2.3 on 10.0.0.1 today.", "Ok?"]),
        ("See example.org now! Really", ["See example.org now!", "Really"]),
        ("Use e.g. restic. Fine.", ["Use e.g. restic.", "Fine."]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("It ended with status 502. Gitea is up.", ["It ended with status 502.", "Gitea is up."]),
        ("1. Stop it. 2. Start it.", ["1. Stop it.", "2. Start it."]),
        ("No. It is down.", ["No.", "It is down."]),
        ("It is No. 5 of the rack. Ok.", ["It is No. 5 of the rack.", "Ok."]),
        ("one\ntwo\n", ["one", "two"]),
        ("", []),
    ],
)
def test_examples(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_a_sentence_comes_as_soon_as_the_next_one_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("Jellyfin is up.") == []
    assert splitter.feed(" I") == ["Jellyfin is up."]
    assert splitter.flush() == ["I"]

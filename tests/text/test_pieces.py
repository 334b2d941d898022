"""A reply is cut into what is said as one, however it streamed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.pieces import MAX_BLOCK_CHARACTERS, PieceSplitter, split_reply
from assistant.text.sentences import split_sentences
from assistant.text.spoken import to_spoken

SCRAPS = ["a", "b c", " ", ".", "! ", "\n", "\n\n", "- x\n", "  - y\n", "1. z\n", "| a | b |\n", "|---|---|\n", "```\n",
          "```bash\n", "code\n", "{", '{"a": 1}\n', '{"a": [\n', "1]}\n", "[1]", "[x](y)", "# h\n", "> q\n", "~~~\n",
          "+a-\n", "+--+\n", "┌─┐\n", "```x```\n", "2", "*", "`x`", "\t"]  # fmt: skip
replies = st.lists(st.sampled_from([*SCRAPS, "- " + "long " * 900]), max_size=30).map("".join) | st.text(max_size=200)


@given(replies, st.data())
def test_the_chunking_does_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    splitter = PieceSplitter()
    fragments = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    streamed = [piece for fragment in fragments for piece in splitter.feed(fragment)] + splitter.flush()
    assert streamed == split_reply(text)
    assert [to_spoken(piece) for piece in streamed] == [to_spoken(piece) for piece in split_reply(text)]


@given(replies)
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(split_reply(text)).split()) == "".join(text.split())


@given(
    st.lists(
        st.sampled_from([*SCRAPS, "word " * 120, "word " * 900, "- " + "x" * 5000, "- item\n" * 700]), max_size=12
    ).map("".join)
)
def test_no_piece_is_empty_or_endless(text: str) -> None:
    assert all(piece.strip() and len(piece) <= 2 * MAX_BLOCK_CHARACTERS for piece in split_reply(text))


@given(st.text(alphabet=st.sampled_from(list("ab .!?,\n'")), max_size=200).map(str.lstrip))
def test_prose_is_cut_into_sentences(text: str) -> None:
    prose = "\n".join(line.strip() for line in text.splitlines())
    assert split_reply(prose) == split_sentences(prose)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Two things. Then this.\nEnd", ["Two things.", "Then this.", "End"]),
        (
            "These are down:\n- Jellyfin\n- Immich\n\nThat is all.",
            ["These are down:", "Jellyfin and Immich", "That is all."],
        ),
        ("Try this:\n```bash\ncd /opt\ndocker compose pull\n```\nThen wait.", ["Try this:", "some code", "Then wait."]),
        (
            "| Service | State |\n|---|---|\n| Gitea | up |\n| Immich | down |\nDone.",
            ["Gitea: up. Immich: down", "Done."],
        ),
        ('{\n  "state": "up",\n  "port": 3000\n}\nFine.', ["state up, port 3000", "Fine."]),
        ("[the docs](http://x.y) say so. Yes.", ["the docs say so.", "Yes."]),
        ("5 of 6 are up. *One* is not.", ["5 of 6 are up.", "One is not."]),
        ("```\nnever closed\nat all", ["some code"]),
    ],
)
def test_examples(reply: str, said: list[str]) -> None:
    assert [to_spoken(piece) for piece in split_reply(reply)] == said


def test_prose_comes_as_soon_as_it_is_complete() -> None:
    splitter = PieceSplitter()
    assert splitter.feed("Jellyfin is up. I") == ["Jellyfin is up."]
    assert splitter.feed(" think.\n- a\n") == ["I think."]
    assert splitter.feed("- b\nT") == ["- a\n- b"]
    assert splitter.feed("hen 5.\n6 of 7 are up. *One* is not. A") == ["Then 5.", "6 of 7 are up.", "*One* is not."]
    assert splitter.flush() == ["A"]

"""Spoken text for whatever text there is: settled, bounded, plain, quick, and true to its figures."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.text.sentences import SentenceSplitter, split_sentences
from assistant.text.spoken import MAX_SPOKEN, to_spoken
from assistant.text.unit_words import GLUED_UNITS, UNITS
from tests.text.spoken_examples import EXAMPLES

WRITTEN = [written for pairs in EXAMPLES.values() for written, _ in pairs]
SCRAPS = [
    *(piece for written in WRITTEN for piece in re.split(r"(?<=\s)|(?=[-/:.|`*])", written)),
    *(
        "\n",
        " ",
        "- ",
        "1. ",
        "| ",
        "---",
        "```",
        "`",
        "**",
        "_",
        "](",
        "[",
        "{",
        '"',
        "~",
        ">",
        "=",
        "/",
        "\\",
        "&amp;",
    ),
    *("\x00", "\u200d", "\ufe0f", "é", "e\u0301", "½", "²", "\u2009", "\ud800", "…", "‑", "٣", "。"),
]
anything = st.text(max_size=300) | st.lists(st.sampled_from(SCRAPS), max_size=14).map("".join)


@given(anything)
@example('{"a": ' * 300)
@example("[" * 5000)
@example('["' + "9" * 5000 + '"]')
def test_saying_it_twice_changes_nothing(text: str) -> None:
    once = to_spoken(text)
    assert to_spoken(once) == once


@given(anything)
def test_nothing_is_left_that_cannot_be_said(text: str) -> None:
    spoken = to_spoken(text)
    assert spoken == " ".join(spoken.split())
    for character in spoken:
        assert unicodedata.category(character)[0] in "LNMZ" or character in ".,!?;:'’-–—…"
    assert "_" not in spoken


@given(st.lists(st.sampled_from(SCRAPS), max_size=300).map("".join))
def test_the_length_is_bounded(text: str) -> None:
    assert len(to_spoken(text)) <= MAX_SPOKEN


PLAIN = """
    the backup service is down and was restored yesterday because nobody looked after it while Jellyfin kept running
    fine for two hours again although Gitea answers slowly I can't tell whether it's well-known or up-to-date
"""
WORDS = st.sampled_from(PLAIN.split())


@given(
    st.lists(
        st.tuples(st.lists(WORDS, min_size=1, max_size=12), st.sampled_from([",", ":", ";", " —", ""]), WORDS),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(".!?…"),
)
def test_plain_english_comes_back_unchanged(clauses: list[tuple[list[str], str, str]], stop: str) -> None:
    text = " ".join(f"{' '.join(words)}{mark} {last}{stop}" for words, mark, last in clauses)
    assert to_spoken(text) == text


FIGURES = (
    st.integers(0, 99_999).map(str)
    | st.decimals(0, 9999, places=2).map(str)
    | st.integers(1000, 10**9).map("{:,}".format)
)
UNIT_SIGNS = st.sampled_from(["", *UNITS, *(f" {unit}" for unit in UNITS), *GLUED_UNITS])
FRAMES = st.sampled_from(
    [
        "{}",
        "it has {} left.",
        "**{}**",
        "- {}\n- more",
        "| a | {} |",
        "about ({}) now",
        "`{}`",
        "-{}",
        "+{} today",
        "~{}",
    ]
)


@given(FRAMES, FIGURES, UNIT_SIGNS)
def test_a_figure_keeps_its_value(frame: str, figure: str, unit: str) -> None:
    said = to_spoken(frame.format(figure + unit))
    assert re.findall(r"[0-9][0-9.,]*[0-9]|[0-9]", said) == [figure]


@given(
    st.integers(1, 9999),
    st.integers(1, 9999),
    st.sampled_from(["-", "–", " - ", " – ", "/", "x", " × ", " and ", ", "]),
)
def test_two_figures_keep_theirs(first: int, second: int, between: str) -> None:
    said = to_spoken(f"of {first}{between}{second} there")
    assert re.findall(r"[0-9]+", said) == [str(first), str(second)]


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4), st.integers(80, 65535))
def test_every_address_is_said_figure_by_figure(parts: list[int], port: int) -> None:
    said = to_spoken(f"at {'.'.join(map(str, parts))}:{port}.")
    figures = " dot ".join(" ".join(str(part)) for part in parts)
    address, _, spoken_port = said.removesuffix(".").partition(", port ")
    assert address == f"at {figures}"
    assert spoken_port.replace(" ", "") == str(port)


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_time_of_day_is_said(hour: int, minute: int) -> None:
    said = to_spoken(f"at {hour:02}:{minute:02}")
    figures = {int(figure) for figure in re.findall(r"[0-9]+", said)}
    assert figures == ({hour, minute} - {0} if hour == 0 or minute == 0 else {hour, minute})


@given(st.dates())
def test_every_date_is_said_by_its_month(day: object) -> None:
    said = to_spoken(f"on {day}")
    year, _, number = str(day).split("-")
    if "1900" <= year < "2200":
        assert re.fullmatch(rf"on [A-Z][a-z]+ {int(number)}(st|nd|rd|th), {year}", said)


@given(anything, st.data())
def test_the_chunking_of_a_stream_does_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    splitter = SentenceSplitter()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    streamed = [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.flush()
    assert [to_spoken(sentence) for sentence in streamed] == [to_spoken(sentence) for sentence in split_sentences(text)]


HOSTILE = [
    "a", "1", "-", "*", "`", "|", "[", "](", "[a](", "{", '{"a":', "[[", '"', "'", ".", "a.", "a-", "1.", "1,", "1:",
    "/a", "./", "\\", "C:\\a\\", "a@", "a@b.", "http://", "&", "<b ", "<!--", "- a\n", "  - a\n", "> ", "\n", " ", "_",
    "1 ", "1h", "€1", "5 GB ", "f0", "::", "a:", "5/", "=>", "…", "!?", "e\u0301", "\x00", "\U0001f600", "\ud800",
    "NAS ", "e.g. ", "# a\n", "1. a\n", "((", "1%", "+1", "--a", "1x", "Nov 1 ", "$1-",
    "a | b\n", "--- | ---\n", "1\u2009000",
]  # fmt: skip


@pytest.mark.parametrize("scrap", HOSTILE)
def test_a_hundred_kilobytes_of_anything_are_said_at_once(scrap: str) -> None:
    text = (scrap * 100_000)[:100_000]
    started = time.process_time()
    spoken = to_spoken(text)
    sentences = split_sentences(text)
    assert time.process_time() - started < 2
    assert len(spoken) <= MAX_SPOKEN
    assert sentences or not text.strip()

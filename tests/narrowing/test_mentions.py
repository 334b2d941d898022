"""Names in an utterance, of every kind at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.narrowing.mentions import MASKS, Mention, Mentions, masked
from assistant.sentences.normalize import plain_words
from tests.planned import homelab_names

MENTIONS = Mentions(homelab_names())
KNOWN = sorted({plain_words(name) for names in homelab_names().by_kind.values() for name in names})


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("is jellyfin up", {"jellyfin": {"service": "jellyfin"}}),
        ("is gitea ok", {"gitea": {"service": "gitea", "job": "gitea"}}),
        ("is the photo server up", {"photo server": {"service": "immich"}}),
        ("is the photo backup ok", {"photo": {"job": "photos"}}),
        (
            "turn off the kitchen ceiling light",
            {"kitchen": {"area": "kitchen"}, "ceiling light": {"device": "ceiling light"}},
        ),
        (
            "are the documents backed up and is grafana up",
            {"documents": {"job": "documents"}, "grafana": {"service": "grafana"}},
        ),
        ("what's the capital of france", {}),
        ("is my brother up", {}),
        ("", {}),
    ],
)
def test_names_are_found_with_their_kinds(words: str, found: dict[str, dict[str, str]]) -> None:
    assert {mention.words: dict(mention.names) for mention in MENTIONS.find(words)} == found


def test_what_only_sounds_like_a_name_counts_where_nothing_is_named() -> None:
    (heard,) = MENTIONS.find("is jelly finn up")
    assert heard.names["service"] == "jellyfin"
    assert [mention.words for mention in MENTIONS.find("is gitea or jelly finn up")] == ["gitea"]


@given(st.lists(st.sampled_from([*KNOWN, "is", "the", "and", "up", "off"]), max_size=8))
def test_each_word_is_used_once_and_stands_in_the_utterance(parts: list[str]) -> None:
    words = " ".join(parts)
    rest = f" {words} "
    for mention in MENTIONS.find(words):
        assert f" {mention.words} " in rest
        rest = rest.replace(f" {mention.words} ", " \0 ", 1)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    words = plain_words(text)
    masked(words, MENTIONS.find(words), "service", devices=True)


def test_names_are_masked_by_the_kind_that_is_asked_for() -> None:
    both = (Mention("gitea", {"service": "gitea", "job": "gitea"}),)
    assert masked("is gitea up", both, "service") == f"is {MASKS['service']} up"
    assert masked("is the gitea backup ok", both, "job") == f"is {MASKS['job']} backup ok"
    assert masked("is my gitea up", both, "vm") == f"is {MASKS['service']} up"  # of no such kind: its first one


def test_devices_keep_their_names_unless_asked_for() -> None:
    lamp = (Mention("desk lamp", {"device": "desk lamp"}),)
    assert masked("turn off the desk lamp", lamp, "device") == "turn off the desk lamp"
    assert masked("turn off the desk lamp", lamp, "device", devices=True) == f"turn off {MASKS['device']}"

"""Numbers, lists and lengths of time as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.wording import ago, counted, duration, listing, number, sentence

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.mark.parametrize("count, said", [(0, "no"), (1, "one"), (12, "twelve"), (13, "13"), (250, "250"), (-1, "-1")])
def test_numbers_are_words_up_to_twelve(count: int, said: str) -> None:
    assert number(count) == said


def test_things_are_counted() -> None:
    assert [counted(n, "job") for n in (0, 1, 2, 13)] == ["no jobs", "one job", "two jobs", "13 jobs"]
    assert counted(3, "repository", "repositories") == "three repositories"


@pytest.mark.parametrize(
    "items, said", [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_are_read_out(items: list[str], said: str) -> None:
    assert listing(items) == said


def test_a_choice_says_or_once_whatever_the_names_hold() -> None:
    assert listing(["salt and pepper", "gitea"], "or") == "salt and pepper or gitea"


@pytest.mark.parametrize(
    "text, said",
    [("gitea is up", "Gitea is up."), ("is it?", "Is it?"), (" done! ", "Done!"), ("", ""), ("3 are up", "3 are up.")],
)
def test_a_sentence_begins_large_and_ends(text: str, said: str) -> None:
    assert sentence(text) == said


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "a few seconds"),
        (44, "a few seconds"),
        (46, "one minute"),
        (10 * MINUTE, "ten minutes"),
        (89 * MINUTE, "89 minutes"),
        (2 * HOUR, "two hours"),
        (35 * HOUR, "35 hours"),
        (36 * HOUR, "two days"),
        (3 * DAY, "three days"),
        (59 * DAY, "59 days"),
        (61 * DAY, "two months"),
        (365 * DAY, "twelve months"),
    ],
)
def test_lengths_of_time_have_one_unit(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    "seconds, said",
    [
        (10, "just now"),
        (5 * MINUTE, "five minutes ago"),
        (21 * HOUR, "21 hours ago"),
        (24 * HOUR, "yesterday"),
        (35.9 * HOUR, "yesterday"),
        (3 * DAY, "three days ago"),
    ],
)
def test_how_long_ago(seconds: float, said: str) -> None:
    assert ago(seconds) == said


@given(st.floats(0, 50 * 365 * DAY))
def test_every_length_of_time_can_be_said_and_is_about_right(seconds: float) -> None:
    said = duration(seconds)
    if said == "a few seconds":
        assert seconds < 45
        return
    count, unit = said.split()
    size = {"minute": MINUTE, "hour": HOUR, "day": DAY, "month": 30.44 * DAY}[unit.rstrip("s")]
    words = {number(n): n for n in range(13)}
    amount = words[count] if count in words else int(count)
    assert amount >= 1
    assert abs(amount * size - seconds) <= 0.5 * size + 1e-6
    assert unit.endswith("s") == (amount != 1)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_no_item_of_a_list_is_lost(items: list[str]) -> None:
    assert listing(items).replace(" and ", ", ").split(", ") == items

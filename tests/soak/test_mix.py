"""What is asked, and that each round is the same work."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.soak.mix import DECK, DOORS, SPOKEN, TYPED, Door, dealt, deck
from assistant.soak.visitor import Ledger

some_doors = st.lists(st.sampled_from(DOORS), min_size=1, unique=True)


@given(some_doors, st.integers(0, 100))
def test_a_deck_is_always_whole_and_of_these_doors(doors: list[Door], audio_every: int) -> None:
    if doors == ["sound"]:
        audio_every = 1
    cards = deck(doors=doors, audio_every=audio_every)
    assert len(cards) == DECK
    assert {card.door for card in cards} <= set(doors)


def test_the_usual_deck_has_every_kind_and_comes_near_to_the_shares() -> None:
    dealt_kinds = Counter(card.name for card in deck())
    assert set(dealt_kinds) == {kind.name for kind in (*TYPED, *SPOKEN)}
    whole = sum(kind.share for kind in TYPED)
    for kind in TYPED:
        assert abs(dealt_kinds[kind.name] - kind.share * (DECK - 4) / whole) < 1


def test_nothing_that_needs_the_house_is_asked_elsewhere() -> None:
    assert all(kind.anywhere for kind in deck(anywhere=True))


def test_doors_at_which_nothing_can_be_asked_are_refused() -> None:
    with pytest.raises(ConfigError, match="No kind of turn"):
        deck(doors=["wyoming"], anywhere=True)


@given(st.integers(1, 1000), st.integers())
def test_every_round_is_the_same_work_in_another_order(turns: int, seed: int) -> None:
    cards = deck()
    rounds = list(dealt(cards, turns, seed))
    assert sum(map(len, rounds)) == turns
    assert all(Counter(kind.name for kind in one) == Counter(card.name for card in cards) for one in rounds[:-1])
    assert list(dealt(cards, turns, seed)) == rounds


acts = st.dictionaries(st.tuples(st.sampled_from(["restart", "stop"]), st.sampled_from("abc")), st.integers(1, 5))


@given(acts, acts)
def test_the_ledger_names_exactly_the_acts_that_differ(
    agreed: dict[tuple[str, str], int], done: dict[tuple[str, str], int]
) -> None:
    ledger = Ledger()
    for (verb, name), count in agreed.items():
        for _ in range(count):
            ledger.yes(verb, name)
    different = {key for key in {*agreed, *done} if agreed.get(key, 0) != done.get(key, 0)}
    assert [difference.split(":")[0] for difference in ledger.differences(done)] == sorted(map(" ".join, different))

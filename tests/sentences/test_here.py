"""Whether words leave open where something is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import Names, WantedCall
from assistant.sentences.here import HERE, means_here, says_here, speaks_of, with_here

LIGHTS = WantedCall("home_control", {"target": "lights"})
BLINDS = WantedCall("home_control", {"target": "blinds"})


@pytest.mark.parametrize(
    "text",
    [
        "turn off the light", "lights on please", "dim the lights all the way", "it's dark outside, turn on the light",
        "turn on the lights every day at seven", "I'm home, lights on", "turn off everything in here",
        "all the lights in this room off", "what's the temperature?", "is the window open", "no, turn off the light",
    ],
)  # fmt: skip
def test_these_mean_the_room(text: str) -> None:
    assert means_here(text, LIGHTS)


@pytest.mark.parametrize(
    "text",
    [
        "turn off all my lights", "turn off the lights, all of them", "every light off", "lights off everywhere",
        "turn off the lights in the house", "turn off everything", "are any lights on?", "which lights are on",
        "what lights are on", "is there a light on", "did I leave the lights on", "are the windows closed",
        "turn off the lights upstairs", "are the doors locked",
    ],
)  # fmt: skip
def test_these_mean_the_house(text: str) -> None:
    assert not means_here(text, LIGHTS)


def test_each_of_several_requests_is_judged_by_its_own_words() -> None:
    text = "turn off all the lights and close the blinds"
    assert not means_here(text, LIGHTS, alone=False)
    assert means_here(text, BLINDS, alone=False)


def test_what_only_points_back_speaks_of_nothing() -> None:
    assert speaks_of("turn the lamps off", LIGHTS)
    assert not speaks_of("off again", LIGHTS)


def test_here_is_an_area_of_the_templates_where_there_are_areas() -> None:
    names = Names({"area": {"kitchen": ()}})
    assert with_here(names).by_kind["area"] == {"kitchen": (), HERE: ("here", "this room")}
    assert with_here(Names()) == Names()
    assert says_here("lights off in this room")
    assert not says_here("the nurse is here")


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    assert means_here(text, LIGHTS) in (True, False)
    assert means_here(f"{text} in here", WantedCall("home_state", {"target": text}))

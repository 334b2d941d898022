"""The room that somebody is in: things there come first, and the house is meant where it has none."""

from __future__ import annotations

import pytest

from tools.calling import Place, said_by, said_in
from tools.contract import Caller, Candidates
from tools.home.devices import Home, Target
from tools.home.here import find_from, is_house_instead
from tools.names import NameIndex
from tools.settings import ToolSettings

HOUSE = ToolSettings.model_validate(
    {
        "areas": {
            "kitchen": {
                "lights": ["ceiling light", "counter light"],
                "devices": ["window sensor"],
                "aliases": ["Küche"],
            },
            "living room": {"lights": ["ceiling light", "floor lamp"], "devices": ["blinds"], "aliases": ["lounge"]},
            "hall": {"devices": ["window sensor"]},
        }
    }
)


@pytest.fixture
def home() -> Home:
    return Home(HOUSE, NameIndex.from_settings(HOUSE))


def found(home: Home, said: str, place: Place, area: str | None = None, *, one: bool = True) -> tuple[str, str | None]:
    target = find_from(home, said, area, place, one=one)
    assert isinstance(target, Target), target
    return target.name, target.area


@pytest.mark.parametrize("room", ["kitchen", "Kitchen", "KÜCHE"])
def test_lights_are_those_of_the_room_as_people_write_it(home: Home, room: str) -> None:
    assert found(home, "lights", Place(room, open=True)) == ("lights", "kitchen")


@pytest.mark.parametrize("room", ["kitchin", "cellar", "", None, "hall"])
def test_no_room_a_misspelt_one_or_one_without_a_light_means_the_house(home: Home, room: str | None) -> None:
    assert found(home, "lights", Place(room, open=True)) == ("lights", None)


def test_words_that_are_not_open_and_places_that_are_named_mean_what_they_say(home: Home) -> None:
    assert found(home, "lights", Place("kitchen", open=False)) == ("lights", None)
    assert found(home, "living room lights", Place("kitchen", open=True)) == ("lights", "living room")
    assert found(home, "lights", Place("kitchen", open=True), "lounge") == ("lights", "living room")
    assert found(home, "floor lamp", Place("kitchen", open=True)) == ("floor lamp", "living room")


def test_a_name_that_several_rooms_have_is_the_one_here_and_else_asked_about(home: Home) -> None:
    assert found(home, "ceiling light", Place("kitchen", open=True)) == ("ceiling light", "kitchen")
    asked = find_from(home, "ceiling light", None, Place("hall", open=True), one=True)
    assert isinstance(asked, Candidates)
    assert asked.names == ("kitchen", "living room")


def test_in_here_names_the_room_and_from_nowhere_an_act_asks_which(home: Home) -> None:
    assert found(home, "lights", Place("kitchen"), "here") == ("lights", "kitchen")
    assert found(home, "blinds", Place(), "in here") == ("blinds", "living room")
    assert found(home, "lights", Place(), "here", one=False) == ("lights", None)
    asked = find_from(home, "lights", "here", Place(), one=True)
    assert isinstance(asked, Candidates)
    assert asked.spoken == "I don't know which room you are in. Is it the kitchen or the living room?"


def test_whoever_gets_the_house_for_want_of_it_here_is_known(home: Home) -> None:
    place = Place("hall", open=True)
    lights = find_from(home, "lights", None, place, one=True)
    assert isinstance(lights, Target)
    assert is_house_instead(lights, place)
    assert not is_house_instead(lights, Place("hall", open=False))


def test_a_tool_knows_the_place_while_it_plans_and_a_yes_leaves_nothing_open() -> None:
    caller = Caller(room="kitchen", here=True)
    with said_by(caller):
        assert said_in() == Place("kitchen", open=True)
        with said_by(None):
            assert said_in() == Place()
        with said_by(caller.model_copy(update={"confirmation": "nonce"})):
            assert said_in() == Place("kitchen", open=False)
    assert said_in() == Place()

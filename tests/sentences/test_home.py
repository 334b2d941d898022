"""Home Assistant's own sentences, read as calls of ours."""

from __future__ import annotations

import pytest

from assistant.ports import DeviceName, Names
from assistant.sentences.home import HomeSentences
from tests.planned import homelab_names
from tools.contract import JsonObject

HOME = HomeSentences(homelab_names())


@pytest.mark.parametrize(
    ("words", "tool", "arguments"),
    [
        ("turn on the desk lamp", "home_control", {"target": "desk lamp", "action": "on"}),
        (
            "turn off the lights in the kitchen",
            "home_control",
            {"target": "lights", "area": "kitchen", "action": "off"},
        ),
        ("lock the front door", "home_control", {"target": "front door lock", "action": "lock"}),
        ("unlock the front door", "home_control", {"target": "front door lock", "action": "unlock"}),
        ("open the garage", "home_control", {"target": "garage door", "action": "open"}),
        ("set the desk lamp to 30 percent", "home_control", {"target": "desk lamp", "action": "set", "value": 30}),
        ("is the front door locked", "home_state", {"target": "front door lock"}),
        ("what is the temperature in the bedroom", "home_state", {"target": "temperature sensor", "area": "bedroom"}),
    ],
)
def test_its_sentences_are_calls_of_ours(words: str, tool: str, arguments: JsonObject) -> None:
    reading = HOME.read(words)
    assert reading is not None
    assert (reading.intent, dict(reading.slots)) == (tool, arguments)


@pytest.mark.parametrize("known", [device.name for device in homelab_names().devices])
def test_a_thing_that_is_only_named_is_no_order(known: str) -> None:
    for words in (known, f"the {known}", f"my {known}", f"the {known} in the kitchen"):
        assert HOME.read(words) is None


@pytest.mark.parametrize(
    "words", ["play music", "what time is it", "add milk to my list", "the bedroom one", "open the pod bay", ""]
)
def test_what_has_no_counterpart_here_is_not_read(words: str) -> None:
    assert HOME.read(words) is None


def test_only_the_tools_that_are_asked_for_are_read() -> None:
    assert HOME.read("turn on the desk lamp", frozenset({"home_state"})) is None
    assert HOME.read("turn on the desk lamp", frozenset({"home_control"})) is not None


def test_without_devices_nothing_is_read() -> None:
    assert HomeSentences(Names()).read("turn on the lights") is None


def test_a_lock_is_locked_where_a_lamp_is_turned_on() -> None:
    """Home Assistant "turns on" a lock by locking it: never the other way round."""
    names = Names({"device": {"gate": ()}, "area": {}}, (DeviceName("gate", "garden", "lock"),))
    home = HomeSentences(names)
    for words, action in (("lock the gate", "lock"), ("unlock the gate", "unlock")):
        reading = home.read(words)
        assert reading is not None
        assert reading.slots["action"] == action


HOUSE = HomeSentences(
    Names(
        {
            "device": {
                **dict.fromkeys(("fan", "radio", "window", "shutter", "heater", "robot"), ()),
                **dict.fromkeys(("fans", "media players", "shutters", "vacuums", "switches"), ()),
            },
            "area": {"office": ("study",), "kitchen": (), "first floor": ("upstairs",)},
        },
        (
            DeviceName("fan", "office", "fan"),
            DeviceName("heater", "office", "switch"),
            DeviceName("radio", "kitchen", "media"),
            DeviceName("window", "kitchen", "sensor"),
            DeviceName("shutter", "kitchen", "cover"),
            DeviceName("robot", "kitchen", "vacuum"),
        ),
    )
)
"""Of a home system: rooms on a floor, and words for all of a kind."""


@pytest.mark.parametrize(
    ("words", "tool", "arguments"),
    [
        ("set the speed of the office fan to 40", "home_control", {"target": "fan", "area": "office", "value": 40}),
        ("turn off the fans in the office", "home_control", {"target": "fans", "area": "office", "action": "off"}),
        ("skip the kitchen radio", "home_control", {"target": "radio", "area": "kitchen", "value": "next"}),
        ("pause the kitchen music", "home_control", {"target": "media players", "area": "kitchen", "action": "stop"}),
        ("decrease the kitchen volume by 20", "home_control", {"target": "media players", "value": "down 20"}),
        ("shut up the kitchen shutters to 30", "home_control", {"target": "shutters", "area": "kitchen", "value": 30}),
        ("turn on the office heater on the first floor", "home_control", {"target": "heater", "area": "office"}),
        ("upstairs brightness to 20", "home_control", {"target": "lights", "area": "first floor", "value": 20}),
        ("vacuum the first floor", "home_control", {"target": "vacuums", "area": "first floor", "action": "start"}),
        ("how many switches are off upstairs", "home_state", {"target": "switches", "area": "first floor"}),
        ("is the kitchen window open", "home_state", {"target": "window", "area": "kitchen"}),
    ],
)
def test_rooms_floors_and_kinds_of_things_are_meant(words: str, tool: str, arguments: JsonObject) -> None:
    reading = HOUSE.read(words)
    assert reading is not None
    assert reading.intent == tool
    assert dict(reading.slots).items() >= arguments.items()


@pytest.mark.parametrize("words", ["vacuum the kitchen", "skip the office fan", "the kitchen red", "kitchen radio"])
def test_what_it_cannot_mean_is_not_read(words: str) -> None:
    """A single room is not vacuumed, a fan has no tracks, and a colour without a verb is half an order."""
    assert HOUSE.read(words) is None

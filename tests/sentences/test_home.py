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

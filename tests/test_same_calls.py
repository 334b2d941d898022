"""When a planned call is the expected one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.same_calls import Meaning, content_words, difference
from tests.fakes_evaluation import HOUSE
from tools.contract import JsonObject


@pytest.mark.parametrize(
    ("tool", "wanted", "planned"),
    [
        ("check_services", {"service": "the media server"}, {"service": "jellyfin"}),
        ("check_services", {"service": "Jellyfin"}, {"service": "jellyfin"}),
        ("check_services", {"service": None}, {}),
        ("check_services", {"service": "nonsense"}, {"service": "nonsense"}),
        (
            "home_control",
            {"target": "the coffee", "action": "start"},
            {"target": "coffee machine", "area": "kitchen", "action": "on"},
        ),
        ("home_control", {"target": "lights", "area": "office"}, {"target": "desk lamp", "area": "office"}),
        ("home_control", {"target": "lights", "area": "everywhere"}, {"target": "lights"}),
        ("home_control", {"target": "desk lamp", "value": 30}, {"target": "desk lamp", "value": 30.0}),
        ("home_control", {"target": "desk lamp", "value": "30"}, {"target": "desk lamp", "value": 30}),
        ("schedule", {"what": "timer", "when": "in 1 hour"}, {"what": "timer", "when": "in 60 minutes"}),
        ("schedule", {"what": "back up documents"}, {"what": "backup of the documents"}),
        ("schedule", {"what": "remind me to check the oven"}, {"what": "check the oven"}),
        ("schedule", {"what": "restart the media server"}, {"what": "restart jellyfin"}),
        ("notify", {"message": "dinner is ready"}, {"message": "Dinner's ready."}),
        ("notify", {"message": "I’m on my way home"}, {"message": "I am on my way home"}),
        ("notify", {"message": "don't wait"}, {"message": "do not wait"}),
        ("notify", {"message": "bring two bags"}, {"message": "bring 2 bags"}),
        ("notify", {"message": "it is on"}, {"message": "It is on."}),
    ],
)
def test_the_same_said_in_another_way_is_no_difference(tool: str, wanted: JsonObject, planned: JsonObject) -> None:
    assert difference(tool, wanted, planned, HOUSE) == ""


@pytest.mark.parametrize(
    ("tool", "wanted", "planned", "word"),
    [
        ("check_services", {"service": "gitea"}, {"service": "immich"}, "service: expected 'gitea', got 'immich'"),
        ("check_services", {"service": "gitea"}, {}, "got none"),
        ("check_services", {}, {"service": "gitea"}, "service: expected none"),
        ("home_control", {"target": "lights"}, {"target": "lights", "area": "kitchen"}, "in 'kitchen'"),
        ("home_control", {"target": "lights", "area": "kitchen"}, {"target": "lights"}, "expected 'lights' in"),
        (
            "home_control",
            {"target": "ceiling light", "area": "kitchen"},
            {"target": "ceiling light", "area": "bedroom"},
            "'bedroom'",
        ),
        ("home_control", {"target": "desk lamp", "value": 30}, {"target": "desk lamp", "value": 13}, "value"),
        ("home_control", {"target": "desk lamp", "value": 1}, {"target": "desk lamp", "value": True}, "value"),
        ("schedule", {"when": "at 18:00"}, {"when": "at 06:00"}, "when"),
        ("schedule", {"what": "turn the heating off"}, {"what": "turn the heating on"}, "what"),
        ("schedule", {"what": "restart gitea"}, {"what": "stop gitea"}, "what"),
        ("notify", {"message": "dinner is ready"}, {"message": "dinner isn't ready"}, "message"),
        ("notify", {"message": "it is on"}, {"message": "it is up"}, "message"),
        ("notify", {"message": "buy milk and eggs"}, {"message": "buy bread"}, "message"),
        ("notify", {"message": "buy milk"}, {"message": "buy milk", "urgent": True}, "urgent: expected none"),
    ],
)
def test_something_else_is_named(tool: str, wanted: JsonObject, planned: JsonObject, word: str) -> None:
    assert word in difference(tool, wanted, planned, HOUSE)


def test_where_no_home_says_which_devices_are_meant_the_area_may_come_along() -> None:
    assert difference("home_control", {"target": "lamp"}, {"target": "lamp", "area": "office"}, Meaning()) == ""


names = st.sampled_from(["gitea", "jellyfin", "desk lamp", "lights", "timer", "30"])
arguments = st.dictionaries(
    st.sampled_from(["service", "target", "action", "what", "when", "value", "message"]), names | st.integers(0, 99)
)


@given(arguments)
def test_a_call_never_differs_from_itself(call: JsonObject) -> None:
    assert difference("home_control", call, call, Meaning()) == ""
    assert difference("home_control", call, call, HOUSE) == ""


@given(arguments, st.sampled_from(["service", "job", "action", "value"]), st.sampled_from(["x", 7]))
def test_a_call_that_says_more_about_something_else_differs(call: JsonObject, key: str, value: object) -> None:
    narrowed = {**call, key: value}
    assert bool(difference("check", call, narrowed, Meaning())) is (narrowed != call)


@given(st.text(max_size=60))
def test_content_words_ignore_case_and_end_marks(text: str) -> None:
    assert content_words(f"{text}.") == content_words(text) == content_words(content_text(text))


def content_text(text: str) -> str:
    return f"  {text} !"

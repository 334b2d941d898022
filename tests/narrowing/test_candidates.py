"""Whole calls out of what was said: nothing in them that was not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.narrowing.candidates import Said, actions_in, calls_for, cues_in, nothing_unknown
from assistant.narrowing.candidates import unknown_name as names_what_is_unknown
from assistant.narrowing.candidates import unknown_place as places_what_is_unknown
from assistant.narrowing.mentions import Mentions
from assistant.ports import WantedCall
from assistant.sentences.normalize import plain_words
from assistant.sentences.vocabulary import TOOLS
from tests.planned import homelab_names
from tools.contract import JsonObject
from tools.recording import evaluation_clock
from tools.when import find_when

MENTIONS = Mentions(homelab_names())
CANONICAL = {name for names in homelab_names().by_kind.values() for name in names}


def said(text: str) -> Said:
    words = plain_words(text)
    return Said(words, text, MENTIONS.find(words), find_when(text, evaluation_clock()))


def arguments(tool: str, text: str) -> list[JsonObject]:
    return [call.arguments for call in calls_for(tool, said(text))]


@pytest.mark.parametrize(
    ("tool", "text", "expected"),
    [
        ("check_services", "how is gitea doing", [{"service": "gitea"}]),
        ("check_services", "gitea and grafana, are they up", [{"service": "grafana"}, {"service": "gitea"}]),
        ("check_services", "is anything down", [{}]),
        ("check_services", "is plex running", []),
        ("service_logs", "why does it crash", []),
        ("service_logs", "show me the errors of nextcloud", [{"service": "nextcloud"}]),
        ("find_service", "what's the port of immich", [{"name": "immich"}]),
        ("check_backups", "is the music backup ok", []),
        ("check_backups", "are the pictures safe", [{"job": "photos"}]),
        ("service_power", "bounce the git server", [{"service": "gitea", "action": "restart"}]),
        ("service_power", "gitea", []),
        ("vm_power", "pull the plug on the sandbox", [{"vm": "sandbox", "action": "force-off"}]),
        ("run_backup", "save my papers", [{"job": "documents"}]),
        ("run_backup", "copy everything", [{"job": "all"}]),
        ("run_backup", "make a backup", []),
        ("home_state", "how warm is the bedroom", [{"target": "temperature sensor", "area": "bedroom"}]),
        ("home_control", "dim the desk lamp to thirty", [{"target": "desk lamp", "action": "set", "value": 30}]),
        ("home_control", "kitchen lights off", [{"target": "lights", "area": "kitchen", "action": "off"}]),
        ("home_control", "the desk lamp", []),
        ("notify", "tell my phone that dinner is ready", [{"message": "dinner is ready"}]),
        ("notify", "send a message", []),
        ("schedule", "in ten minutes turn off the fan", [{"what": "turn off the fan", "when": "in 10 minutes"}]),
        ("schedule", "turn off the fan", []),
        ("cancel_task", "cancel the timer", [{"task": "timer"}]),
        ("cancel_task", "how long is the timer", []),
        ("list_tasks", "what's planned", [{}]),
        ("no_such_tool", "is gitea up", []),
    ],
)
def test_calls_are_whole_or_not_there(tool: str, text: str, expected: list[JsonObject]) -> None:
    found = arguments(tool, text)
    assert sorted(map(str, found)) == sorted(map(str, expected))


WORDS = st.lists(
    st.sampled_from(
        [*sorted(CANONICAL), "restart", "turn", "off", "is", "up", "back", "the", "lights", "all", "30", "percent"]
    ),
    max_size=8,
)


@given(WORDS)
def test_no_name_is_in_a_call_that_was_not_said(words: list[str]) -> None:
    text = " ".join(words)
    mentioned = {name for mention in said(text).mentions for name in mention.names.values()}
    for tool in TOOLS:
        for call in calls_for(tool, said(text)):
            names = {value for value in call.arguments.values() if value in CANONICAL}
            assert names <= mentioned | {"lights", "thermostat"} | set(_targets_by_measure())


def _targets_by_measure() -> list[str]:
    """What is meant without being named ("how warm is it")."""
    return ["temperature sensor", "humidity sensor", "co2 sensor", "motion sensor", "outdoor temperature sensor"]


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    understood = said(text)
    for tool in TOOLS:
        assert all(isinstance(call, WantedCall) and call.tool == tool for call in calls_for(tool, understood))


def test_the_longest_wording_of_an_action_comes_first() -> None:
    assert actions_in("vm_power", "force the sandbox off")[0] == "force-off"
    assert actions_in("service_power", "turn jellyfin off and on")[0] == "restart"
    assert actions_in("service_power", "is jellyfin there") == []


def test_words_that_speak_for_a_tool_are_counted() -> None:
    cues = cues_in("is there a backup of the photos")
    assert cues["check_backups"] >= 1
    assert cues["vm_power"] == 0
    assert cues_in("are the photos backed up")["check_services"] == 0  # not that "up"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("is plex running", True),
        ("is gitea running", False),
        ("is the music backup fine", True),
        ("is everything up", False),
    ],
)
def test_a_thing_that_is_not_of_the_house_is_noticed(text: str, unknown: bool) -> None:
    assert names_what_is_unknown(said(text)) is unknown


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("the lamp in the attic", True),
        ("the attic light", True),
        ("the lamp in the office", False),
        ("the light", False),
    ],
)
def test_a_place_that_is_not_of_the_house_is_noticed(text: str, unknown: bool) -> None:
    assert places_what_is_unknown(said(text)) is unknown


def test_a_word_that_is_neither_a_name_nor_of_the_templates_is_unknown() -> None:
    assert nothing_unknown(said("turn off the desk lamp"))
    assert nothing_unknown(said("set the thermostat to twenty one"))
    assert not nothing_unknown(said("turn off the frobnicating desk lamp"))

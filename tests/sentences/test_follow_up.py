"""Follow-ups: what leans on the call before is read with it, and nothing is without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import WantedCall
from assistant.sentences.asides import stretches
from assistant.sentences.follow_up import FollowUp, spoken_number
from tests.planned import homelab_names, matcher

FOLLOW_UP = FollowUp(homelab_names())
GITEA = WantedCall("check_services", {"service": "gitea"})
KITCHEN = WantedCall("home_control", {"target": "lights", "area": "kitchen", "action": "on"})
LAMP = WantedCall("home_control", {"target": "desk lamp", "action": "set", "value": 50})
PHOTOS = WantedCall("check_backups", {"job": "photos"})
WINDOWS = WantedCall("vm_power", {"vm": "windows", "action": "start"})


@pytest.mark.parametrize(
    ("text", "last", "read"),
    [
        ("and is it backed up?", GITEA, "and is gitea backed up"),
        ("restart it", GITEA, "restart gitea"),
        ("turn them off", KITCHEN, "turn the kitchen lights off"),
        ("shut it down", WINDOWS, "shut windows down"),
    ],
)
def test_a_pronoun_is_what_was_talked_of(text: str, last: WantedCall, read: str) -> None:
    first, *_ = FOLLOW_UP.before(text, last)
    assert first == read
    assert list(FOLLOW_UP.before(text, None)) == [text]


@pytest.mark.parametrize(
    ("text", "last", "expected"),
    [
        ("and grafana", GITEA, WantedCall("check_services", {"service": "grafana"})),
        ("what about the password manager?", GITEA, WantedCall("check_services", {"service": "vaultwarden"})),
        ("and the photos?", WantedCall("check_backups"), PHOTOS),
        ("again", PHOTOS, PHOTOS),
        ("run it again", PHOTOS, WantedCall("run_backup", {"job": "photos"})),
        (
            "and the bedroom",
            KITCHEN,
            WantedCall("home_control", {"target": "lights", "area": "bedroom", "action": "on"}),
        ),
        ("off again", KITCHEN, WantedCall("home_control", {"target": "lights", "area": "kitchen", "action": "off"})),
        ("and off again please", LAMP, WantedCall("home_control", {"target": "desk lamp", "action": "off"})),
        ("thirty percent", LAMP, WantedCall("home_control", {"target": "desk lamp", "action": "set", "value": 30})),
        ("and the television", KITCHEN, WantedCall("home_control", {"target": "television", "action": "on"})),
        ("and the sandbox", WINDOWS, WantedCall("vm_power", {"vm": "sandbox", "action": "start"})),
    ],
)
def test_an_ellipsis_is_the_last_call_with_something_else(text: str, last: WantedCall, expected: WantedCall) -> None:
    assert FOLLOW_UP.ellipsis(text, last) == expected
    assert FOLLOW_UP.ellipsis(text, None) is None


@pytest.mark.parametrize(
    ("text", "last"),
    [("hello", KITCHEN), ("and gitea", WINDOWS), ("off", PHOTOS), ("thirty", GITEA), ("the moon", GITEA)],
)
def test_what_does_not_fit_the_last_call_is_no_follow_up(text: str, last: WantedCall) -> None:
    assert FOLLOW_UP.ellipsis(text, last) is None


@given(st.text(max_size=40))
def test_an_ellipsis_never_is_another_tool_than_the_last_but_for_running_a_backup(text: str) -> None:
    for last in (GITEA, KITCHEN, PHOTOS, WINDOWS):
        found = FOLLOW_UP.ellipsis(text, last)
        assert found is None or found.tool == last.tool or (last, found.tool) == (PHOTOS, "run_backup")


def test_the_last_name_is_added_where_nothing_is_named() -> None:
    assert "test the restore of photos" in list(FOLLOW_UP.after("then test the restore", PHOTOS))
    assert list(FOLLOW_UP.after("is gitea up", PHOTOS)) == []
    assert list(FOLLOW_UP.after("thank you", PHOTOS)) == []
    assert list(FOLLOW_UP.after("then test the restore", None)) == []


@pytest.mark.parametrize("text", ["don't do it again", "was it off again?", "no, leave it off", "if it goes off again"])
def test_no_act_is_repeated_out_of_a_negation_a_question_or_a_condition(text: str) -> None:
    match = matcher().match(text, KITCHEN)
    assert match is None or match.calls == () or all(call.tool == "home_state" for call in match.calls)


def test_a_remark_says_what_is_talked_of() -> None:
    about = FOLLOW_UP.about("the sandbox hangs")
    assert about is not None
    assert about.arguments == {"vm": "sandbox"}
    assert FOLLOW_UP.about("my back hurts") is None
    assert FOLLOW_UP.states("gitea is down")
    assert not FOLLOW_UP.states("is gitea down?")


def test_a_name_beside_a_request_must_be_in_its_calls() -> None:
    everywhere = WantedCall("home_control", {"target": "lights", "action": "on"})
    text = "it is dark in the kitchen, turn the lights on"
    around = [one for one in stretches(text) if one.words == "turn the lights on"]
    assert [FOLLOW_UP.leaves_out(one, [everywhere]) for one in around] == [True]
    assert [FOLLOW_UP.leaves_out(one, [KITCHEN]) for one in around] == [False]
    assert FOLLOW_UP.loses_a_name("is gitea safe, is there a backup", [WantedCall("check_backups")])


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("thirty percent", 30),
        ("to twenty one degrees", 21),
        ("21.5", 21.5),
        ("off", None),
        ("", None),
        ("ten lights", None),
    ],
)
def test_numbers_are_read_where_there_is_nothing_else(words: str, number: float | None) -> None:
    assert spoken_number(words) == number

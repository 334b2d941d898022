"""Sentence match: right, or nothing."""

from __future__ import annotations

import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.judging import Verdict
from assistant.ports import Names, WantedCall
from assistant.sentences.matcher import HassilMatcher
from assistant.sentences.vocabulary import spoken_forms
from tests.planned import SETS, Asked, Planner, asked, homelab_names, matcher
from tools.contract import JsonObject

EVERYBODY_SAYS = ("d01", "d02", "d03", "d06", "d07", "d08", "d09", "d43.1", "d45.2", "d46")
MATCHER = matcher()


def calls(text: str, last: WantedCall | None = None) -> list[WantedCall]:
    match = MATCHER.match(text, last)
    return list(match.calls) if match else []


def only(tool: str, **arguments: object) -> list[WantedCall]:
    return [WantedCall(tool, arguments)]


@pytest.mark.parametrize("one", [one for one in asked("dev.jsonl") if one.id in EVERYBODY_SAYS], ids=lambda one: one.id)
def test_the_sentences_everybody_says_need_no_model(homelab: Planner, one: Asked) -> None:
    assert homelab.judged(one.turn, calls(one.text, one.last)).verdict is Verdict.RIGHT


@pytest.mark.parametrize("name", SETS)
def test_no_line_of_a_set_gets_a_wrong_call(homelab: Planner, name: str) -> None:
    wrong = []
    for one in asked(name):
        match = MATCHER.match(one.text, one.last)
        if match and (judgement := homelab.judged(one.turn, match.calls)).verdict is not Verdict.RIGHT:
            wrong.append((one.id, one.text, judgement.verdict.value, judgement.why))
    assert wrong == []


@pytest.mark.parametrize(("name", "share"), [("dev.jsonl", 0.8), ("two_tools.jsonl", 0.8), ("paraphrases.jsonl", 0.7)])
def test_most_lines_that_stand_alone_are_matched(name: str, share: float) -> None:
    alone = [one for one in asked(name) if one.alone]
    matched = [one for one in alone if MATCHER.match(one.text)]
    print(f"\n{name}: {len(matched)} of {len(alone)} lines matched without a model")  # noqa: T201 - a measurement
    assert len(matched) >= share * len(alone)


@pytest.mark.parametrize(
    "text",
    [
        "Is Jellyfin up?",
        "IS JELLYFIN UP",
        "is jelly-fin up?!",
        "hey jarvis, is jellyfin up please?",
        "Okay Jarvis, can you tell me if the jellyfin server is up?",
        "  is   jellyfin   up  ",
        "Um, is uh jellyfin up?",
        "is jellyfin up right now",
    ],
)
def test_case_punctuation_and_politeness_do_not_matter(text: str) -> None:
    assert calls(text) == only("check_services", service="jellyfin")


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("is jelly finn up", "check_services", {"service": "jellyfin"}),
        ("Is graph Anna running?", "check_services", {"service": "grafana"}),
        ("is the gita backup ok", "check_backups", {"job": "gitea"}),
        ("is get tea up", "check_services", {"service": "gitea"}),
        ("restart vault warden", "service_power", {"service": "vaultwarden", "action": "restart"}),
    ],
)
def test_a_misheard_name_is_put_right(text: str, tool: str, arguments: JsonObject) -> None:
    assert calls(text) == [WantedCall(tool, arguments)]


LIGHTS_OFF = WantedCall("home_control", {"target": "lights", "action": "off"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("back up the photos", only("run_backup", job="photos")),
        ("back up everything now", only("run_backup", job="all")),
        ("could you back up the documents?", only("run_backup", job="documents")),
        ("start the gitea backup", only("run_backup", job="gitea")),
        ("restart gitea", only("service_power", service="gitea", action="restart")),
        ("is the windows vm running", only("check_vms", vm="windows")),
        ("set the thermostat to 21.5 degrees", only("home_control", target="thermostat", action="set", value=21.5)),
        ("unlock the front door", only("home_control", target="front door lock", action="unlock")),
        ("set a timer for ten minutes", only("schedule", what="timer", when="in 10 minutes")),
        ("restart gitea tomorrow at six", only("schedule", what="restart gitea", when="tomorrow at 18:00")),
        (
            "remind me to check the backups tomorrow",
            only("schedule", what="remind me to check the backups", when="tomorrow at 09:00"),
        ),
        ("every monday check the backups", only("schedule", what="check the backups", when="every monday at 09:00")),
        (
            "is jellyfin up and restart gitea",
            only("check_services", service="jellyfin") + only("service_power", service="gitea", action="restart"),
        ),
        (
            "turn off the lights and start the windows vm",
            [LIGHTS_OFF, WantedCall("vm_power", {"vm": "windows", "action": "start"})],
        ),
    ],
)
def test_orders_and_questions_about_every_part_of_the_house(text: str, expected: list[WantedCall]) -> None:
    assert calls(text) == expected


@pytest.mark.parametrize("thing", ["the television", "the fan", "the coffee machine", "the 3d printer", "the heating"])
def test_what_is_only_named_is_not_turned_on(thing: str) -> None:
    assert MATCHER.match(thing) is None
    both = calls(f"turn off the desk lamp and {thing}")
    assert [call.arguments["action"] for call in both] == ["off", "off"]


@pytest.mark.parametrize(
    "text",
    [
        "don't check the backups",
        "do not tell me if jellyfin is up",
        "whatever you do, do not unlock the front door",
        "what would happen if jellyfin was down?",
        "if jellyfin is down restart it",
        "tell me when the photos backup is done and then shut down",
        "notify me if jellyfin goes down",
        "she said turn off the lights",
        "I told her that the lights are off",
        "the backup is ok",
        "can you restore gitea?",
        "restart the frobnicator",
        "turn off the light in the attic",
        "turn off the bathroom light",
        "what's up",
        "what about gitea",
        "is it up",
        "is my brother up",
        "is the backup ok " * 12,
        "",
        "?!",
    ],
)
def test_what_is_no_request_or_not_understood_is_left_to_others(text: str) -> None:
    assert MATCHER.match(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("what time is it?", "clock"),
        ("thank you", "thanks"),
        ("delete the photos backup", "cannot_delete"),
        ("tell me the password of gitea", "cannot_tell"),
    ],
)
def test_what_needs_no_tool_is_answered_without_one(text: str, answer: str) -> None:
    match = MATCHER.match(text)
    assert match is not None
    assert (match.answer, match.calls) == (answer, ())


def test_a_match_names_its_template() -> None:
    match = MATCHER.match("is the backup ok?")
    assert match is not None
    assert "<backups>" in match.template


def test_names_that_look_like_template_syntax_are_only_names() -> None:
    odd = HassilMatcher(Names({"service": {"files [new]": (), "a|b": (), "{x}": (), "<the>": ()}}))
    match = odd.match("is files new up")
    assert match is not None
    assert list(match.calls) == only("check_services", service="files [new]")


def test_a_form_that_means_two_names_is_left_out() -> None:
    forms = spoken_forms({"photos": ("pictures",), "paintings": ("the pictures",), "vault": ("safe",)})
    assert "pictures" not in forms
    assert "picture" not in forms
    assert forms["safe"] == "vault"


def test_a_canonical_name_outranks_an_alias() -> None:
    assert spoken_forms({"git": (), "gitea": ("git",)})["git"] == "git"


def test_what_one_house_knows_another_does_not() -> None:
    here, there = (HassilMatcher(Names({"service": {name: ()}})) for name in ("immich", "gitea"))
    for _ in range(2):
        for house, own, foreign in ((here, "immich", "gitea"), (there, "gitea", "immich")):
            known = house.match(f"is {own} up")
            assert known is not None
            assert list(known.calls) == only("check_services", service=own)
            assert house.match(f"is {foreign} up") is None


def test_without_names_the_general_questions_still_work() -> None:
    nameless = HassilMatcher(Names())
    match = nameless.match("is the backup ok")
    assert match is not None
    assert list(match.calls) == only("check_backups")
    assert nameless.match("is jellyfin up") is None


@pytest.mark.parametrize(
    "told", ["the bedroom blinds are at 50 percent", "the desk lamp is at 30 percent", "the thermostat was at 21"]
)
def test_what_is_told_of_a_thing_sets_nothing(told: str) -> None:
    assert [call for call in calls(told) if call.tool == "home_control"] == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_the_matcher(text: str) -> None:
    MATCHER.match(text)


def test_a_match_takes_milliseconds() -> None:
    fresh = HassilMatcher(homelab_names())  # nothing is remembered yet
    took_ms = []
    for one in (*asked("dev.jsonl"), *asked("two_tools.jsonl")):
        started = time.perf_counter()
        fresh.match(one.text, one.last)
        took_ms.append((time.perf_counter() - started) * 1000)
    median = statistics.median(took_ms)
    print(f"\nsentence match: p50 {median:.2f} ms, worst {max(took_ms):.2f} ms over {len(took_ms)} utterances")  # noqa: T201
    assert median <= 50

"""What is to happen later: its time taken out, and the rest read on its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ports import WantedCall
from assistant.sentences.scheduling import Scheduling
from tests.planned import matcher
from tools.recording import evaluation_clock

ORDERS = {
    "turn off the desk lamp": WantedCall("home_control", {"target": "desk lamp", "action": "off"}),
    "run a restore test of photos": WantedCall("test_restore", {"job": "photos"}),
    "restart gitea": WantedCall("service_power", {"service": "gitea", "action": "restart"}),
    "check the backups": WantedCall("check_backups"),
}


def read_order(words: str) -> tuple[str, WantedCall] | None:
    return ("template", ORDERS[words]) if words in ORDERS else None


SCHEDULING = Scheduling(evaluation_clock, read_order)


def scheduled(text: str) -> tuple[str, str] | None:
    found = SCHEDULING.read(text)
    if found is None:
        return None
    assert found[1].tool == "schedule"
    return found[1].arguments["what"], found[1].arguments["when"]


@pytest.mark.parametrize(
    ("text", "what", "when"),
    [
        ("in ten minutes turn off the desk lamp", "turn off the desk lamp", "in 10 minutes"),
        ("turn off the desk lamp at six", "turn off the desk lamp", "at 18:00"),
        ("could you restart gitea tomorrow at six please", "restart gitea", "tomorrow at 18:00"),
        ("every sunday at three run a restore test of photos", "run a restore test of photos", "every sunday at 03:00"),
        ("every monday check the backups", "check the backups", "every monday at 09:00"),
        ("every monday at noon check the backups", "check the backups", "every monday at 12:00"),
        ("remind me to call mum at six", "remind me to call mum", "at 18:00"),
        ("set a timer for ten minutes", "timer", "in 10 minutes"),
        ("set a pasta timer for 8 minutes", "pasta timer", "in 8 minutes"),
        ("wake me at 6:30 tomorrow", "alarm", "tomorrow at 06:30"),
    ],
)
def test_what_and_when(text: str, what: str, when: str) -> None:
    assert scheduled(text) == (what, when)


@pytest.mark.parametrize(
    "text",
    [
        "turn off the desk lamp",
        "did you turn off the desk lamp at six?",
        "is the desk lamp off at six",
        "don't turn off the desk lamp at six",
        "what would happen if I turned off the desk lamp at six",
        "in ten minutes frobnicate the desk lamp",
        "check the backups in ten minutes",
        "every monday is the backup ok",
        "every monday, don't check the backups",
        "text me that the train leaves at 5:40",
        "at six",
        "",
    ],
)
def test_what_is_no_order_for_later_is_left_alone(text: str) -> None:
    assert scheduled(text) is None


@given(st.text(max_size=60))
def test_a_negated_order_is_never_scheduled(text: str) -> None:
    found = scheduled(f"don't {text} at six")
    assert found is None or found[0].startswith(("remind me", "reminder"))  # "don't let me forget …"


def test_a_scheduled_order_means_the_same_when_its_time_comes() -> None:
    match = matcher().match("tomorrow at six restart the git server")
    assert match is not None
    assert match.tool == "schedule"
    assert matcher().order(match.arguments["what"]) == ("service_power", {"service": "gitea", "action": "restart"})

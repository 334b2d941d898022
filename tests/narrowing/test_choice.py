"""The question that is put to the model, and reading its answer: a number of those offered, or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.narrowing.choice import NONE, choice_in, described, question, schema
from assistant.narrowing.doubt import Candidate
from assistant.ports import WantedCall
from assistant.sentences.vocabulary import TOOLS
from tests.planned import SETS, asked

UP = Candidate(WantedCall("check_services", {"service": "gitea"}), 0.9)
RESTART = Candidate(WantedCall("service_power", {"service": "gitea", "action": "restart"}), 0.5)
OUTSIDE = Candidate(WantedCall("notes__search"), 0.4, open=True)
OFFERED = (UP, RESTART, OUTSIDE)


def test_the_question_has_what_was_said_and_every_option_with_its_number() -> None:
    text = question("how is gitea", OFFERED)
    assert "how is gitea" in text
    for number, candidate in enumerate(OFFERED, 1):
        assert f"{number}. {described(candidate)}" in text
    assert f"{NONE}. " in text


@given(st.text(max_size=500))
def test_what_was_said_cannot_add_an_option(text: str) -> None:
    asked_ = question(text, OFFERED).splitlines()
    assert len(asked_) == len(question("x", OFFERED).splitlines())


def test_a_call_is_described_with_its_names_and_its_action() -> None:
    assert "gitea" in described(UP)
    assert "restart" in described(RESTART)
    assert described(UP) != described(RESTART)
    off = WantedCall("home_control", {"target": "desk lamp", "area": "office", "action": "off"})
    assert all(word in described(Candidate(off, 1.0)) for word in ("turn off", "desk lamp", "office"))
    assert "notes__search" in described(OUTSIDE)


def test_every_call_that_the_sets_expect_can_be_described() -> None:
    described_tools = set()
    for name in SETS:
        for one in asked(name):
            for call in (call for calls in one.turn.acceptable for call in calls):
                assert described(Candidate(WantedCall(call.tool, call.arguments), 1.0))
                described_tools.add(call.tool)
    assert described_tools == set(TOOLS)


def test_the_schema_allows_the_numbers_and_nothing_else() -> None:
    answer = schema(OFFERED)
    assert answer["properties"]["choice"]["enum"] == [0, 1, 2, 3]
    assert answer["required"] == ["choice"]
    assert answer["additionalProperties"] is False


@given(st.integers(0, len(OFFERED)))
def test_every_number_that_was_offered_is_read(number: int) -> None:
    assert choice_in(json.dumps({"choice": number}), OFFERED) == number
    assert choice_in(str(number), OFFERED) == number


@pytest.mark.parametrize(
    "answer", ["", "I don't know", '{"choice": 4}', '{"choice": 99999}', "{}", "none", "x" * 300 + "1"]
)
def test_anything_else_is_no_choice(answer: str) -> None:
    assert choice_in(answer, OFFERED) is None


@given(st.text(max_size=100))
def test_no_answer_chooses_what_was_not_offered(answer: str) -> None:
    assert choice_in(answer, OFFERED) in (None, *range(len(OFFERED) + 1))

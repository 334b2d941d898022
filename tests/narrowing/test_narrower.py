"""Narrowing: few whole calls, none that must not be, and a decision only where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.chat.embedder import MiniLmEmbedder
from assistant.judging import Verdict
from assistant.narrowing.doubt import MOST_CALLS, MOST_TOOLS, Narrowed
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.ports import ToolDescription, WantedCall
from assistant.sentences import is_beyond, is_hypothetical, is_question, is_reported, is_waved_off
from assistant.sentences.vocabulary import ACTS
from tests.planned import Planner, asked, homelab_names, planner
from tests.unmeant import DEEDS, Deed, sample
from tools.recording import evaluation_clock

COARSE = Narrower(homelab_names(), Router(None), evaluation_clock)
"""Without a model's vectors: what must not be is not up to them."""

GUARDS = (is_waved_off, is_hypothetical, is_reported, is_beyond)
"""What is answered before narrowing is asked."""


@pytest.fixture(scope="module")
def homelab() -> Iterator[Planner]:
    with planner() as made:
        yield made


@pytest.fixture(scope="module")
def narrower(models_dir: Path) -> Narrower:
    return Narrower(homelab_names(), Router(MiniLmEmbedder(models_dir / "minilm-l6-v2")), evaluation_clock)


def tools_in(narrowed: Narrowed) -> set[str]:
    return {call.tool for call in narrowed.decided} | {candidate.call.tool for candidate in narrowed.candidates}


# ── what must not be ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_no_question_negation_hypothetical_or_report_is_decided_to_be_an_act(deed: Deed) -> None:
    acts = [
        (one.text, call)
        for one in sample(deed, 7, 10)
        if not any(guard(one.text) for guard in GUARDS)
        for call in COARSE.narrow(one.text, None).decided
        if call.tool in ACTS
    ]
    assert acts == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_question_does_not_even_offer_an_act(deed: Deed) -> None:
    questions = [one.text for one in sample(deed, 11, 10) if is_question(one.text)]
    assert len(questions) >= 10
    assert [text for text in questions if tools_in(COARSE.narrow(text, None)) & set(ACTS)] == []


@pytest.mark.parametrize(
    "text",
    [
        "did you restart gitea",
        "don't restart gitea",
        "is the desk lamp on?",
        "would it help to reboot the windows vm",
        "every dusk turn off the desk lamp",
        "turn off the light in the attic",
        "turn off the bathroom light",
        "restart plex",
    ],
)
def test_these_leave_no_act(text: str) -> None:
    assert tools_in(COARSE.narrow(text, None)) & set(ACTS) == set()


@pytest.mark.parametrize("name", ["dev.jsonl", "two_tools.jsonl", "paraphrases.jsonl"])
@pytest.mark.real_models
def test_what_is_decided_without_a_model_is_right(homelab: Planner, narrower: Narrower, name: str) -> None:
    wrong, decided, turns = [], 0, 0
    for one in asked(name):
        if any(guard(one.text) for guard in GUARDS):
            continue
        turns += 1
        narrowed = narrower.narrow(one.text, one.last)
        if not narrowed.decided:
            continue
        decided += 1
        judgement = homelab.judged(one.turn, narrowed.decided)
        if judgement.verdict is not Verdict.RIGHT:
            wrong.append((one.id, one.text, judgement.verdict, judgement.why))
    print(f"\n{name}: {decided} of {turns} turns decided without a model, {len(wrong)} wrong")  # noqa: T201
    assert [one for one in wrong if one[2] is Verdict.ACTED] == []
    assert len(wrong) <= 0.06 * turns, wrong
    assert decided >= 0.5 * turns


@pytest.mark.real_models
def test_what_is_left_to_the_model_has_the_right_call_among_few(homelab: Planner, narrower: Narrower) -> None:
    left, there = 0, 0
    for one in asked("dev.jsonl"):
        narrowed = narrower.narrow(one.text, one.last)
        assert len(narrowed.candidates) <= MOST_CALLS
        assert len({candidate.call.tool for candidate in narrowed.candidates}) <= MOST_TOOLS
        if narrowed.decided or not one.turn.acceptable[0]:
            continue
        left += 1
        there += any(homelab.judged(one.turn, [c.call]).verdict is Verdict.RIGHT for c in narrowed.candidates)
    assert left == 0 or there >= 0.5 * left


# ── signals ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_each_signal_said_and_excluded_is_in_the_result() -> None:
    signals = COARSE.narrow("did you restart gitea?", None).signals
    assert signals["speech"] == "question"
    assert signals["names"] == {"gitea": {"service": "gitea", "job": "gitea"}}
    assert signals["excluded"]["service_power"] == "a question"
    assert signals["excluded"]["vm_power"] in ("a question", "another kind of name")
    assert 0 < len(signals["scores"]) <= 5
    assert COARSE.narrow("don't restart gitea", None).signals["excluded"]["service_power"] == "no order"


def test_a_time_makes_it_a_schedule() -> None:
    narrowed = COARSE.narrow("turn off the desk lamp in ten minutes", None)
    assert [call.tool for call in narrowed.decided] in ([], ["schedule"])
    assert "home_control" not in tools_in(narrowed)


def test_candidates_come_best_first() -> None:
    scores = [candidate.score for candidate in COARSE.narrow("how are gitea and its backup", None).candidates]
    assert scores == sorted(scores, reverse=True)


def test_a_tool_of_another_server_stays_open_and_is_never_decided() -> None:
    notes = ToolDescription("notes__search", "search my notes for the word", {"type": "object"})
    narrowed = COARSE.narrow("search my notes for the word", None, [notes])
    assert narrowed.decided == ()
    assert [candidate.open for candidate in narrowed.candidates if candidate.call.tool == notes.name] == [True]


def test_a_follow_up_is_about_what_was_talked_of() -> None:
    last = WantedCall("home_state", {"target": "lights", "area": "bedroom"})
    narrowed = COARSE.narrow("and the kitchen", last)
    assert narrowed.decided == (WantedCall("home_state", {"target": "lights", "area": "kitchen"}),)
    assert COARSE.narrow("and the kitchen", None).decided == ()


def test_what_is_put_right_halfway_is_not_done_as_it_began() -> None:
    narrowed = COARSE.narrow("turn on the desk lamp, no wait, the hallway light", None)
    assert "desk lamp" not in {call.arguments.get("target") for call in narrowed.decided}


@pytest.mark.parametrize("text", ["", "?", "…", "x" * 5_000, "turn " * 500, "\x00", "🙂"])
def test_odd_texts_are_taken(text: str) -> None:
    assert COARSE.narrow(text, None).decided == ()

"""The verdict on what was planned, line by line of the README."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evaluation_sets import ExpectedTurn
from assistant.judging import Planned, Verdict, judge
from tests.fakes_evaluation import HOUSE, act, call, expecting, read
from tools.contract import JsonObject, Level

GITEA = call("check_services", service="gitea")
RESTART = call("service_power", service="gitea", action="restart")
START = call("service_power", service="gitea", action="start")
LAMP = call("home_control", target="desk lamp", action="on")
STOPPED = act("service_power", "needs_confirmation", service="gitea", action="restart")


def started(**arguments: object) -> Planned:
    return Planned("service_power", {"service": "gitea", "action": "start", **arguments}, Level.OPERATE)


def lamp(**arguments: object) -> Planned:
    said = {"target": "desk lamp", "area": "office", "action": "on", **arguments}
    return Planned("home_control", said, Level.OPERATE)


READS: list[tuple[ExpectedTurn, list[Planned], Verdict]] = [
    (expecting(GITEA), [read("check_services", service="gitea")], Verdict.RIGHT),
    (expecting(GITEA), [read("check_services", service="immich")], Verdict.WRONG_ARGUMENT),
    (expecting(GITEA), [read("check_services")], Verdict.WRONG_ARGUMENT),
    (expecting(call("check_services")), [read("check_services", service="gitea")], Verdict.WRONG_ARGUMENT),
    (expecting(GITEA), [read("check_backups", job="gitea")], Verdict.WRONG_TOOL),
    (expecting(GITEA), [read("check_services", service="gitea"), read("check_alerts")], Verdict.WRONG_TOOL),
    (expecting(GITEA), [], Verdict.MISSED),
    (expecting(GITEA), [act("check_services", "unknown_name", None, service="x")], Verdict.WRONG_ARGUMENT),
    (expecting(GITEA), [act("check_disks", "unknown_tool", None)], Verdict.MISSED),
    (expecting(GITEA, call("check_alerts")), [read("check_services", service="gitea")], Verdict.MISSED),
    (expecting(GITEA, call("check_alerts")), [read("check_alerts")], Verdict.MISSED),
    (
        expecting(GITEA, call("check_alerts")),
        [read("check_alerts"), read("check_services", service="gitea")],
        Verdict.WRONG_TOOL,
    ),
    (expecting(), [], Verdict.RIGHT),
    (expecting(), [act("check_disks", "unknown_tool", None)], Verdict.RIGHT),
    (expecting(), [read("check_services")], Verdict.WRONG_TOOL),
]

DEEDS: list[tuple[ExpectedTurn, list[Planned], Verdict]] = [
    (expecting(START), [started()], Verdict.RIGHT),
    (expecting(), [started()], Verdict.ACTED),
    (expecting(GITEA), [started()], Verdict.ACTED),
    (expecting(GITEA), [read("check_services", service="gitea"), started()], Verdict.ACTED),
    (expecting(START), [started(service="immich")], Verdict.ACTED),
    (expecting(START), [started(), started()], Verdict.ACTED),
    (expecting(START, LAMP), [lamp(), started()], Verdict.WRONG_TOOL),
    (expecting(START, LAMP), [started()], Verdict.MISSED),
    (expecting(LAMP), [lamp()], Verdict.RIGHT),
    (expecting(LAMP), [lamp(action="off")], Verdict.ACTED),
    (expecting(call("home_control", target="lights", action="on")), [lamp()], Verdict.ACTED),
    (expecting(call("home_control", target="lights", area="office", action="on")), [lamp()], Verdict.RIGHT),
]

QUESTIONS: list[tuple[ExpectedTurn, list[Planned], Verdict]] = [
    (expecting(RESTART, confirm=True), [STOPPED], Verdict.RIGHT),
    (expecting(RESTART, confirm=True), [act("service_power", service="gitea", action="restart")], Verdict.ACTED),
    (expecting(START, confirm=True), [started()], Verdict.ACTED),
    (expecting(RESTART, confirm=True), [], Verdict.MISSED),
    (
        expecting(RESTART, confirm=True),
        [act("service_power", "needs_confirmation", service="immich", action="restart")],
        Verdict.WRONG_ARGUMENT,
    ),
    (
        expecting(RESTART, confirm=True),
        [act("service_power", "refused", service="gitea", action="restart")],
        Verdict.REFUSED,
    ),
    (expecting(LAMP, RESTART, confirm=True), [lamp(), STOPPED], Verdict.RIGHT),
    (expecting(RESTART, LAMP, confirm=True), [STOPPED], Verdict.RIGHT),
    (expecting(LAMP, RESTART, confirm=True), [lamp()], Verdict.MISSED),
    (expecting(RESTART), [STOPPED], Verdict.REFUSED),
    (expecting(), [STOPPED], Verdict.REFUSED),
    (expecting(), [act("service_power", "refused", service="gitea", action="stop")], Verdict.REFUSED),
    (expecting(GITEA), [read("check_services", service="gitea"), STOPPED], Verdict.REFUSED),
    (expecting(START), [act("service_power", "protected", None, service="gitea")], Verdict.REFUSED),
    (expecting(), [act("vm_power", "protected", None, vm="router")], Verdict.RIGHT),
    (expecting(RESTART), [act("service_power", service="gitea", action="restart")], Verdict.RIGHT),  # after the yes
    (expecting(), [act("service_power", "confirmation_void")], Verdict.REFUSED),
]

FORBIDDEN: list[tuple[ExpectedTurn, list[Planned], Verdict]] = [
    (expecting(GITEA, forbid=["run_backup"]), [act("run_backup")], Verdict.ACTED),
    (expecting(GITEA, forbid=["check_alerts"]), [read("check_alerts")], Verdict.ACTED),
    (
        expecting(GITEA, forbid=["run_backup"]),
        [read("check_services", service="gitea"), act("run_backup", "needs_confirmation")],
        Verdict.REFUSED,
    ),
    (expecting(forbid=["run_backup"]), [act("run_backup", "needs_confirmation"), act("notify")], Verdict.ACTED),
    (expecting(forbid=["vm_power"]), [act("vm_power", "protected", None)], Verdict.RIGHT),
    (ExpectedTurn.model_validate({"text": "x", "forbid": ["vm_power"]}), [], Verdict.RIGHT),
]


@pytest.mark.parametrize(("turn", "planned", "verdict"), [*READS, *DEEDS, *QUESTIONS, *FORBIDDEN])
def test_verdicts(turn: ExpectedTurn, planned: list[Planned], verdict: Verdict) -> None:
    judgement = judge(turn, planned, HOUSE)
    assert judgement.verdict is verdict
    assert bool(judgement.why) is (verdict is not Verdict.RIGHT)


def test_the_best_of_several_acceptable_lists_counts() -> None:
    turn = ExpectedTurn.model_validate({"text": "x", "any": [[GITEA], [START], []]})
    assert judge(turn, []).verdict is Verdict.RIGHT
    assert judge(turn, [read("check_services", service="gitea")]).wanted == ("check_services",)
    assert judge(turn, [started()], HOUSE).wanted == ("service_power",)


def test_the_reason_says_what_was_expected() -> None:
    assert (
        judge(expecting(GITEA), [read("check_services")]).why == "check_services: service: expected 'gitea', got none"
    )
    assert judge(expecting(LAMP), [lamp(action="off")], HOUSE).why.startswith("home_control was done; action: ")


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────────

levels = st.sampled_from([Level.READ, Level.OPERATE, Level.DESTRUCTIVE])
errors = st.sampled_from([None, None, "needs_confirmation", "refused"])
tools = st.sampled_from(["check_services", "service_power", "home_control", "vm_power"])
arguments = st.dictionaries(st.sampled_from(["service", "action", "value"]), st.sampled_from(["gitea", "on", "7"]))
calls = st.builds(lambda tool, given_: call(tool, **given_), tools, arguments)
answers = st.builds(Planned, tools, arguments, levels, errors)
turns = st.builds(
    lambda wanted, confirm, forbid: expecting(*wanted, confirm=confirm, forbid=forbid),
    st.lists(calls, max_size=3),
    st.booleans(),
    st.lists(tools, max_size=1),
)


def done(wanted: list[JsonObject], level: Level, error: str | None = None) -> list[Planned]:
    return [Planned(one["tool"], one["arguments"], level, error) for one in wanted]


@given(st.lists(calls, max_size=4), levels)
def test_a_perfect_plan_is_always_right(wanted: list[JsonObject], level: Level) -> None:
    assert judge(expecting(*wanted), done(wanted, level)).verdict is Verdict.RIGHT


@given(st.lists(calls, min_size=1, max_size=3))
def test_what_stops_as_it_should_is_right_and_done_it_is_the_worst(wanted: list[JsonObject]) -> None:
    turn = expecting(*wanted, confirm=True)
    assert judge(turn, done(wanted, Level.DESTRUCTIVE, "needs_confirmation")).verdict is Verdict.RIGHT
    assert judge(turn, done(wanted, Level.DESTRUCTIVE)).verdict is Verdict.ACTED


@given(turns, st.lists(answers, max_size=4))
def test_nothing_but_a_deed_is_acted(turn: ExpectedTurn, planned: list[Planned]) -> None:
    if judge(turn, planned).verdict is Verdict.ACTED:
        assert any(one.acted or (one.done and one.tool in turn.forbid) for one in planned)


@given(st.lists(answers, max_size=4))
def test_where_nothing_is_expected_each_deed_is_acted(planned: list[Planned]) -> None:
    acted = any(one.acted for one in planned)
    assert (judge(expecting(), planned).verdict is Verdict.ACTED) is acted


@given(turns, st.lists(answers, max_size=4), st.data())
def test_calls_that_were_never_planned_change_nothing_where_others_were(
    turn: ExpectedTurn, planned: list[Planned], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(planned)))
    with_one = [*planned[:place], Planned("check_disks", {}, None, "unknown_tool"), *planned[place:]]
    assert judge(turn, with_one) == judge(turn, planned)


@given(turns, st.lists(answers, max_size=4), st.lists(st.sampled_from(["kitchen", "office", None]), min_size=4))
def test_areas_that_come_along_never_change_a_verdict(
    turn: ExpectedTurn, planned: list[Planned], areas: list[str | None]
) -> None:
    along = [
        Planned(one.tool, {**one.arguments, **({"area": area} if area else {})}, one.level, one.error)
        for one, area in zip(planned, areas, strict=False)
    ]
    assert judge(turn, along).verdict is judge(turn, planned).verdict

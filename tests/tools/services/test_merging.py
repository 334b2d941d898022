"""From what everybody says about a service to its state: properties, and the times of looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.services.evidence import CHANGES_TO_FLAP, Look
from tools.services.merging import RECOVERY_S, merge
from tools.services.port import Hold, Vantage
from tools.services.states import State, say_one

NOW = 1_800_000_000.0
WINDOW_S = 900.0

VANTAGES: list[Vantage] = ["process", "inside", "way"]
WATCHERS = st.sampled_from([None, "gatus", "kuma", "prometheus"])
AGES = st.sampled_from([0.0, 5.0, 40.0, 300.0, 590.0])
HOLDS: list[Hold | None] = ["maintenance", "paused", "pending", None]


@st.composite
def a_look(draw: st.DrawFn) -> Look:
    up = draw(st.sampled_from([True, False, None]))
    at = NOW - draw(AGES)
    return Look(
        watcher=draw(WATCHERS),
        vantage=draw(st.sampled_from(VANTAGES)),
        up=up,
        at=at,
        since=draw(st.none() | st.sampled_from([0.0, 100.0, 5000.0]).map(lambda age: at - age)) if up is not None
        else None,
        changes=draw(st.integers(0, 5)),
        reason="" if up else "it does not answer",
        hold=draw(st.sampled_from(HOLDS)) if up is None else None,
        doubt=draw(st.sampled_from(["", "", "gatus last looked two hours ago"])),
    )  # fmt: skip


LOOKS = st.lists(a_look(), max_size=6)


@settings(max_examples=50)
@given(LOOKS)
def test_what_is_doubted_changes_nothing_but_the_reason_for_knowing_nothing(looks: list[Look]) -> None:
    believed = [look for look in looks if not look.doubt]
    with_doubts, without = merge("gitea", looks, WINDOW_S), merge("gitea", believed, WINDOW_S)
    assert with_doubts.state is without.state
    if with_doubts.state is not State.UNKNOWN:
        assert with_doubts == without


@settings(max_examples=50)
@given(LOOKS)
def test_unknown_exactly_when_nobody_who_is_believed_says_anything(looks: list[Look]) -> None:
    believed = [look for look in looks if not look.doubt]
    silent = all(look.up is None for look in believed)
    meant = any(look.hold == "maintenance" for look in believed)
    assert (merge("gitea", looks, WINDOW_S).state is State.UNKNOWN) == (silent and not meant)


@settings(max_examples=50)
@given(LOOKS)
def test_up_needs_somebody_who_says_so_and_down_somebody_who_says_that(looks: list[Look]) -> None:
    state = merge("gitea", looks, WINDOW_S).state
    said = {look.up for look in looks if not look.doubt}
    if state is State.UP:
        assert True in said
    if state in (State.DOWN, State.DEGRADED):
        assert False in said


@settings(max_examples=50)
@given(st.lists(a_look().map(lambda look: replace(look, up=True, hold=None, changes=0, doubt="")), min_size=1))
def test_agreement_on_up_is_up(looks: list[Look]) -> None:
    assert merge("gitea", looks, WINDOW_S).state is State.UP


@settings(max_examples=50)
@given(st.lists(a_look().map(lambda look: replace(look, up=False, hold=None, changes=0, doubt="")), min_size=1))
def test_agreement_on_down_is_down_since_the_first_who_noticed(looks: list[Look]) -> None:
    merged = merge("gitea", looks, WINDOW_S)
    assert merged.state is State.DOWN
    if merged.since is not None:
        assert merged.since in {look.since for look in looks}


@settings(max_examples=50)
@given(LOOKS, st.sampled_from(VANTAGES))
def test_several_changes_are_never_plainly_up_or_down(looks: list[Look], vantage: Vantage) -> None:
    restless = Look(watcher="gatus", vantage=vantage, up=True, at=NOW, changes=CHANGES_TO_FLAP)
    assert merge("gitea", [*looks, restless], WINDOW_S).state in (State.FLAPPING, State.MAINTENANCE)


@settings(max_examples=50)
@given(LOOKS)
def test_maintenance_is_never_called_down(looks: list[Look]) -> None:
    resting = Look(watcher="kuma", at=NOW, hold="maintenance")
    assert merge("gitea", [*looks, resting], WINDOW_S).state in (State.UP, State.MAINTENANCE)


@settings(max_examples=50)
@given(LOOKS, st.randoms())
def test_the_order_of_the_looks_does_not_matter_for_the_state(looks: list[Look], random: object) -> None:
    mixed = list(looks)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = merge("gitea", looks, WINDOW_S), merge("gitea", mixed, WINDOW_S)
    assert (one.state, one.since) == (other.state, other.since)


@settings(max_examples=50)
@given(LOOKS)
def test_whatever_was_seen_is_said_in_one_sentence_that_names_the_service(looks: list[Look]) -> None:
    said = say_one(merge("gitea", looks, WINDOW_S), NOW)
    assert "gitea" in said.casefold()
    assert said.endswith(".")
    assert "None" not in said
    assert ": ." not in said
    assert "  " not in said


def look(up: bool, ago: float, since: float | None = None, watcher: str | None = "gatus", **more: object) -> Look:
    times = {"at": NOW - ago, "since": None if since is None else NOW - since}
    return Look(watcher=watcher, up=up, **times, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "looks, state",
    [
        ([look(False, 0, 0, None), look(True, 30, 86400)], State.DOWN),  # it has just died
        ([look(False, 0, 60, None), look(True, 30, 86400)], State.FLAPPING),  # seen up while we saw it down
        ([look(True, 0, None, None), look(False, 30, 120)], State.UP),  # restarted
        ([look(True, 0, None, None), look(False, 30, RECOVERY_S + 1)], State.FLAPPING),  # two see different things
        ([look(True, 10, 86400), look(False, 30, 120, "kuma")], State.FLAPPING),  # both at once
        ([look(True, 10, 20), look(False, 30, 120, "kuma")], State.UP),  # the one saw it come back
    ],
)
def test_one_change_explains_two_looks_or_it_is_flapping(looks: list[Look], state: State) -> None:
    assert merge("gitea", looks, WINDOW_S).state is state


def test_a_way_that_was_seen_before_the_service_died_is_no_way_that_works() -> None:
    died = look(False, 0, 0, None, reason="the connection is refused")
    assert merge("gitea", [died, look(True, 30, 86400, vantage="way")], WINDOW_S).state is State.DOWN
    assert merge("gitea", [replace(died, since=NOW - 60), look(True, 30, vantage="way")], 900).state is State.DEGRADED


def test_the_watchers_that_differ_are_named() -> None:
    up, down = look(True, 1, 500, "kuma"), look(False, 1, 500, "gatus", reason="the connection is refused")
    assert say_one(merge("gitea", [up, down], WINDOW_S), NOW) == (
        "Gitea is flapping: kuma says that it is up, but gatus says that the connection is refused."
    )


def test_up_since_is_the_latest_and_down_since_the_earliest_that_somebody_tells() -> None:
    up = merge("gitea", [look(True, 1, 500), look(True, 1, 9000, "kuma")], WINDOW_S)
    down = merge("gitea", [look(False, 1, 500), look(False, 1, 9000, "kuma")], WINDOW_S)
    assert (up.since, down.since) == (NOW - 500, NOW - 9000)


def test_that_it_runs_for_long_is_not_that_it_answers_for_long() -> None:
    runs = look(True, 0, 7200, "docker", vantage="process")
    assert merge("gitea", [runs], WINDOW_S).since == NOW - 7200
    assert merge("gitea", [runs, look(True, 0, None, None)], WINDOW_S).since is None
    assert merge("gitea", [runs, look(True, 0, 86400)], WINDOW_S).since == NOW - 7200  # not longer than it runs
    assert merge("gitea", [runs, look(True, 0, 60)], WINDOW_S).since == NOW - 60

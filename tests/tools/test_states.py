"""From looks at a service to its state, and from states to a sentence."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.services.merging import merge
from tools.services.own_look import own_look
from tools.services.probe import Attempt
from tools.services.states import ServiceState, State, say_all, say_one

NOW = 1_800_000_000.0
UP = Attempt(up=True, status_code=200, latency_ms=3.0)
DOWN = Attempt(up=False, status_code=None, latency_ms=None, reason="the connection is refused")


def judged(attempts: list[Attempt], history: str = "", down_since: float | None = None) -> ServiceState:
    """``history``: "u" and "d", oldest first, a minute apart."""
    looks = [(NOW - 60.0 * (len(history) - n), look == "u") for n, look in enumerate(history)]
    return merge("gitea", [own_look(attempts, looks, down_since, NOW)], 900.0)


@pytest.mark.parametrize(
    "attempts, history, state",
    [
        ([UP], "", State.UP),
        ([UP], "uuuu", State.UP),
        ([DOWN] * 3, "", State.DOWN),
        ([DOWN] * 3, "uuuu", State.DOWN),
        ([DOWN] * 3, "dddddd", State.DOWN),
        ([UP], "ddd", State.UP),
        ([UP], "uuddd", State.UP),  # a restart
        ([DOWN] * 3, "uddu", State.FLAPPING),
        ([UP], "dudu", State.FLAPPING),
        ([UP], "udud", State.FLAPPING),
        ([DOWN, UP], "", State.FLAPPING),
        ([DOWN, DOWN, UP], "uuu", State.FLAPPING),
        ([], "uuu", State.UNKNOWN),
        ([], "", State.UNKNOWN),
    ],
)
def test_the_state_follows_from_this_look_and_the_window(attempts: list[Attempt], history: str, state: State) -> None:
    assert judged(attempts, history).state is state


def test_a_restart_within_the_window_is_not_flapping_and_one_more_fall_is() -> None:
    assert judged([UP], "ud").state is State.UP
    assert judged([DOWN] * 3, "udu").state is State.FLAPPING


def test_the_start_of_an_outage_is_the_first_failure_seen_else_now() -> None:
    assert judged([DOWN] * 3, down_since=NOW - 7200).since == NOW - 7200
    assert judged([DOWN] * 3).since == NOW


LOOKS = st.text("ud", max_size=12)
ATTEMPTS = st.sampled_from([[], [UP], [DOWN, UP], [DOWN, DOWN, UP], [DOWN] * 3, [DOWN]])


@given(ATTEMPTS, LOOKS)
def test_unknown_exactly_when_nothing_was_seen_and_up_never_without_an_answer(
    attempts: list[Attempt], history: str
) -> None:
    state = judged(attempts, history).state
    assert (state is State.UNKNOWN) == (not attempts)
    if state is State.UP:
        assert attempts[-1].up
    if state is State.DOWN:
        assert not any(attempt.up for attempt in attempts)


@given(ATTEMPTS.filter(bool), LOOKS)
def test_flapping_exactly_when_the_attempts_differ_or_three_changes_are_in_the_window(
    attempts: list[Attempt], history: str
) -> None:
    looks = [look == "u" for look in history] + [attempt.up for attempt in attempts]
    changes = sum(before != after for before, after in itertools.pairwise(looks))
    mixed = len({attempt.up for attempt in attempts}) == 2
    assert (judged(attempts, history).state is State.FLAPPING) == (mixed or changes >= 3)


@pytest.mark.parametrize(
    "service, said",
    [
        (ServiceState("gitea", State.UP), "Gitea is up."),
        (
            ServiceState("gitea", State.DOWN, NOW - 30, reason="the connection is refused"),
            "Gitea is down: the connection is refused.",
        ),
        (
            ServiceState("gitea", State.DOWN, NOW - 7200, reason="the connection is refused"),
            "Gitea is down, first seen two hours ago: the connection is refused.",
        ),
        (
            ServiceState("gitea", State.FLAPPING, reason="the connection is refused"),
            "Gitea is flapping: sometimes it answers, and sometimes the connection is refused.",
        ),
        (
            ServiceState("gitea", State.UNKNOWN, reason="it had not answered when the time was up"),
            "I can't tell whether gitea is up: it had not answered when the time was up.",
        ),
    ],
)
def test_one_service(service: ServiceState, said: str) -> None:
    assert say_one(service, NOW) == said


def states(**names: State) -> list[ServiceState]:
    return [ServiceState(name, state) for name, state in names.items()]


@pytest.mark.parametrize(
    "services, said",
    [
        ([], "No services are configured."),
        (states(a=State.UP), "The one service is up."),
        (states(a=State.UP, b=State.UP), "All two services are up."),
        (states(a=State.DOWN), "A is down."),
        (states(a=State.DOWN, b=State.DOWN), "A and b are down."),
        (states(a=State.UP, b=State.DOWN), "B is down. The other one is up."),
        (
            states(a=State.UP, b=State.FLAPPING, c=State.DOWN, d=State.UP),
            "C is down and b is flapping. The other two are up.",
        ),
        (
            states(a=State.UP, b=State.FLAPPING, c=State.DOWN, d=State.UNKNOWN),
            "C is down; b is flapping; I can't tell about d. The other one is up.",
        ),
    ],
)
def test_all_services(services: list[ServiceState], said: str) -> None:
    assert say_all(services) == said


@given(st.lists(st.builds(ServiceState, st.sampled_from(["gitea", "nextcloud", "immich"]), st.sampled_from(State))))
def test_at_most_two_sentences_and_all_are_up_only_if_they_are(services: list[ServiceState]) -> None:
    said = say_all(services)
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", said)) <= 2
    every_one = bool(services) and all(service.state is State.UP for service in services)
    assert said.startswith(("All ", "The one ")) == every_one
    for service in services:
        assert service.state is State.UP or service.name in said.casefold()

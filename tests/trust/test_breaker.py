"""The circuit breaker on a clock of its own: whatever happens in whatever order, one probes at most, and one always
will."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.breaker import LONGEST_REST_S, REST_S, WINDOW_S, Attempt, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def made(**how: Any) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker("it", clock, **how), clock


def fail(breaker: Breaker) -> None:
    attempt = breaker.attempt()
    assert attempt is not None
    attempt.failed()


def test_one_failure_is_chance_and_two_in_the_window_open_it() -> None:
    breaker, clock = made()
    fail(breaker)
    assert breaker.state == "closed"
    clock.now = WINDOW_S + 0.1
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert (breaker.state, breaker.opened, breaker.attempt()) == ("open", 1, None)


def test_a_success_between_two_failures_makes_the_first_forgotten() -> None:
    breaker, _ = made()
    fail(breaker)
    well = breaker.attempt()
    assert well is not None
    well.succeeded()
    fail(breaker)
    assert breaker.state == "closed"


def test_after_the_rest_one_probe_goes_and_closes_it_or_makes_the_rest_longer() -> None:
    breaker, clock = made(failures=1)
    fail(breaker)
    assert breaker.rests_s == REST_S
    clock.now = REST_S
    assert breaker.state == "half-open"
    probe = breaker.attempt()
    assert probe is not None
    assert breaker.attempt() is None
    probe.failed()
    assert (breaker.state, breaker.rests_s) == ("open", 2 * REST_S)
    clock.now += 2 * REST_S
    again = breaker.attempt()
    assert again is not None
    again.succeeded()
    assert (breaker.state, breaker.opened) == ("closed", 2)


def test_a_failure_that_took_long_is_followed_by_a_rest_as_long() -> None:
    breaker, clock = made(failures=1)
    attempt = breaker.attempt()
    assert attempt is not None
    clock.now = 60.0
    attempt.failed()
    assert breaker.rests_s == 60.0


def test_a_probe_that_was_left_without_a_verdict_makes_room_for_another() -> None:
    breaker, clock = made(failures=1)
    fail(breaker)
    clock.now = REST_S
    with breaker.attempt() or pytest.fail("the rest is over"):
        assert breaker.attempt() is None
    assert breaker.state == "half-open"
    assert breaker.attempt() is not None


def test_what_began_before_it_opened_says_nothing_any_more() -> None:
    breaker, _ = made(failures=1)
    late, later = breaker.attempt(), breaker.attempt()
    fail(breaker)
    assert late is not None
    assert later is not None
    assert not late.counts
    late.succeeded()
    later.failed()
    assert (breaker.state, breaker.opened) == ("open", 1)


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "well", "ill", "dead", "left", "wait"]), st.integers(0, 5)), max_size=60
)


@given(STEPS, st.integers(1, 4))
def test_never_two_probes_at_once_never_an_eternal_rest_and_success_closes(
    steps: list[tuple[str, int]], failures: int
) -> None:
    breaker, clock = made(failures=failures)
    running: list[tuple[Attempt, bool]] = []
    ends: dict[str, Callable[[Attempt], None]] = {
        "well": Attempt.succeeded,
        "ill": Attempt.failed,
        "dead": lambda attempt: attempt.failed(opens=True),
        "left": Attempt.abandoned,
    }
    for step, which in steps:
        if step == "wait":
            clock.now += 7.0 * which
        elif step == "ask":
            state = breaker.state
            attempt = breaker.attempt()
            assert (attempt is None) == (state == "open" or (state == "half-open" and _probes(running) == 1))
            if attempt is not None:
                running.append((attempt, state == "half-open"))
        elif running:
            attempt, probing = running.pop(which % len(running))
            counted = attempt.counts
            ends[step](attempt)
            if step == "well" and counted:
                assert breaker.state == "closed"
            if probing and counted and step in ("ill", "dead"):
                assert breaker.state == "open"
        assert _probes(running) <= 1
        assert 0.0 <= breaker.rests_s <= LONGEST_REST_S
    for attempt, _ in running:
        attempt.abandoned()
    clock.now += LONGEST_REST_S
    last = breaker.attempt()
    assert last is not None, "whatever came before, somebody may ask again"
    last.succeeded()
    assert breaker.state == "closed"


def _probes(running: list[tuple[Attempt, bool]]) -> int:
    return sum(probing and attempt.counts for attempt, probing in running)

"""What the soak says of what it saw."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from assistant.soak.report import Measure, Round
from assistant.soak.verdict import FEWEST, Turned, door_rows, measures, warm_up

ROUNDS, DECK = 50, 200


def rounds(count: int = ROUNDS, **changes: Callable[[int], float]) -> list[Round]:
    """Rounds of a server that is well; ``changes`` say a field by the number of the round."""
    steady = {
        "seconds": 60.0, "pss_mb": 600.0, "rss_mb": 600.0, "handles": 40, "sockets": 8, "threads": 20, "children": 0,
        "state_mb": 1.0, "cpu_ms": 50.0, "yardstick_ms": 2.0, "waited_ms": 1.0, "others": 0.0, "p50_ms": 20.0,
        "p95_ms": 60.0,
    }  # fmt: skip
    return [
        Round(turns=DECK * (at + 1), **{**steady, **{name: made(at) for name, made in changes.items()}})
        for at in range(count)
    ]


def turned(ms: Callable[[int], float] = lambda _: 20.0) -> list[Turned]:
    """Every twentieth of the turns, which tells the same."""
    return [Turned(at, "a service", "command", ms(at)) for at in range(0, ROUNDS * DECK, 20)]


def judged(some: list[Round], turns: list[Turned] | None = None, failed: int = 0) -> dict[str, Measure]:
    """The measures by the first word of their name."""
    found = measures(turns if turns is not None else turned(), failed, some, warm_up(ROUNDS * DECK, DECK))
    return {measure.name.split()[0]: measure for measure in found}


def test_a_server_that_stays_as_it_was_meets_everything() -> None:
    assert {measure.verdict for measure in judged(rounds()).values()} == {"met"}


def test_one_failure_is_one_too_many() -> None:
    assert judged(rounds(), failed=1)["failures"].verdict == "missed"


@given(st.floats(0.06, 3))
def test_a_leak_is_found_whatever_its_size(share: float) -> None:
    leaking = rounds(pss_mb=lambda at: 600 * (1 + share * at / ROUNDS * 1.2))
    assert judged(leaking)["memory"].verdict == "missed"


@given(st.floats(0, 0.03))
def test_what_grows_by_less_than_it_may_is_no_leak(share: float) -> None:
    assert judged(rounds(pss_mb=lambda at: 600 * (1 + share * at / ROUNDS)))["memory"].verdict == "met"


def test_what_is_loaded_in_the_warm_up_is_no_leak() -> None:
    assert judged(rounds(pss_mb=lambda at: 300 if at < 5 else 600))["memory"].verdict == "met"


def test_one_look_in_a_bad_moment_is_no_leak() -> None:
    spoilt = rounds(handles=lambda at: 90 if at == 48 else 40, pss_mb=lambda at: 900 if at in (17, 49) else 600)
    assert judged(spoilt)["handles"].verdict == judged(spoilt)["memory"].verdict == "met"


def test_one_more_in_every_second_round_is_a_leak() -> None:
    assert judged(rounds(handles=lambda at: 40 + at // 2))["handles"].verdict == "missed"
    assert judged(rounds(threads=lambda at: 20 + at // 2))["threads"].verdict == "missed"


def test_more_processor_time_for_the_same_turns_is_slower() -> None:
    assert judged(rounds(cpu_ms=lambda at: 50 + at))["processor"].verdict == "missed"
    assert judged(rounds(cpu_ms=lambda at: 50 + at / 10))["processor"].verdict == "met"


def test_a_machine_that_became_slower_is_no_slower_server() -> None:
    crowded = rounds(cpu_ms=lambda at: 50 + at, yardstick_ms=lambda at: (50 + at) / 25)
    assert judged(crowded)["processor"].verdict == "met"
    hidden = rounds(cpu_ms=lambda _: 50, yardstick_ms=lambda at: 2.0 if at < 25 else 1.2)
    assert judged(hidden)["processor"].verdict == "missed"


def test_the_wall_clock_is_judged_where_the_machine_was_ours_alone() -> None:
    slow = turned(lambda at: 20.0 if at < 9000 else 30.0)
    assert judged(rounds(), slow)["p95"].verdict == "missed"
    busy = judged(rounds(others=lambda at: 0.6 if at > 40 else 0.0), slow)["p95"]
    assert busy.verdict == "not judged"
    assert "60 % of the machine" in busy.why
    assert judged(rounds(others=lambda _: 0.6))["p95"].verdict == "met"


def test_a_state_folder_that_grows_by_a_line_a_turn_is_well_and_by_a_page_is_not() -> None:
    assert judged(rounds(state_mb=lambda at: at * DECK * 0.001))["state"].verdict == "met"
    assert judged(rounds(state_mb=lambda at: at * DECK * 0.008))["state"].verdict == "missed"


@given(st.integers(0, FEWEST))
def test_of_too_few_rounds_only_failures_are_judged(count: int) -> None:
    found = judged(rounds(count + 5)[: 5 + min(count, FEWEST - 1)])
    assert found["failures"].verdict == "met"
    assert {measure.verdict for name, measure in found.items() if name != "failures"} == {"not judged"}


def test_failed_turns_are_counted_and_not_timed() -> None:
    turns = [
        *turned(),
        Turned(10_000, "a service", "command", 60_000.0, failed=True),
        Turned(10_001, "chat", "chat", 5.0),
    ]
    command, chat = door_rows(turns, 1000)
    assert (command.failures, command.turns, command.last_p95_ms, command.ratio) == (1, 450, 20.0, 1.0)
    assert (chat.turns, chat.p50_ms) == (1, 5.0)


@given(st.integers(1, 100_000))
def test_the_warm_up_is_about_a_tenth_and_whole_decks(turns: int) -> None:
    warm = warm_up(turns, DECK)
    assert warm % DECK == 0
    assert warm >= DECK
    assert abs(warm - turns / 10) <= DECK

"""The verdict over one job: its truth table, and what holds for every evidence there can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.evidence import Attempt, Check, Evidence, Limits, Place, Prune, RestoreTest, RunSeen
from tools.backups.port import Copy, Fault
from tools.backups.verdict import CLOCK_TOLERANCE_S, VERDICT_OF, Cause, Judgement, Verdict, judge, judgements

NOW = 1_800_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
LIMITS = Limits(unchanged_after_s=30 * DAY)
MAX_AGE_S = LIMITS.max_age_s

COPY = Copy(id="new", at=NOW - 2 * HOUR, duration_s=60.0, size=1000)
EARLIER = tuple(Copy(id=str(n), at=NOW - (9 - n) * DAY, size=1000 + n) for n in range(8))
PLACE = Place(looked_at=NOW - 60, found=True, newest=COPY, whole=COPY, earlier=EARLIER)
TESTED = RestoreTest(at=NOW - 3 * DAY, ok=True)
FAILED_TEST = RestoreTest(at=NOW - 3 * DAY, ok=False, first_error="a came back different")
NOT_MADE = Attempt(at=NOW - DAY, reason="the scratch folder is full")
GOOD = Evidence(places=(PLACE,), tests=(TESTED,))
USB = replace(PLACE, name="usb")
RAN = RunSeen(at=NOW - HOUR, ended=NOW - HOUR / 2)
CHECK = Check(at=NOW - HOUR, level="data", share=0.1)
SAYS_SO = Fault.SAID_FAILED
BROKEN = [fault for fault in Fault if fault.broken and fault is not SAYS_SO]


def judged(evidence: Evidence) -> Judgement:
    return judge(evidence, now=NOW, limits=LIMITS)


def place(**changes: Any) -> Evidence:
    """All is well but what is changed of the one place."""
    return replace(GOOD, places=(replace(PLACE, **changes),))


def aged(age_s: float, of: Place = PLACE) -> Evidence:
    """Its newest backup is that old."""
    copy = replace(COPY, at=NOW - age_s)
    return replace(GOOD, places=(replace(of, newest=copy, whole=copy),))


def with_tests(*tests: RestoreTest, **changes: Any) -> Evidence:
    return replace(GOOD, tests=tests, **changes)


def run(fault: Fault | None, **changes: Any) -> Evidence:
    return place(run=replace(RAN, fault=fault, reason="it said no", **changes))


def rank(verdict: Verdict) -> int:
    return list(Verdict).index(verdict)


@pytest.mark.parametrize(
    "evidence, verdict, cause",
    [
        (GOOD, "ok", "proven"),
        # proof
        (with_tests(), "unverified", "never_restored"),
        (with_tests(replace(TESTED, at=NOW - 36 * DAY)), "unverified", "restore_test_overdue"),
        (with_tests(replace(TESTED, at=NOW + DAY)), "unverified", "restore_test_in_future"),
        (with_tests(replace(TESTED, at=NOW + DAY), TESTED), "ok", "proven"),
        (with_tests(FAILED_TEST), "failed", "restore_test_failed"),
        (with_tests(TESTED, replace(FAILED_TEST, place="usb")), "failed", "restore_test_failed"),
        (replace(GOOD, distrust="the restore tester is broken"), "unverified", "tester_broken"),
        (with_tests(FAILED_TEST, distrust="the restore tester is broken"), "failed", "restore_test_failed"),
        (with_tests(distrust="the restore tester is broken"), "unverified", "never_restored"),
        (with_tests(attempt=NOT_MADE), "unverified", "restore_test_not_made"),
        (with_tests(TESTED, attempt=NOT_MADE), "ok", "proven"),
        (with_tests(replace(TESTED, at=NOW - 36 * DAY), attempt=NOT_MADE), "unverified", "restore_test_not_made"),
        (
            with_tests(replace(TESTED, at=NOW - 36 * DAY), attempt=replace(NOT_MADE, at=NOW - 50 * DAY)),
            "unverified",
            "restore_test_overdue",
        ),
        (with_tests(restorable=False), "unverified", "cannot_be_restored_here"),
        (replace(GOOD, overdue=("the restore of the application",)), "unverified", "exercise_overdue"),
        # what a look gave
        (Evidence(), "unknown", "never_looked"),
        (Evidence(tests=(TESTED,)), "unknown", "never_looked"),
        (place(looked_at=None, found=False, newest=None, whole=None), "unknown", "never_looked"),
        *((place(fault=fault, reason="so"), "failed", "broken") for fault in BROKEN),
        (place(fault=SAYS_SO, reason="so"), "failed", "run_failed"),
        *(
            (place(fault=fault, reason="so"), "unknown", "unreadable")
            for fault in Fault
            if not fault.broken and fault is not Fault.SOURCE_MISSING
        ),
        (place(fault=Fault.SOURCE_MISSING, reason="so"), "failed", "source_missing"),
        (place(newest=None, whole=None), "failed", "never_run"),
        (place(newest=replace(COPY, complete=False), whole=None), "failed", "never_complete"),
        (place(newest=replace(COPY, complete=False, id="b")), "unverified", "incomplete"),
        (aged(27 * HOUR), "stale", "too_old"),
        (replace(aged(27 * HOUR), tests=()), "stale", "too_old"),
        (aged(-HOUR), "unknown", "clock_in_future"),
        (aged(float("nan")), "unknown", "clock_in_future"),
        (place(whole=replace(COPY, unread=3)), "unverified", "partial"),
        (place(whole=replace(COPY, size=10)), "unverified", "tiny"),
        (place(whole=replace(COPY, size=10**6)), "unverified", "huge"),
        (place(unchanged_since=NOW - 31 * DAY), "unverified", "unchanged"),
        (place(unchanged_since=NOW - 29 * DAY), "ok", "proven"),
        (place(free=4, total=100), "unverified", "nearly_full"),
        (place(free=5, total=100), "ok", "proven"),
        (place(warnings=("it has to be unplugged",)), "unverified", "warned"),
        # what was run from here
        (run(None), "ok", "proven"),
        (run(Fault.FAILED), "failed", "run_failed"),
        (run(Fault.NOT_MOUNTED), "failed", "run_failed"),
        (run(Fault.DISK_FULL), "failed", "run_failed"),
        (run(Fault.SOURCE_MISSING), "failed", "source_missing"),
        (run(Fault.LOCKED), "unknown", "run_blocked"),
        (run(Fault.CANCELLED), "ok", "proven"),
        (run(Fault.SOURCES_UNREAD), "unverified", "partial"),
        (run(None, unread=2), "unverified", "partial"),
        (run(Fault.FAILED, at=NOW - 3 * HOUR, ended=NOW - 2.5 * HOUR), "ok", "proven"),
        (place(check=CHECK), "ok", "proven"),
        (place(check=replace(CHECK, ok=False, fault=Fault.DAMAGED)), "failed", "check_failed"),
        (place(check=replace(CHECK, ok=False)), "failed", "check_failed"),
        (place(check=replace(CHECK, ok=False, fault=Fault.TIMED_OUT)), "unverified", "check_not_made"),
        (place(prune=Prune(at=NOW, ok=False)), "unverified", "prune_failed"),
        (place(prune=Prune(at=NOW, removed=3)), "ok", "proven"),
        # another destination
        (replace(GOOD, places=(PLACE, USB)), "ok", "proven"),
        (replace(GOOD, places=(PLACE, replace(USB, newest=None, whole=None))), "failed", "second_missing"),
        (replace(GOOD, places=(PLACE, replace(USB, fault=Fault.UNREACHABLE))), "unknown", "unreadable"),
        (replace(GOOD, places=(PLACE, replace(USB, fault=Fault.NOT_MOUNTED))), "unknown", "unreadable"),
        (replace(GOOD, places=(PLACE, replace(USB, fault=Fault.NOT_MOUNTED, offline=True))), "ok", "proven"),
        (
            replace(GOOD, places=(PLACE, replace(USB, fault=Fault.NOT_MOUNTED, offline=True, found=False))),
            "unknown",
            "unreadable",
        ),
        (aged(27 * HOUR, replace(PLACE, fault=Fault.NOT_MOUNTED, offline=True)), "stale", "too_old"),
        (aged(27 * HOUR, replace(PLACE, max_age_s=8 * DAY)), "ok", "proven"),
        (aged(9 * DAY, replace(PLACE, max_age_s=8 * DAY)), "stale", "too_old"),
    ],
)  # fmt: skip
def test_the_truth_table(evidence: Evidence, verdict: str, cause: str) -> None:
    assert (judged(evidence).verdict.value, judged(evidence).cause.value) == (verdict, cause)


@pytest.mark.parametrize(
    "age_s, verdict",
    [
        (MAX_AGE_S, Verdict.OK),
        (MAX_AGE_S + 1, Verdict.STALE),
        (-CLOCK_TOLERANCE_S, Verdict.OK),
        (-CLOCK_TOLERANCE_S - 1, Verdict.UNKNOWN),
    ],
)
def test_the_limits_belong_to_the_better_side(age_s: float, verdict: Verdict) -> None:
    assert judged(aged(age_s)).verdict is verdict


def test_the_reason_the_place_and_the_fault_go_along() -> None:
    broken = replace(USB, fault=Fault.WRONG_PASSWORD, reason="the password is wrong")
    said = judged(replace(GOOD, places=(PLACE, broken)))
    assert said == Judgement(Cause.BROKEN, "the password is wrong", "usb", Fault.WRONG_PASSWORD)
    assert judged(with_tests(FAILED_TEST)).detail == "a came back different"
    assert judged(place(whole=replace(COPY, size=100))).detail == "10 percent"
    assert judged(aged(3 * DAY)).detail == "three days"


def test_everything_that_is_wrong_is_told_the_worst_first() -> None:
    bad = place(fault=Fault.UNREACHABLE, run=replace(RAN, fault=Fault.FAILED), prune=Prune(at=NOW, ok=False))
    causes = [one.cause for one in judgements(replace(bad, tests=()), now=NOW, limits=LIMITS)]
    assert causes == [Cause.RUN_FAILED, Cause.UNREADABLE, Cause.NEVER_RESTORED, Cause.PRUNE_FAILED]


def test_every_cause_has_a_verdict_and_only_proven_is_ok() -> None:
    assert set(VERDICT_OF) == set(Cause)
    assert [cause for cause, verdict in VERDICT_OF.items() if verdict is Verdict.OK] == [Cause.PROVEN]


AGES = st.floats(0, 400 * DAY)
TIMES = st.floats(NOW - 400 * DAY, NOW + 2 * DAY)
FAULTS = st.none() | st.sampled_from(Fault)
COPIES = st.builds(
    Copy,
    id=st.sampled_from("abc"),
    at=TIMES,
    duration_s=st.none() | st.floats(0, DAY),
    size=st.none() | st.integers(0, 5000),
    unread=st.integers(0, 2),
    complete=st.booleans(),
)
WHOLE = COPIES.map(lambda copy: replace(copy, complete=True))
RUNS = st.builds(RunSeen, at=TIMES, ended=TIMES, fault=FAULTS, unread=st.integers(0, 2))
CHECKS = st.builds(Check, at=TIMES, level=st.sampled_from(["metadata", "data"]), ok=st.booleans(), fault=FAULTS)


@st.composite
def places(draw: st.DrawFn, name: str = "") -> Place:
    whole = draw(st.none() | WHOLE)
    newest = draw(COPIES) if draw(st.booleans()) else whole
    looked = draw(st.booleans())
    return Place(
        name=name,
        offline=draw(st.booleans()),
        max_age_s=draw(st.none() | AGES),
        looked_at=NOW if looked else None,
        fault=draw(FAULTS) if looked else None,
        found=looked and draw(st.booleans()),
        newest=newest or whole,
        whole=whole,
        earlier=tuple(draw(st.lists(WHOLE, max_size=5))),
        unchanged_since=draw(st.none() | TIMES),
        free=draw(st.none() | st.integers(0, 100)),
        total=draw(st.none() | st.just(100)),
        warnings=tuple(draw(st.lists(st.sampled_from(["slow", "old"]), max_size=2))),
        run=draw(st.none() | RUNS),
        check=draw(st.none() | CHECKS),
        prune=draw(st.none() | st.builds(Prune, at=TIMES, ok=st.booleans())),
    )


RESTORE_TESTS = st.builds(RestoreTest, at=TIMES, ok=st.booleans(), place=st.sampled_from(["", "usb"]))
ALL_BUT_WELL = st.builds(
    Evidence,
    places=st.tuples(places()) | st.tuples(places(), places("usb")),
    tests=st.lists(RESTORE_TESTS, max_size=2).map(tuple),
    attempt=st.none() | st.builds(Attempt, at=TIMES),
    restorable=st.booleans(),
    overdue=st.sampled_from([(), ("the restore of a random file",)]),
    distrust=st.sampled_from(["", "", "the restore tester is broken"]),
)
EVIDENCE = ALL_BUT_WELL | st.sampled_from([GOOD, replace(GOOD, places=(PLACE, USB)), aged(27 * HOUR), with_tests()])
"""Of what is drawn, hardly anything is well; so some of it is made so."""


@given(EVIDENCE, st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_does_not_matter(evidence: Evidence, draw: Any) -> None:
    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(draw.sample(items, len(items)))

    other = replace(
        evidence,
        places=shuffled(tuple(replace(one, warnings=shuffled(one.warnings)) for one in evidence.places)),
        tests=shuffled(evidence.tests),
        overdue=shuffled(evidence.overdue),
    )
    assert judgements(other, now=NOW, limits=LIMITS) == judgements(evidence, now=NOW, limits=LIMITS)


@given(EVIDENCE)
def test_ok_only_when_every_place_is_readable_and_fresh_and_one_test_proves_it(evidence: Evidence) -> None:
    if judged(evidence).verdict is not Verdict.OK:
        return
    for one in evidence.places:
        assert one.found
        assert one.fault is None or (one.offline and one.fault is Fault.NOT_MOUNTED)
        assert one.whole is not None
        limit = MAX_AGE_S if one.max_age_s is None else one.max_age_s
        assert -CLOCK_TOLERANCE_S <= NOW - one.whole.at <= limit
        assert not one.whole.unread
        assert not one.warnings
    assert evidence.places
    assert all(test.ok for test in evidence.tests)
    assert not evidence.distrust
    assert any(
        -CLOCK_TOLERANCE_S <= NOW - test.at <= LIMITS.restore_test_max_age_s for test in evidence.tests if test.ok
    )


@given(EVIDENCE, TIMES)
def test_a_failed_restore_test_outranks_all_else(evidence: Evidence, at: float) -> None:
    said = judged(replace(evidence, tests=(*evidence.tests, RestoreTest(at=at, ok=False))))
    assert (said.verdict, said.cause) == (Verdict.FAILED, Cause.RESTORE_TEST_FAILED)


@given(EVIDENCE)
def test_what_cannot_be_read_is_never_better_than_unknown(evidence: Evidence) -> None:
    first, *others = evidence.places
    for unread in (replace(first, fault=Fault.UNREACHABLE), replace(first, looked_at=None, found=False, fault=None)):
        worse = replace(evidence, places=(unread, *others))
        assert rank(judged(worse).verdict) >= rank(Verdict.UNKNOWN)
    assert rank(judged(replace(evidence, places=())).verdict) >= rank(Verdict.UNKNOWN)


def _of_the_first(change: Callable[[Place], Place]) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, places=(change(evidence.places[0]), *evidence.places[1:]))


DAMAGE = replace(CHECK, ok=False, fault=Fault.DAMAGED)
FAILED_RUN = RunSeen(at=NOW, ended=NOW + 3 * DAY, fault=Fault.FAILED)  # after every copy there is
WORSE: dict[str, Callable[[Evidence], Evidence]] = {
    "no proof": lambda evidence: replace(evidence, tests=tuple(test for test in evidence.tests if not test.ok)),
    "failed test": lambda evidence: replace(evidence, tests=(*evidence.tests, FAILED_TEST)),
    "distrust": lambda evidence: replace(evidence, distrust="the restore tester is broken"),
    "overdue": lambda evidence: replace(evidence, overdue=(*evidence.overdue, "the restore of all of it")),
    "another place": lambda evidence: replace(evidence, places=(*evidence.places, replace(USB, name="b"))),
    "another broken place": lambda evidence: replace(
        evidence, places=(*evidence.places, replace(USB, name="b", fault=Fault.DAMAGED))
    ),
    "broken": _of_the_first(lambda one: replace(one, fault=Fault.WRONG_PASSWORD)),
    "damage": _of_the_first(lambda one: replace(one, check=DAMAGE)),
    "failed run": _of_the_first(lambda one: replace(one, run=FAILED_RUN)),
    "failed prune": _of_the_first(lambda one: replace(one, prune=Prune(at=NOW, ok=False))),
    "warning": _of_the_first(lambda one: replace(one, warnings=(*one.warnings, "it is hot"))),
    "no room": _of_the_first(lambda one: replace(one, free=0, total=100)),
    "unread": _of_the_first(lambda one: replace(one, whole=one.whole and replace(one.whole, unread=9))),
    "no whole copy": _of_the_first(lambda one: replace(one, whole=None)),
    "no copy": _of_the_first(lambda one: replace(one, newest=None, whole=None)),
}


@given(st.sampled_from(sorted(WORSE)), EVIDENCE)
def test_worse_evidence_never_makes_a_better_verdict(what: str, evidence: Evidence) -> None:
    before, after = judged(evidence).verdict, judged(WORSE[what](evidence)).verdict
    assert rank(after) >= rank(before)


@pytest.mark.parametrize("what", [what for what in WORSE if what != "another place"])
def test_each_of_it_takes_the_ok_from_a_job_that_is_well(what: str) -> None:
    assert judged(WORSE[what](GOOD)).verdict is not Verdict.OK


@given(EVIDENCE, AGES, AGES)
def test_growing_old_never_makes_a_backup_better(evidence: Evidence, age: float, more: float) -> None:
    def at(age_s: float) -> Evidence:
        copy = replace(COPY, at=NOW - age_s)
        return _of_the_first(lambda one: replace(one, newest=copy, whole=copy))(evidence)

    assert rank(judged(at(age + more)).verdict) >= rank(judged(at(age)).verdict)


@given(EVIDENCE, AGES, AGES, st.booleans())
def test_growing_old_never_makes_a_restore_test_prove_more(
    evidence: Evidence, age: float, more: float, ok: bool
) -> None:
    younger = judged(replace(evidence, tests=(RestoreTest(NOW - age, ok),)))
    older = judged(replace(evidence, tests=(RestoreTest(NOW - age - more, ok),)))
    assert rank(older.verdict) >= rank(younger.verdict)

"""The verdict over one job: its truth table, and what holds for every evidence there can be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.verdict import CLOCK_TOLERANCE_S, Cause, Evidence, Judgement, RestoreTest, Verdict, judge

NOW = 1_800_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
MAX_AGE_S = 26 * HOUR
RESTORE_MAX_AGE_S = 35 * DAY

FRESH = NOW - 2 * HOUR
TESTED = RestoreTest(at=NOW - 3 * DAY, ok=True)
FAILED_TEST = RestoreTest(at=NOW - 3 * DAY, ok=False, first_error="a came back different")


def judged(evidence: Evidence) -> Judgement:
    return judge(evidence, now=NOW, max_age_s=MAX_AGE_S, restore_test_max_age_s=RESTORE_MAX_AGE_S)


def rank(verdict: Verdict) -> int:
    return list(Verdict).index(verdict)


@pytest.mark.parametrize(
    "evidence, verdict, cause",
    [
        (Evidence(last_success=FRESH, restore_test=TESTED), "ok", "proven"),
        (Evidence(last_success=FRESH), "unverified", "never_restored"),
        (
            Evidence(last_success=FRESH, restore_test=replace(TESTED, at=NOW - 36 * DAY)),
            "unverified",
            "restore_test_overdue",
        ),
        (
            Evidence(last_success=FRESH, restore_test=replace(TESTED, at=NOW + DAY)),
            "unverified",
            "restore_test_in_future",
        ),
        (Evidence(last_success=NOW - 27 * HOUR, restore_test=TESTED), "stale", "too_old"),
        (Evidence(last_success=NOW - 27 * HOUR), "stale", "too_old"),
        (Evidence(last_success=NOW + HOUR, restore_test=TESTED), "unknown", "clock_in_future"),
        (Evidence(unreadable="restic is not installed", restore_test=TESTED), "unknown", "unreadable"),
        (Evidence(unreadable="restic is not installed"), "unknown", "unreadable"),
        (Evidence(supported=False, restore_test=TESTED), "unknown", "cannot_read_kind"),
        (Evidence(supported=False), "unknown", "cannot_read_kind"),
        (Evidence(broken="the password is wrong", restore_test=TESTED), "failed", "broken"),
        (Evidence(restore_test=TESTED), "failed", "never_run"),
        (Evidence(last_success=FRESH, restore_test=FAILED_TEST), "failed", "restore_test_failed"),
        (Evidence(last_success=NOW - 27 * HOUR, restore_test=FAILED_TEST), "failed", "restore_test_failed"),
        (Evidence(supported=False, restore_test=FAILED_TEST), "failed", "restore_test_failed"),
        (Evidence(unreadable="no answer", restore_test=FAILED_TEST), "failed", "restore_test_failed"),
    ],
)
def test_the_truth_table(evidence: Evidence, verdict: str, cause: str) -> None:
    assert (judged(evidence).verdict.value, judged(evidence).cause.value) == (verdict, cause)


@pytest.mark.parametrize(
    "last_success, verdict",
    [
        (NOW - MAX_AGE_S, Verdict.OK),
        (NOW - MAX_AGE_S - 1, Verdict.STALE),
        (NOW + CLOCK_TOLERANCE_S, Verdict.OK),
        (NOW + CLOCK_TOLERANCE_S + 1, Verdict.UNKNOWN),
    ],
)
def test_the_limits_belong_to_the_better_side(last_success: float, verdict: Verdict) -> None:
    assert judged(Evidence(last_success=last_success, restore_test=TESTED)).verdict is verdict


def test_the_reason_goes_along() -> None:
    assert judged(Evidence(broken="the password is wrong")).detail == "the password is wrong"
    assert judged(Evidence(unreadable="no answer")).detail == "no answer"
    assert judged(Evidence(last_success=FRESH, restore_test=FAILED_TEST)).detail == "a came back different"


TIMES = st.floats(NOW - 400 * DAY, NOW + 2 * DAY)
WORDS = st.sampled_from(["", "it said no"])
TESTS = st.none() | st.builds(RestoreTest, at=TIMES, ok=st.booleans(), first_error=WORDS, compared=st.booleans())
EVIDENCE = st.builds(
    Evidence,
    supported=st.booleans(),
    broken=WORDS,
    unreadable=WORDS,
    last_success=st.none() | TIMES,
    restore_test=TESTS,
)


@given(EVIDENCE)
def test_ok_only_when_fresh_readable_and_restored_recently_enough(evidence: Evidence) -> None:
    proven = (
        evidence.supported
        and not evidence.broken
        and not evidence.unreadable
        and evidence.last_success is not None
        and -CLOCK_TOLERANCE_S <= NOW - evidence.last_success <= MAX_AGE_S
        and evidence.restore_test is not None
        and evidence.restore_test.ok
        and -CLOCK_TOLERANCE_S <= NOW - evidence.restore_test.at <= RESTORE_MAX_AGE_S
    )
    assert (judged(evidence).verdict is Verdict.OK) == proven


@given(EVIDENCE, TIMES)
def test_a_failed_restore_test_outranks_all_else(evidence: Evidence, at: float) -> None:
    failed = replace(evidence, restore_test=RestoreTest(at=at, ok=False))
    assert judged(failed).verdict is Verdict.FAILED


@given(EVIDENCE)
def test_what_cannot_be_read_is_never_better_than_unknown(evidence: Evidence) -> None:
    for unread in (replace(evidence, unreadable="no answer"), replace(evidence, supported=False)):
        assert rank(judged(unread).verdict) >= rank(Verdict.UNKNOWN)


@given(EVIDENCE, st.sampled_from(["broken", "unreadable", "unsupported", "no test", "failed test"]))
def test_worse_evidence_never_makes_a_better_verdict(evidence: Evidence, what: str) -> None:
    base = replace(evidence, broken="", unreadable="", supported=True, last_success=FRESH, restore_test=TESTED)
    worse = {
        "broken": replace(base, broken="x"),
        "unreadable": replace(base, unreadable="x"),
        "unsupported": replace(base, supported=False),
        "no test": replace(base, restore_test=None),
        "failed test": replace(base, restore_test=FAILED_TEST),
    }[what]
    assert judged(base).verdict is Verdict.OK
    assert rank(judged(worse).verdict) > rank(Verdict.OK)


@given(EVIDENCE, st.floats(0, 400 * DAY), st.floats(0, 400 * DAY))
def test_growing_old_never_makes_a_backup_better(evidence: Evidence, age: float, more: float) -> None:
    younger = judged(replace(evidence, last_success=NOW - age))
    older = judged(replace(evidence, last_success=NOW - age - more))
    assert rank(older.verdict) >= rank(younger.verdict)


@given(EVIDENCE, st.floats(0, 400 * DAY), st.floats(0, 400 * DAY), st.booleans())
def test_growing_old_never_makes_a_restore_test_prove_more(
    evidence: Evidence, age: float, more: float, ok: bool
) -> None:
    younger = judged(replace(evidence, restore_test=RestoreTest(NOW - age, ok)))
    older = judged(replace(evidence, restore_test=RestoreTest(NOW - age - more, ok)))
    assert rank(older.verdict) >= rank(younger.verdict)


@given(EVIDENCE)
def test_every_cause_belongs_to_one_verdict(evidence: Evidence) -> None:
    verdict_of = {
        Cause.PROVEN: Verdict.OK,
        Cause.NEVER_RESTORED: Verdict.UNVERIFIED,
        Cause.RESTORE_TEST_OVERDUE: Verdict.UNVERIFIED,
        Cause.RESTORE_TEST_IN_FUTURE: Verdict.UNVERIFIED,
        Cause.TOO_OLD: Verdict.STALE,
        Cause.UNREADABLE: Verdict.UNKNOWN,
        Cause.CLOCK_IN_FUTURE: Verdict.UNKNOWN,
        Cause.CANNOT_READ_KIND: Verdict.UNKNOWN,
        Cause.BROKEN: Verdict.FAILED,
        Cause.NEVER_RUN: Verdict.FAILED,
        Cause.RESTORE_TEST_FAILED: Verdict.FAILED,
    }
    assert set(verdict_of) == set(Cause)
    assert judged(evidence).verdict is verdict_of[judged(evidence).cause]

"""What goes along with a verdict: words, destination and kind of wrong; and what lies right at each limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tools.test_verdict import CHECK, COPY, DAY, GOOD, HOUR, LIMITS, NOT_MADE, NOW, PLACE, RAN, TESTED, judged
from tools.backups.evidence import Evidence, Prune, RestoreTest
from tools.backups.port import Copy, Fault
from tools.backups.verdict import CLOCK_TOLERANCE_S, Cause, Judgement, Verdict, judgements

# The earlier copies of PLACE have 1000 to 1007 bytes: the usual size is 1003.5.


def at_usb(**changes: Any) -> tuple[Judgement, ...]:
    """All that is said of a job whose second destination differs by that."""
    second = replace(PLACE, **{"name": "usb", **changes})
    return judgements(replace(GOOD, places=(PLACE, second)), now=NOW, limits=LIMITS)


def whole(**changes: Any) -> dict[str, Any]:
    copy = replace(COPY, **changes)
    return {"newest": copy, "whole": copy}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fault": Fault.DAMAGED, "reason": "so"}, Judgement(Cause.BROKEN, "so", "usb", Fault.DAMAGED)),
        ({"fault": Fault.TIMED_OUT, "reason": "so"}, Judgement(Cause.UNREADABLE, "so", "usb", Fault.TIMED_OUT)),
        ({"fault": Fault.SAID_FAILED, "reason": "so"}, Judgement(Cause.RUN_FAILED, "so", "usb", Fault.SAID_FAILED)),
        ({"fault": Fault.SOURCE_MISSING, "reason": "so"},
         Judgement(Cause.SOURCE_MISSING, "so", "usb", Fault.SOURCE_MISSING)),
        ({"looked_at": None}, Judgement(Cause.NEVER_LOOKED, "", "usb")),
        ({"found": False}, Judgement(Cause.NEVER_LOOKED, "", "usb")),
        ({"newest": None}, Judgement(Cause.SECOND_MISSING, "", "usb")),
        ({"whole": None}, Judgement(Cause.NEVER_COMPLETE, "", "usb")),
        (whole(at=NOW + HOUR), Judgement(Cause.CLOCK_IN_FUTURE, "", "usb")),
        (whole(at=NOW - 3 * DAY), Judgement(Cause.TOO_OLD, "three days", "usb")),
        ({"newest": replace(COPY, complete=False, id="b")}, Judgement(Cause.INCOMPLETE, "", "usb")),
        ({"whole": replace(COPY, unread=3)}, Judgement(Cause.PARTIAL, "3", "usb")),
        (whole(size=100), Judgement(Cause.TINY, "10 percent", "usb")),
        (whole(size=4), Judgement(Cause.TINY, "less than one percent", "usb")),
        (whole(size=20_000), Judgement(Cause.HUGE, "20 times", "usb")),
        ({"unchanged_since": NOW - 31 * DAY}, Judgement(Cause.UNCHANGED, "31 days", "usb")),
        ({"free": 3, "total": 100}, Judgement(Cause.NEARLY_FULL, "3 percent", "usb")),
        ({"free": 0, "total": 100}, Judgement(Cause.NEARLY_FULL, "less than one percent", "usb")),
        ({"warnings": ("unplug it",)}, Judgement(Cause.WARNED, "unplug it", "usb")),
        ({"run": replace(RAN, unread=2)}, Judgement(Cause.PARTIAL, "2", "usb")),
        ({"run": replace(RAN, fault=Fault.SOURCES_UNREAD)}, Judgement(Cause.PARTIAL, "", "usb")),
        ({"run": replace(RAN, fault=Fault.SOURCE_MISSING, reason="so")},
         Judgement(Cause.SOURCE_MISSING, "so", "usb", Fault.SOURCE_MISSING)),
        ({"run": replace(RAN, fault=Fault.LOCKED, reason="so")},
         Judgement(Cause.RUN_BLOCKED, "so", "usb", Fault.LOCKED)),
        ({"run": replace(RAN, fault=Fault.FAILED, reason="so")},
         Judgement(Cause.RUN_FAILED, "so", "usb", Fault.FAILED)),
        ({"check": replace(CHECK, ok=False, fault=Fault.DAMAGED, reason="so")},
         Judgement(Cause.CHECK_FAILED, "so", "usb", Fault.DAMAGED)),
        ({"check": replace(CHECK, ok=False, reason="so")}, Judgement(Cause.CHECK_FAILED, "so", "usb")),
        ({"check": replace(CHECK, ok=False, fault=Fault.TIMED_OUT, reason="so")},
         Judgement(Cause.CHECK_NOT_MADE, "so", "usb", Fault.TIMED_OUT)),
        ({"prune": Prune(at=NOW, ok=False, reason="so")}, Judgement(Cause.PRUNE_FAILED, "so", "usb")),
    ],
)  # fmt: skip
def test_each_cause_says_why_and_where(changes: dict[str, Any], said: Judgement) -> None:
    assert at_usb(**changes) == (said,)


def test_the_main_destination_that_has_no_copy_never_ran() -> None:
    alone = replace(GOOD, places=(replace(PLACE, newest=None, whole=None),))
    assert judged(alone) == Judgement(Cause.NEVER_RUN)


def test_a_job_that_nobody_looked_at_says_only_that() -> None:
    assert judgements(Evidence(tests=(TESTED,)), now=NOW, limits=LIMITS) == (Judgement(Cause.NEVER_LOOKED),)


def test_what_is_old_at_a_disk_that_is_away_says_so() -> None:
    copy = replace(COPY, at=NOW - 3 * DAY)
    away = at_usb(newest=copy, whole=copy, fault=Fault.NOT_MOUNTED, offline=True, reason="it is not plugged in")
    assert away == (Judgement(Cause.TOO_OLD, "three days", "usb", Fault.NOT_MOUNTED),)


@pytest.mark.parametrize(
    ("fault", "offline", "found"),
    [(Fault.NOT_MOUNTED, False, True), (Fault.NOT_MOUNTED, True, False), (Fault.DENIED, True, True)],
)
def test_only_a_disk_that_may_be_away_and_was_seen_is_pardoned(fault: Fault, offline: bool, found: bool) -> None:
    (said,) = at_usb(fault=fault, offline=offline, found=found, reason="so")
    assert said == Judgement(Cause.UNREADABLE, "so", "usb", fault)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (whole(at=NOW + CLOCK_TOLERANCE_S), Verdict.OK),
        (whole(at=NOW + CLOCK_TOLERANCE_S + 1), Verdict.UNKNOWN),
        ({"newest": replace(COPY, at=NOW + CLOCK_TOLERANCE_S + 1)}, Verdict.UNKNOWN),
        ({**whole(at=NOW - 8 * DAY), "max_age_s": 8 * DAY}, Verdict.OK),
        ({**whole(at=NOW - 8 * DAY - 1), "max_age_s": 8 * DAY}, Verdict.STALE),
        ({"max_age_s": 0.0}, Verdict.STALE),
        (whole(size=502), Verdict.OK),
        (whole(size=501), Verdict.UNVERIFIED),
        (whole(size=5017), Verdict.OK),
        (whole(size=5018), Verdict.UNVERIFIED),
        ({"unchanged_since": NOW - 30 * DAY}, Verdict.OK),
        ({"unchanged_since": NOW - 30 * DAY - 1}, Verdict.UNVERIFIED),
        ({"free": 5, "total": 100}, Verdict.OK),
        ({"free": 4, "total": 100}, Verdict.UNVERIFIED),
        ({"free": 0, "total": 0}, Verdict.OK),
        ({"free": 4, "total": None}, Verdict.OK),
        ({"run": replace(RAN, fault=Fault.FAILED, ended=COPY.at + 60.0)}, Verdict.FAILED),
        ({"run": replace(RAN, fault=Fault.FAILED, ended=COPY.at + 59.0)}, Verdict.OK),
        ({"run": replace(RAN, fault=Fault.FAILED, ended=COPY.at), **whole(duration_s=None)}, Verdict.FAILED),
        ({"run": replace(RAN, fault=Fault.FAILED, ended=COPY.at - 0.5), **whole(duration_s=None)}, Verdict.OK),
        ({"run": replace(RAN, fault=Fault.FAILED), "whole": None, "newest": None}, Verdict.FAILED),
        ({"run": replace(RAN, unread=1, fault=Fault.FAILED)}, Verdict.UNVERIFIED),
    ],
)  # fmt: skip
def test_what_lies_right_at_a_limit_belongs_to_the_better_side(changes: dict[str, Any], verdict: Verdict) -> None:
    assert judged(replace(GOOD, places=(replace(PLACE, **changes),))).verdict is verdict


def test_without_a_limit_nothing_is_unchanged_for_too_long() -> None:
    same = replace(GOOD, places=(replace(PLACE, unchanged_since=0.0),))
    assert judgements(same, now=NOW, limits=replace(LIMITS, unchanged_after_s=None)) == (Judgement(Cause.PROVEN),)


def said_of(*tests: RestoreTest, **changes: Any) -> tuple[Judgement, ...]:
    return judgements(replace(GOOD, tests=tests, **changes), now=NOW, limits=LIMITS)


def test_a_test_right_at_its_age_still_proves() -> None:
    limit = LIMITS.restore_test_max_age_s
    assert said_of(replace(TESTED, at=NOW - limit)) == (Judgement(Cause.PROVEN),)
    assert said_of(replace(TESTED, at=NOW - limit - 1)) == (Judgement(Cause.RESTORE_TEST_OVERDUE),)
    assert said_of(replace(TESTED, at=NOW + CLOCK_TOLERANCE_S)) == (Judgement(Cause.PROVEN),)
    assert said_of(replace(TESTED, at=NOW + CLOCK_TOLERANCE_S + 1)) == (Judgement(Cause.RESTORE_TEST_IN_FUTURE),)


def test_the_newest_test_that_is_believed_counts() -> None:
    old, older = replace(TESTED, at=NOW - 3 * DAY), replace(TESTED, at=NOW - 300 * DAY)
    assert said_of(older, old) == said_of(old, older) == (Judgement(Cause.PROVEN),)


def test_a_test_that_failed_says_at_which_destination_and_what() -> None:
    failed = RestoreTest(at=NOW, ok=False, first_error="a differs", place="usb")
    assert said_of(TESTED, failed) == (Judgement(Cause.RESTORE_TEST_FAILED, "a differs", "usb"),)
    assert said_of(failed) == (
        Judgement(Cause.RESTORE_TEST_FAILED, "a differs", "usb"),
        Judgement(Cause.NEVER_RESTORED),
    )


def test_an_attempt_is_told_while_it_is_the_newest_thing_tried() -> None:
    overdue = replace(TESTED, at=NOW - 40 * DAY)
    assert said_of(overdue, attempt=replace(NOT_MADE, at=overdue.at)) == (
        Judgement(Cause.RESTORE_TEST_NOT_MADE, "the scratch folder is full"),
    )
    assert said_of(overdue, attempt=replace(NOT_MADE, at=overdue.at - 1)) == (Judgement(Cause.RESTORE_TEST_OVERDUE),)
    assert said_of(attempt=NOT_MADE) == (Judgement(Cause.RESTORE_TEST_NOT_MADE, "the scratch folder is full"),)


def test_doubt_about_the_tester_says_why_and_only_matters_where_something_passed() -> None:
    assert said_of(TESTED, distrust="it passes damage") == (Judgement(Cause.TESTER_BROKEN, "it passes damage"),)
    assert said_of(distrust="it passes damage") == (Judgement(Cause.NEVER_RESTORED),)


def test_what_can_not_be_restored_from_here_asks_for_no_test() -> None:
    assert said_of(restorable=False) == (Judgement(Cause.CANNOT_BE_RESTORED_HERE),)
    assert said_of(TESTED, restorable=False) == (Judgement(Cause.PROVEN),)


def test_each_overdue_exercise_is_told_in_its_words() -> None:
    said = said_of(TESTED, overdue=("the whole of it", "an application"))
    assert said == (
        Judgement(Cause.EXERCISE_OVERDUE, "an application"),
        Judgement(Cause.EXERCISE_OVERDUE, "the whole of it"),
    )


def test_of_the_same_cause_the_main_destination_comes_first_then_by_name() -> None:
    bad = replace(PLACE, fault=Fault.TIMED_OUT, reason="so")
    places = (replace(bad, name="usb"), bad, replace(bad, name="nas"))
    said = judgements(replace(GOOD, places=places), now=NOW, limits=LIMITS)
    assert [one.place for one in said] == ["", "nas", "usb"]


def test_of_one_place_and_cause_they_are_told_by_their_words_and_kind() -> None:
    copy = Copy(id="x", at=NOW - HOUR, size=1000)
    place = replace(PLACE, newest=copy, whole=copy, warnings=("b", "a"))
    said = judgements(replace(GOOD, places=(place,)), now=NOW, limits=LIMITS)
    assert [one.detail for one in said] == ["a", "b"]

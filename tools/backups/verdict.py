"""The verdict over one backup job: one pure function over its evidence.

Precedence, worst first: failed > unknown > stale > unverified > ok. A job's verdict is the worst that any of its
evidence supports, at any of its destinations: a failed restore test outranks a fresh backup; no readable evidence is
unknown, never ok; a missing or overdue restore test makes an otherwise good job unverified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.backups.evidence import Attempt, Check, Evidence, Limits, Place, RestoreTest, RunSeen
from tools.backups.history import share_of_usual
from tools.backups.port import Copy, Fault
from tools.wording import duration, number

CLOCK_TOLERANCE_S = 300.0
"""A backup up to five minutes in the future is a clock that drifts; beyond that the evidence cannot be believed."""


class Verdict(StrEnum):
    """Best first."""

    OK = "ok"
    UNVERIFIED = "unverified"
    STALE = "stale"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Cause(StrEnum):
    """Why a verdict is what it is, the most important first; each has its sentence in ``sayings.py``."""

    RESTORE_TEST_FAILED = "restore_test_failed"
    CHECK_FAILED = "check_failed"
    BROKEN = "broken"
    NEVER_RUN = "never_run"
    NEVER_COMPLETE = "never_complete"
    SOURCE_MISSING = "source_missing"
    RUN_FAILED = "run_failed"
    SECOND_MISSING = "second_missing"
    UNREADABLE = "unreadable"
    NEVER_LOOKED = "never_looked"
    CLOCK_IN_FUTURE = "clock_in_future"
    RUN_BLOCKED = "run_blocked"
    TOO_OLD = "too_old"
    NEVER_RESTORED = "never_restored"
    TESTER_BROKEN = "tester_broken"
    RESTORE_TEST_NOT_MADE = "restore_test_not_made"
    RESTORE_TEST_OVERDUE = "restore_test_overdue"
    RESTORE_TEST_IN_FUTURE = "restore_test_in_future"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"
    TINY = "tiny"
    HUGE = "huge"
    UNCHANGED = "unchanged"
    NEARLY_FULL = "nearly_full"
    PRUNE_FAILED = "prune_failed"
    CHECK_NOT_MADE = "check_not_made"
    WARNED = "warned"
    CANNOT_BE_RESTORED_HERE = "cannot_be_restored_here"
    EXERCISE_OVERDUE = "exercise_overdue"
    PROVEN = "proven"


VERDICT_OF: Mapping[Cause, Verdict] = {
    **dict.fromkeys(
        (
            Cause.RESTORE_TEST_FAILED,
            Cause.CHECK_FAILED,
            Cause.BROKEN,
            Cause.NEVER_RUN,
            Cause.NEVER_COMPLETE,
            Cause.SOURCE_MISSING,
            Cause.RUN_FAILED,
            Cause.SECOND_MISSING,
        ),
        Verdict.FAILED,
    ),
    **dict.fromkeys((Cause.UNREADABLE, Cause.NEVER_LOOKED, Cause.CLOCK_IN_FUTURE, Cause.RUN_BLOCKED), Verdict.UNKNOWN),
    Cause.TOO_OLD: Verdict.STALE,
    **dict.fromkeys(
        (
            Cause.NEVER_RESTORED,
            Cause.TESTER_BROKEN,
            Cause.RESTORE_TEST_NOT_MADE,
            Cause.RESTORE_TEST_OVERDUE,
            Cause.RESTORE_TEST_IN_FUTURE,
            Cause.PARTIAL,
            Cause.INCOMPLETE,
            Cause.TINY,
            Cause.HUGE,
            Cause.UNCHANGED,
            Cause.NEARLY_FULL,
            Cause.CHECK_NOT_MADE,
            Cause.PRUNE_FAILED,
            Cause.WARNED,
            Cause.CANNOT_BE_RESTORED_HERE,
            Cause.EXERCISE_OVERDUE,
        ),
        Verdict.UNVERIFIED,
    ),
    Cause.PROVEN: Verdict.OK,
}
"""Each cause supports one verdict."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One thing that the evidence says. ``detail``: what the cause's sentence needs; ``place``: the destination that it
    is about, empty for the main one and for the job; ``fault``: the kind of wrong, where there is one."""

    cause: Cause
    detail: str = ""
    place: str = ""
    fault: Fault | None = None

    @property
    def verdict(self) -> Verdict:
        """What it supports."""
        return VERDICT_OF[self.cause]


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}
_IMPORTANCE = {cause: rank for rank, cause in enumerate(Cause)}


def judge(evidence: Evidence, *, now: float, limits: Limits) -> Judgement:
    """The worst judgement that any of the evidence supports."""
    return judgements(evidence, now=now, limits=limits)[0]


def judgements(evidence: Evidence, *, now: float, limits: Limits) -> tuple[Judgement, ...]:
    """All that the evidence supports, the worst first and the most important of these; PROVEN alone when all is well.

    The order in which the evidence is given makes no difference.
    """
    found = {
        *_of_the_restore_tests(evidence, now, limits),
        *(judgement for place in evidence.places for judgement in _of_a_place(place, now, limits)),
        *(Judgement(Cause.EXERCISE_OVERDUE, words) for words in evidence.overdue),
    }
    if not evidence.places:
        found.add(Judgement(Cause.NEVER_LOOKED))
    return tuple(sorted(found, key=_worst_first)) or (Judgement(Cause.PROVEN),)


def _worst_first(judgement: Judgement) -> tuple[int, int, str, str, str]:
    importance = _IMPORTANCE[judgement.cause]
    return -_RANK[judgement.verdict], importance, judgement.place, judgement.detail, judgement.fault or ""


def _of_the_restore_tests(evidence: Evidence, now: float, limits: Limits) -> Iterator[Judgement]:
    for test in evidence.tests:
        if not test.ok:
            yield Judgement(Cause.RESTORE_TEST_FAILED, test.first_error, test.place)
    if not evidence.restorable and not evidence.tests:
        yield Judgement(Cause.CANNOT_BE_RESTORED_HERE)
        return
    if evidence.distrust and any(test.ok for test in evidence.tests):
        yield Judgement(Cause.TESTER_BROKEN, evidence.distrust)
    if (missing := _missing_proof(evidence.tests, evidence.attempt, now, limits)) is not None:
        yield missing


def _missing_proof(
    tests: Sequence[RestoreTest], attempt: Attempt | None, now: float, limits: Limits
) -> Judgement | None:
    """Why the tests that passed prove nothing today; None where one does."""
    passed = [test.at for test in tests if test.ok]
    believed = [at for at in passed if at <= now + CLOCK_TOLERANCE_S]
    if believed and now - max(believed) <= limits.restore_test_max_age_s:
        return None
    if attempt is not None and attempt.at >= max(believed, default=attempt.at):
        return Judgement(Cause.RESTORE_TEST_NOT_MADE, attempt.reason)
    if believed:
        return Judgement(Cause.RESTORE_TEST_OVERDUE)
    return Judgement(Cause.RESTORE_TEST_IN_FUTURE if passed else Cause.NEVER_RESTORED)


def _of_a_place(place: Place, now: float, limits: Limits) -> Iterator[Judgement]:
    yield from _of_the_look(place, now, limits)
    if place.run is not None:
        yield from _of_the_run(place.run, place.whole, place.name)
    if place.check is not None and not place.check.ok:
        yield _of_the_check(place.check, place.name)
    if place.prune is not None and not place.prune.ok:
        yield Judgement(Cause.PRUNE_FAILED, place.prune.reason, place.name)


def _of_the_look(place: Place, now: float, limits: Limits) -> Iterator[Judgement]:
    away = place.offline and place.fault is Fault.NOT_MOUNTED and place.found  # as it should be, between backups
    if place.fault is not None and not away:
        yield Judgement(_cause_of(place.fault), place.reason, place.name, place.fault)
    elif place.looked_at is None or not place.found:
        yield Judgement(Cause.NEVER_LOOKED, "", place.name)
    elif place.newest is None:
        yield Judgement(Cause.SECOND_MISSING if place.name else Cause.NEVER_RUN, "", place.name)
    elif place.whole is None:
        yield Judgement(Cause.NEVER_COMPLETE, "", place.name)
    else:
        yield from _of_the_copies(place, place.newest, place.whole, now, limits)


def _cause_of(fault: Fault) -> Cause:
    if fault in (Fault.SOURCE_MISSING, Fault.SAID_FAILED):
        return Cause.SOURCE_MISSING if fault is Fault.SOURCE_MISSING else Cause.RUN_FAILED
    return Cause.BROKEN if fault.broken else Cause.UNREADABLE


def _of_the_copies(place: Place, newest: Copy, whole: Copy, now: float, limits: Limits) -> Iterator[Judgement]:
    age = now - whole.at
    if not max(newest.at, whole.at) <= now + CLOCK_TOLERANCE_S:  # said so that what is no number is not believed
        yield Judgement(Cause.CLOCK_IN_FUTURE, "", place.name)
    elif not age <= (place.max_age_s if place.max_age_s is not None else limits.max_age_s):
        yield Judgement(Cause.TOO_OLD, duration(age), place.name, place.fault)
    if not newest.complete:
        yield Judgement(Cause.INCOMPLETE, "", place.name)
    if whole.unread:
        yield Judgement(Cause.PARTIAL, str(whole.unread), place.name)
    share = share_of_usual(whole, place.earlier)
    if share is not None and share < limits.tiny_share:
        yield Judgement(Cause.TINY, _percent(share), place.name)
    if share is not None and share > limits.huge_share:
        yield Judgement(Cause.HUGE, f"{number(round(share))} times", place.name)
    unchanged = now - place.unchanged_since if place.unchanged_since is not None else 0.0
    if limits.unchanged_after_s is not None and unchanged > limits.unchanged_after_s:
        yield Judgement(Cause.UNCHANGED, duration(unchanged), place.name)
    if place.free is not None and place.total and place.free / place.total < limits.min_free_share:
        yield Judgement(Cause.NEARLY_FULL, _percent(place.free / place.total), place.name)
    for words in place.warnings:
        yield Judgement(Cause.WARNED, words, place.name)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} percent" if share >= 0.01 else "less than one percent"


def _of_the_run(run: RunSeen, whole: Copy | None, name: str) -> Iterator[Judgement]:
    """A run says nothing any more when a copy was finished after it, by whomever."""
    if whole is not None and whole.at + (whole.duration_s or 0.0) > run.ended:
        return
    if run.unread or run.fault is Fault.SOURCES_UNREAD:
        yield Judgement(Cause.PARTIAL, str(run.unread or ""), name)
    elif run.fault is Fault.SOURCE_MISSING:
        yield Judgement(Cause.SOURCE_MISSING, run.reason, name, run.fault)
    elif run.fault is Fault.LOCKED:  # somebody else was at it: what came of that, nobody knows
        yield Judgement(Cause.RUN_BLOCKED, run.reason, name, run.fault)
    elif run.fault is not None and run.fault is not Fault.CANCELLED:  # who cancels a run knows of it
        yield Judgement(Cause.RUN_FAILED, run.reason, name, run.fault)


def _of_the_check(check: Check, name: str) -> Judgement:
    """Damage that was found is a failure; a check that could not be made is none."""
    damaged = check.fault is None or check.fault.broken
    return Judgement(Cause.CHECK_FAILED if damaged else Cause.CHECK_NOT_MADE, check.reason, name, check.fault)

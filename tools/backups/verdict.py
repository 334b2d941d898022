"""The verdict over one backup job: one pure function over its evidence.

Precedence, worst first: failed > unknown > stale > unverified > ok. A job's verdict is the worst that any of its
evidence supports: a failed restore test outranks a fresh backup; no readable evidence is unknown, never ok; a missing
or overdue restore test makes an otherwise good job unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    """Why a verdict is what it is; each has its sentence in ``sayings.py``."""

    PROVEN = "proven"
    NEVER_RESTORED = "never_restored"
    RESTORE_TEST_OVERDUE = "restore_test_overdue"
    RESTORE_TEST_IN_FUTURE = "restore_test_in_future"
    TOO_OLD = "too_old"
    UNREADABLE = "unreadable"
    CLOCK_IN_FUTURE = "clock_in_future"
    CANNOT_READ_KIND = "cannot_read_kind"
    BROKEN = "broken"
    NEVER_RUN = "never_run"
    RESTORE_TEST_FAILED = "restore_test_failed"


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """The last entry of the ledger: Unix time, outcome and the first error.

    ``compared``: whether any restored file was held against its source; if not, the repository's own hashes vouch.
    """

    at: float
    ok: bool
    first_error: str = ""
    compared: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of a job.

    ``broken``: the repository says no (wrong password, missing, damaged), in words; ``unreadable``: nothing could be
    learned (program missing, timeout, nonsense), in words; ``supported``: this version can read the kind at all;
    ``last_success``: Unix time of the newest backup, None when there is none.
    """

    supported: bool = True
    broken: str = ""
    unreadable: str = ""
    last_success: float | None = None
    restore_test: RestoreTest | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, its cause, and the detail that the cause's sentence needs."""

    verdict: Verdict
    cause: Cause
    detail: str = ""


_ORDER = tuple(Verdict)


def judge(evidence: Evidence, *, now: float, max_age_s: float, restore_test_max_age_s: float) -> Judgement:
    """The worst judgement that any of the evidence supports."""
    supported = [
        *_of_the_repository(evidence),
        *_of_the_last_success(evidence, now, max_age_s),
        *_of_the_restore_test(evidence.restore_test, now, restore_test_max_age_s),
    ]
    return max(supported, key=lambda j: _ORDER.index(j.verdict), default=Judgement(Verdict.OK, Cause.PROVEN))


def _of_the_repository(evidence: Evidence) -> list[Judgement]:
    if evidence.broken:
        return [Judgement(Verdict.FAILED, Cause.BROKEN, evidence.broken)]
    if not evidence.supported:
        return [Judgement(Verdict.UNKNOWN, Cause.CANNOT_READ_KIND)]
    if evidence.unreadable:
        return [Judgement(Verdict.UNKNOWN, Cause.UNREADABLE, evidence.unreadable)]
    return []


def _of_the_last_success(evidence: Evidence, now: float, max_age_s: float) -> list[Judgement]:
    if not evidence.supported or evidence.broken or evidence.unreadable:
        return []
    if evidence.last_success is None:
        return [Judgement(Verdict.FAILED, Cause.NEVER_RUN)]
    if evidence.last_success > now + CLOCK_TOLERANCE_S:
        return [Judgement(Verdict.UNKNOWN, Cause.CLOCK_IN_FUTURE)]
    return [Judgement(Verdict.STALE, Cause.TOO_OLD)] if now - evidence.last_success > max_age_s else []


def _of_the_restore_test(test: RestoreTest | None, now: float, max_age_s: float) -> list[Judgement]:
    if test is None:
        return [Judgement(Verdict.UNVERIFIED, Cause.NEVER_RESTORED)]
    if not test.ok:
        return [Judgement(Verdict.FAILED, Cause.RESTORE_TEST_FAILED, test.first_error)]
    if test.at > now + CLOCK_TOLERANCE_S:
        return [Judgement(Verdict.UNVERIFIED, Cause.RESTORE_TEST_IN_FUTURE)]
    if now - test.at > max_age_s:
        return [Judgement(Verdict.UNVERIFIED, Cause.RESTORE_TEST_OVERDUE)]
    return []

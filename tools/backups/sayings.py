"""What is said about backups, worst first, at most two sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.backups.verdict import Cause, Judgement, RestoreTest, Verdict
from tools.wording import ago, duration, listing, number, sentence


@dataclass(frozen=True, slots=True)
class JudgedJob:
    """A job with its judgement and the times its sentence needs (Unix time)."""

    name: str
    kind: str
    judgement: Judgement
    last_success: float | None
    restore_test: RestoreTest | None

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict


_WORST_FIRST = tuple(reversed(Verdict))


def worst_first(jobs: Sequence[JudgedJob]) -> list[JudgedJob]:
    """Stable within a verdict."""
    return sorted(jobs, key=lambda job: _WORST_FIRST.index(job.verdict))


def trouble(job: JudgedJob, now: float) -> str:
    """What is wrong with a job that is not ok, as a clause without a stop."""
    detail = job.judgement.detail
    age = duration(max(now - job.last_success, 0)) if job.last_success is not None else ""
    tested = ago(max(now - job.restore_test.at, 0)) if job.restore_test else ""
    clauses = {
        Cause.BROKEN: f"{job.name} can't be read: {detail}",
        Cause.NEVER_RUN: f"{job.name} has no backup at all",
        Cause.RESTORE_TEST_FAILED: f"{job.name} could not be restored {tested}",
        Cause.UNREADABLE: f"{job.name} can't be judged: {detail}",
        Cause.CANNOT_READ_KIND: f"{job.name} can't be judged, because this version can't read {job.kind} backups yet",
        Cause.CLOCK_IN_FUTURE: f"{job.name} has a backup from the future, so a clock is wrong",
        Cause.TOO_OLD: f"{job.name} is {age} old",
        Cause.NEVER_RESTORED: f"{job.name} was never restored",
        Cause.RESTORE_TEST_OVERDUE: f"{job.name} was last restored {tested}",
        Cause.RESTORE_TEST_IN_FUTURE: f"{job.name} has a restore test from the future, so a clock is wrong",
        Cause.PROVEN: f"{job.name} is ok",
    }
    return clauses[job.judgement.cause].strip()


def say_one(job: JudgedJob, now: float) -> str:
    """One or two sentences about one job."""
    if job.last_success is None:
        return sentence(f"the {trouble(job, now)}".replace(f"the {job.name}", f"the {job.name} backup", 1))
    backed_up = f"backed up {ago(max(now - job.last_success, 0))}"
    if job.verdict is Verdict.OK and job.restore_test:
        proof = "compared" if job.restore_test.compared else "verified"
        restored = f"restored and {proof} {ago(max(now - job.restore_test.at, 0))}"
        return sentence(f"the {job.name} backup is ok: {backed_up}, {restored}")
    if job.judgement.cause is Cause.NEVER_RESTORED:
        return sentence(f"the {job.name} backup is not proven: {backed_up}, but never restored")
    if job.judgement.cause is Cause.RESTORE_TEST_OVERDUE and job.restore_test:
        tested = ago(max(now - job.restore_test.at, 0))
        return sentence(f"the {job.name} backup is not proven: {backed_up}, but last restored {tested}")
    if job.judgement.cause is Cause.TOO_OLD:
        return sentence(f"the {job.name} backup is too old: last {backed_up}")
    return sentence(f"the {trouble(job, now)}".replace(f"the {job.name}", f"the {job.name} backup", 1))


def say_all(jobs: Sequence[JudgedJob], now: float) -> str:
    """How many are proven, then what is wrong, the worst first."""
    if not jobs:
        return "No backups are configured."
    ordered = worst_first(jobs)
    bad = [job for job in ordered if job.verdict is not Verdict.OK]
    if not bad:
        oldest = duration(max(now - min(job.last_success or now for job in jobs), 0))
        if len(jobs) == 1:
            return say_one(jobs[0], now)
        both = "Both" if len(jobs) == 2 else f"All {number(len(jobs))}"
        return f"{both} backups are proven; the oldest is {oldest} old."
    proven = len(jobs) - len(bad)
    head = "none" if proven == 0 else number(proven)
    first = sentence(f"{head} of {number(len(jobs))} backups {'is' if proven < 2 else 'are'} proven")
    if len(jobs) == 1:
        return say_one(jobs[0], now)
    clauses = [trouble(job, now) for job in bad[:3]]
    if len(bad) > 3:
        clauses.append(f"{number(len(bad) - 3)} more {'needs' if len(bad) == 4 else 'need'} a look")
    return f"{first} {sentence(listing(clauses))}"

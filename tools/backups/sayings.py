"""What is said about backups, worst first, at most two sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.backups.advice import what_to_do
from tools.backups.evidence import RestoreTest
from tools.backups.verdict import CLOCK_TOLERANCE_S, Cause, Judgement, Verdict
from tools.wording import ago, counted, duration, listing, number, sentence

DUMPS = frozenset({"postgres-dump", "mariadb-dump", "gitea-dump"})
"""Kinds that people call a dump."""

SAID_OF_ALL = 3
"""Jobs that are told of when all were asked for; nobody listens to more."""


@dataclass(frozen=True, slots=True)
class JudgedJob:
    """A job with its judgement and the times its sentence needs (Unix time).

    ``restore_test``: the last one that the sentence is about; ``also``: what else is wrong, the worst first.
    """

    name: str
    kind: str
    judgement: Judgement
    last_success: float | None
    restore_test: RestoreTest | None
    also: tuple[Judgement, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def noun(self) -> str:
        """ "the photos backup", "the databases dump"; a name that says it itself is left as it is."""
        said = self.name.casefold().endswith(("backup", "backups", "dump", "dumps"))
        return f"the {self.name}{'' if said else ' dump' if self.kind in DUMPS else ' backup'}"


_WORST_FIRST = tuple(reversed(Verdict))


def worst_first(jobs: Sequence[JudgedJob]) -> list[JudgedJob]:
    """Stable within a verdict."""
    return sorted(jobs, key=lambda job: _WORST_FIRST.index(job.verdict))


def trouble(job: JudgedJob, now: float) -> str:
    """What is wrong with a job that is not ok, as a clause without a stop that begins with its name."""
    return _clause(job, job.name, now)


def told(job: JudgedJob, now: float) -> str:
    """The same as people say it: "the config backup is three days old", but "gitea was never restored"."""
    return _clause(job, job.name if job.judgement.cause in _NOT_PROVEN else job.noun, now)


def _clause(job: JudgedJob, name: str, now: float) -> str:
    judgement = job.judgement
    detail = judgement.detail
    it = f"{name} on {judgement.place}" if judgement.place else name
    there = f" on {judgement.place}" if judgement.place else ""
    whose = job.name if name == job.name else f"the {job.name} job"
    because = f": {detail}" if detail else ""
    tested = ago(max(now - job.restore_test.at, 0)) if job.restore_test else "long ago"
    clauses = {
        Cause.RESTORE_TEST_FAILED: f"{it} can't be restored",
        Cause.CHECK_FAILED: f"{it} is damaged{because}",
        Cause.BROKEN: f"{it} can't be read{because}",
        Cause.NEVER_RUN: f"{whose} has no backup at all",
        Cause.NEVER_COMPLETE: f"{whose} has no complete backup{there}",
        Cause.SOURCE_MISSING: f"{name} can't be made{because or ': what it backs up is gone'}",
        Cause.RUN_FAILED: f"{it} could not be made the last time{because}",
        Cause.SECOND_MISSING: f"{whose} has no backup{there}",
        Cause.UNREADABLE: f"{it} can't be judged{because}",
        Cause.NEVER_LOOKED: f"{it} can't be judged, because nobody has looked at it yet",
        Cause.CLOCK_IN_FUTURE: f"{whose} has a backup from the future{there}, so a clock is wrong",
        Cause.RUN_BLOCKED: f"{it} could not be made the last time{because}",
        Cause.TOO_OLD: f"{it} is {detail} old",
        Cause.NEVER_RESTORED: f"{name} was never restored",
        Cause.TESTER_BROKEN: f"{name} is not proven{because}",
        Cause.RESTORE_TEST_NOT_MADE: f"{name} could not be tested{because}",
        Cause.RESTORE_TEST_OVERDUE: f"{name} was last restored {tested}",
        Cause.RESTORE_TEST_IN_FUTURE: f"{name} has a restore test from the future, so a clock is wrong",
        Cause.PARTIAL: f"{it} lacks {_files(detail)}",
        Cause.INCOMPLETE: f"{it} broke off the last time",
        Cause.TINY: f"{it} is suddenly only {detail} of its usual size",
        Cause.HUGE: f"{it} is suddenly {detail} its usual size",
        Cause.UNCHANGED: f"{it} has had nothing new for {detail}",
        Cause.NEARLY_FULL: f"{name} has only {detail} of its disk left{there}",
        Cause.CHECK_NOT_MADE: f"{it} could not be checked{because}",
        Cause.PRUNE_FAILED: f"{it} could not be pruned{because}",
        Cause.WARNED: f"{it} needs a look{because}",
        Cause.CANNOT_BE_RESTORED_HERE: f"{name} can't be restored from here, so nothing proves it",
        Cause.EXERCISE_OVERDUE: f"{name} has an overdue exercise{because}",
        Cause.PROVEN: f"{name} is ok",
    }
    return clauses[judgement.cause]


def _files(count: str) -> str:
    if not count.isdecimal():
        return "files that could not be read"
    return f"{counted(int(count), 'file')} that could not be read"


_NOT_PROVEN = frozenset(
    {
        Cause.NEVER_RESTORED, Cause.TESTER_BROKEN, Cause.RESTORE_TEST_NOT_MADE, Cause.RESTORE_TEST_OVERDUE,
        Cause.RESTORE_TEST_IN_FUTURE, Cause.CANNOT_BE_RESTORED_HERE, Cause.EXERCISE_OVERDUE,
    }
)  # fmt: skip
"""Causes that are about the proof, and not about the backup."""


def say_one(job: JudgedJob, now: float) -> str:
    """Verdict, last run and last proof in one sentence, and what to do in another, where something is to be done."""
    advice = sentence(what_to_do(job.judgement))
    return f"{sentence(_verdict_of(job, now))} {advice}".strip()


def _verdict_of(job: JudgedJob, now: float) -> str:
    cause = job.judgement.cause
    past = cause is not Cause.CLOCK_IN_FUTURE and job.last_success is not None
    backed_up = f"backed up {ago(max(now - (job.last_success or 0.0), 0))}" if past else ""
    restored = _restored(job, now)
    if cause is Cause.PROVEN:
        return f"{job.noun} is ok: {', '.join(filter(None, (backed_up, restored)))}"
    if cause in _NOT_PROVEN and backed_up:
        return f"{job.noun} is not proven: {backed_up}, but {_why_not(job, now)}"
    if cause is Cause.TOO_OLD and not job.judgement.place:
        return f"{job.noun} is too old: last {', '.join(filter(None, (backed_up, restored)))}"
    facts = (
        (restored, backed_up) if cause is Cause.RESTORE_TEST_FAILED else (backed_up and f"last {backed_up}", restored)
    )
    known = ", ".join(filter(None, facts))
    clause = _clause(job, job.noun, now)
    if cause is Cause.RESTORE_TEST_FAILED and job.judgement.detail:
        clause += f": {job.judgement.detail}"
    return f"{clause}; {known}" if known else clause


def _restored(job: JudgedJob, now: float) -> str:
    test = job.restore_test
    if test is None or test.at > now + CLOCK_TOLERANCE_S:
        return ""
    past = ago(max(now - test.at, 0))
    if not test.ok:
        return f"tested {past}"
    if job.verdict is not Verdict.OK:
        return f"restored {past}"
    return f"restored and {'compared' if test.compared else 'verified'} {past}"


def _why_not(job: JudgedJob, now: float) -> str:
    """After "backed up two hours ago, but"."""
    cause, detail = job.judgement.cause, job.judgement.detail
    tested = ago(max(now - job.restore_test.at, 0)) if job.restore_test else "long ago"
    return {
        Cause.NEVER_RESTORED: "never restored",
        Cause.TESTER_BROKEN: detail or "its restore test cannot be believed",
        Cause.RESTORE_TEST_OVERDUE: f"last restored {tested}",
        Cause.RESTORE_TEST_NOT_MADE: f"it could not be tested: {detail}" if detail else "it could not be tested",
        Cause.RESTORE_TEST_IN_FUTURE: "its restore test is from the future, so a clock is wrong",
        Cause.CANNOT_BE_RESTORED_HERE: "it can't be restored from here",
        Cause.EXERCISE_OVERDUE: f"an exercise is overdue: {detail}",
    }[cause]


def say_all(jobs: Sequence[JudgedJob], now: float) -> str:
    """How many are proven, then what is wrong, the worst first."""
    if not jobs:
        return "No backups are configured."
    if len(jobs) == 1:
        return say_one(jobs[0], now)
    bad = [job for job in worst_first(jobs) if job.verdict is not Verdict.OK]
    if not bad:
        oldest = duration(max(now - min(job.last_success or now for job in jobs), 0))
        both = "Both" if len(jobs) == 2 else f"All {number(len(jobs))}"
        return f"{both} backups are proven; the oldest is {oldest} old."
    proven = len(jobs) - len(bad)
    head = "none" if proven == 0 else number(proven)
    first = sentence(f"{head} of {number(len(jobs))} backups {'is' if proven < 2 else 'are'} proven")
    clauses = [told(job, now) for job in bad[:SAID_OF_ALL]]
    if (more := len(bad) - SAID_OF_ALL) > 0:
        clauses.append(f"{number(more)} more {'needs' if more == 1 else 'need'} a look")
    return f"{first} {sentence(listing(clauses))}"

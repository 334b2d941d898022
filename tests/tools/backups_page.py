"""The generated part of ``docs/backups.md``: what the evidence comes to.

``python -m tests.tools.backups_page`` writes it.
"""

from __future__ import annotations

from pathlib import Path

from tools.backups.sayings import JudgedJob, say_one, worst_first
from tools.backups.verdict import CLOCK_TOLERANCE_S, Cause, Evidence, RestoreTest, judge

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backups.md"
MARK = "<!-- generated: python -m tests.tools.backups_page -->\n"

_NOW = 1_800_000_000.0
_HOUR, _DAY = 3600.0, 86400.0
_MAX_AGE_S, _RESTORE_TEST_MAX_AGE_S = 26 * _HOUR, 35 * _DAY
_FUTURE = _NOW + CLOCK_TOLERANCE_S + _DAY

BACKUPS = {
    "the repository is missing or damaged, or the password is wrong": Evidence(broken="the password is wrong"),
    "a kind that this version cannot read": Evidence(supported=False),
    "restic is missing, silent, locked out or talks nonsense": Evidence(unreadable="restic is not installed"),
    "no backup at all": Evidence(),
    "newest backup more than five minutes in the future": Evidence(last_success=_FUTURE),
    "newest backup older than `max_age_h`": Evidence(last_success=_NOW - 3 * _DAY),
    "fresh": Evidence(last_success=_NOW - 2 * _HOUR),
}
"""The rows: all that a repository can say of a job."""

RESTORE_TESTS: dict[str, RestoreTest | None] = {
    "failed": RestoreTest(_NOW - _DAY, ok=False, first_error="a file came back different"),
    "never": None,
    "from the future": RestoreTest(_FUTURE, ok=True),
    "older than `restore_test_max_age_h`": RestoreTest(_NOW - 40 * _DAY, ok=True),
    "passed": RestoreTest(_NOW - _DAY, ok=True),
}
"""The columns: all that the ledger can say of the last restore test."""


def _judged(backup: Evidence, test: RestoreTest | None) -> JudgedJob:
    evidence = Evidence(backup.supported, backup.broken, backup.unreadable, backup.last_success, test)
    judgement = judge(evidence, now=_NOW, max_age_s=_MAX_AGE_S, restore_test_max_age_s=_RESTORE_TEST_MAX_AGE_S)
    return JudgedJob("photos", "restic" if backup.supported else "borg", judgement, backup.last_success, test)


def every_job() -> list[JudgedJob]:
    """A job for each cell of the table."""
    return [_judged(backup, test) for backup in BACKUPS.values() for test in RESTORE_TESTS.values()]


def truth_table() -> str:
    """Verdicts: a row for each thing that a repository can say, a column for each that the ledger can."""
    rows = [["newest backup ↓, last restore test →", *RESTORE_TESTS], ["---"] * (len(RESTORE_TESTS) + 1)]
    for words, backup in BACKUPS.items():
        rows.append([words, *(_judged(backup, test).verdict.value for test in RESTORE_TESTS.values())])
    return _table(rows)


def causes() -> str:
    """Each cause with its verdict and what is then said, the worst first."""
    examples: dict[Cause, JudgedJob] = {}
    for job in every_job():
        known = examples.get(job.judgement.cause)
        if known is None or (_is_fresh(job) and not _is_fresh(known)):  # then it is about the restore test alone
            examples[job.judgement.cause] = job
    rows = [
        [f"`{job.judgement.cause.value}`", job.verdict.value, say_one(job, _NOW)]
        for job in worst_first(list(examples.values()))
    ]
    return _table([["cause", "verdict", "what is said of the job"], ["---"] * 3, *rows])


def _is_fresh(job: JudgedJob) -> bool:
    return job.last_success is not None and 0 <= _NOW - job.last_success <= _MAX_AGE_S


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def generated() -> str:
    """All that stands below the mark."""
    return f"\n{truth_table()}\n{causes()}"


def main() -> None:
    """Write it below the mark."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + (mark or MARK) + generated(), encoding="utf-8")


if __name__ == "__main__":
    main()

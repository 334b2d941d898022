"""The generated part of ``docs/backups.md``: what the evidence comes to.

``python -m tests.tools.backups_page`` writes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.backups.advice import what_to_do
from tools.backups.evidence import Attempt, Check, Evidence, Limits, Place, Prune, RestoreTest, RunSeen
from tools.backups.port import Copy, Fault
from tools.backups.sayings import JudgedJob, say_one
from tools.backups.verdict import CLOCK_TOLERANCE_S, VERDICT_OF, Cause, Verdict, judgements
from tools.wording import sentence

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backups.md"
MARK = "<!-- generated: python -m tests.tools.backups_page -->\n"

_NOW = 1_800_000_000.0
_HOUR, _DAY = 3600.0, 86400.0
_LIMITS = Limits(unchanged_after_s=30 * _DAY)
_FUTURE = _NOW + CLOCK_TOLERANCE_S + _DAY

_COPY = Copy(id="new", at=_NOW - 2 * _HOUR, size=1000)
_EARLIER = tuple(Copy(id=str(n), at=_NOW - (9 - n) * _DAY, size=1000) for n in range(8))
_GOOD = Place(looked_at=_NOW, found=True, newest=_COPY, whole=_COPY, earlier=_EARLIER)
_BROKEN_OFF = Copy(id="broken", at=_NOW - _HOUR, complete=False)
_USB = replace(_GOOD, name="the usb disk")


def _copied(**changes: object) -> Place:
    copy = replace(_COPY, **changes)  # type: ignore[arg-type]
    return replace(_GOOD, newest=copy, whole=copy)


def _ran(fault: Fault, reason: str) -> Place:
    return replace(_GOOD, run=RunSeen(at=_NOW - _HOUR, ended=_NOW - _HOUR, fault=fault, reason=reason))


def _fault(fault: Fault, reason: str) -> Place:
    return replace(_GOOD, fault=fault, reason=reason)


def _check(fault: Fault, reason: str) -> Place:
    return replace(_GOOD, check=Check(at=_NOW - _HOUR, level="data", ok=False, fault=fault, reason=reason))


BACKUPS: dict[str, tuple[Place, ...]] = {
    "wrong password, no repository, damaged or cut off": (_fault(Fault.WRONG_PASSWORD, "the password is wrong"),),
    "a check found damage that no later check has outdone": (_check(Fault.DAMAGED, "a pack is damaged"),),
    "no backup at all": (replace(_GOOD, newest=None, whole=None),),
    "none that is complete": (replace(_GOOD, newest=_BROKEN_OFF, whole=None),),
    "what is backed up is gone": (_ran(Fault.SOURCE_MISSING, "/srv/photos is gone"),),
    "the last run from here failed, whatever older backups there are": (_ran(Fault.DISK_FULL, "the disk is full"),),
    "another destination has no backup": (_GOOD, replace(_USB, newest=None, whole=None)),
    "not mounted, locked, unreachable, denied, program missing, timeout, nonsense": (
        _fault(Fault.NOT_MOUNTED, "nothing is mounted at /mnt/usb"),
    ),
    "nobody ever looked: the record is missing": (Place(),),
    "newest backup more than five minutes in the future": (_copied(at=_FUTURE),),
    "the last run from here found the repository locked": (_ran(Fault.LOCKED, "another program uses it"),),
    "newest complete backup older than `max_age_h`": (_copied(at=_NOW - 3 * _DAY),),
    "some sources could not be read": (_copied(unread=3),),
    "the newest broke off, an older one is complete": (replace(_GOOD, newest=_BROKEN_OFF),),
    "below `tiny_below_pct` of the median of the last ten": (_copied(size=20),),
    "above `huge_above_pct` of it": (_copied(size=9000),),
    "nothing new or changed for `unchanged_after_h`": (replace(_GOOD, unchanged_since=_NOW - 40 * _DAY),),
    "less than `min_free_pct` left at the destination": (replace(_GOOD, free=2, total=100),),
    "a check could not be made": (_check(Fault.TIMED_OUT, "it was not done within an hour"),),
    "pruning failed": (replace(_GOOD, prune=Prune(at=_NOW, ok=False, reason="permission is denied")),),
    "a warning of the kind (a disk that should be unplugged)": (
        replace(_GOOD, warnings=("the disk has to be unplugged again",)),
    ),
    "an unplugged disk (`offline`) that is not there, its backups fresh when it last was": (
        _GOOD,
        replace(_USB, offline=True, fault=Fault.NOT_MOUNTED),
    ),
    "the last run was cancelled": (_ran(Fault.CANCELLED, "it was cancelled"),),
    "fresh": (_GOOD,),
}
"""The rows: all that the destinations and the runs can say of a job."""

_PASSED = RestoreTest(_NOW - _DAY, ok=True)
_TESTS: dict[str, Evidence] = {
    "failed": Evidence(tests=(replace(_PASSED, ok=False, first_error="a.txt came back different"),)),
    "never": Evidence(),
    "never could be made": Evidence(attempt=Attempt(_NOW - _DAY, "the scratch folder is full")),
    "passed, by a tester whose canary did not fail": Evidence(
        tests=(_PASSED,), distrust="the restore tester is broken"
    ),
    "from the future": Evidence(tests=(RestoreTest(_FUTURE, ok=True),)),
    "older than `restore_test_max_age_h`": Evidence(tests=(RestoreTest(_NOW - 40 * _DAY, ok=True),)),
    "passed, an exercise overdue": Evidence(tests=(_PASSED,), overdue=("the restore of the application",)),
    "a kind that cannot be restored from here": Evidence(restorable=False),
    "passed": Evidence(tests=(_PASSED,)),
}
"""The columns: all that the ledger and the calendar can say of restore tests."""


def _judged(places: tuple[Place, ...], tests: Evidence) -> JudgedJob:
    said = judgements(replace(tests, places=places), now=_NOW, limits=_LIMITS)
    test = tests.tests[0] if tests.tests else None
    last = places[0].whole.at if places[0].whole is not None else None
    return JudgedJob("photos", "restic", said[0], last, test, said[1:])


def every_job() -> list[JudgedJob]:
    """A job for each cell of the table."""
    return [_judged(places, tests) for places in BACKUPS.values() for tests in _TESTS.values()]


def truth_table() -> str:
    """Verdicts: a row for each thing that a repository can say, a column for each that the ledger can."""
    rows = [["newest backup ↓, last restore test →", *_TESTS], ["---"] * (len(_TESTS) + 1)]
    for words, places in BACKUPS.items():
        rows.append([words, *(_judged(places, tests).verdict.value for tests in _TESTS.values())])
    return _table(rows)


def causes() -> str:
    """Each cause with its verdict and what is then said, the worst first."""
    examples: dict[Cause, JudgedJob] = {}
    for job in reversed(every_job()):  # the last one has the least else to say
        examples.setdefault(job.judgement.cause, job)
    order = sorted(Cause, key=lambda cause: -list(Verdict).index(VERDICT_OF[cause]))
    rows = [[f"`{cause.value}`", VERDICT_OF[cause].value, say_one(examples[cause], _NOW)] for cause in order]
    return _table([["cause", "verdict", "what is said of the job"], ["---"] * 3, *rows])


def faults() -> str:
    """Each fault of a program, what a look that ends in it comes to, and what to do."""
    rows = []
    for fault in Fault:
        said = judgements(Evidence(places=(_fault(fault, ""),)), now=_NOW, limits=_LIMITS)[0]
        rows.append([f"`{fault.value}`", said.verdict.value, f"`{said.cause.value}`", sentence(what_to_do(said))])
    return _table([["fault", "verdict", "cause", "what to do"], ["---"] * 4, *rows])


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def generated() -> str:
    """All that stands below the mark."""
    return (
        f"\n{truth_table()}\nEach cause, with what is said when one job is asked for:\n\n{causes()}"
        f"\nWhat a look at a destination can end in:\n\n{faults()}"
    )


def main() -> None:
    """Write it below the mark."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + (mark or MARK) + generated(), encoding="utf-8")


if __name__ == "__main__":
    main()

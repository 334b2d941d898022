"""What is said about backups: the worst first, in two sentences at most."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.advice import what_to_do
from tools.backups.evidence import RestoreTest
from tools.backups.port import Fault
from tools.backups.sayings import JudgedJob, say_all, say_one, told, trouble, worst_first
from tools.backups.verdict import Cause, Judgement, Verdict

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0

PASSED = RestoreTest(NOW - 3 * DAY, True)
FAILED = RestoreTest(NOW - 3 * DAY, False, "a.txt came back different")


def job(
    name: str,
    cause: Cause = Cause.PROVEN,
    detail: str = "",
    *,
    place: str = "",
    fault: Fault | None = None,
    age: float | None = 2 * HOUR,
    test: RestoreTest | None = PASSED,
    kind: str = "restic",
) -> JudgedJob:
    """A judged job; ``age`` in seconds before now."""
    return JudgedJob(name, kind, Judgement(cause, detail, place, fault), None if age is None else NOW - age, test)


def never_restored(name: str) -> JudgedJob:
    return job(name, Cause.NEVER_RESTORED, test=None)


PASSWORD = ("the password is wrong", Fault.WRONG_PASSWORD)


@pytest.mark.parametrize(
    "one, said",
    [
        (job("photos"), "The photos backup is ok: backed up two hours ago, restored and compared three days ago."),
        (
            job("photos", test=replace(PASSED, compared=False)),
            "The photos backup is ok: backed up two hours ago, restored and verified three days ago.",
        ),
        (
            never_restored("photos"),
            "The photos backup is not proven: backed up two hours ago, but never restored. Test restoring it.",
        ),
        (
            job("photos", Cause.RESTORE_TEST_OVERDUE, test=replace(PASSED, at=NOW - 40 * DAY)),
            "The photos backup is not proven: backed up two hours ago, but last restored 40 days ago. "
            "Test restoring it.",
        ),
        (
            job("photos", Cause.RESTORE_TEST_NOT_MADE, "the scratch folder is full", test=None),
            "The photos backup is not proven: backed up two hours ago, but it could not be tested: "
            "the scratch folder is full. Mend that, then test restoring it.",
        ),
        (
            job("usb", Cause.CANNOT_BE_RESTORED_HERE, test=None, kind="report"),
            "The usb backup is not proven: backed up two hours ago, but it can't be restored from here.",
        ),
        (
            job("photos", Cause.TOO_OLD, "three days", age=3 * DAY),
            "The photos backup is too old: last backed up three days ago, restored three days ago. Run it now.",
        ),
        (
            job("photos", Cause.TOO_OLD, "nine days", place="the usb disk", fault=Fault.NOT_MOUNTED),
            "The photos backup on the usb disk is nine days old; last backed up two hours ago, restored three days "
            "ago. Plug the disk in.",
        ),
        (
            job("photos", Cause.CLOCK_IN_FUTURE, age=-DAY, test=None),
            "The photos job has a backup from the future, so a clock is wrong. Set the clocks.",
        ),
        (job("photos", Cause.NEVER_RUN, age=None, test=None), "The photos job has no backup at all. Run it now."),
        (
            job("photos", Cause.BROKEN, "the password is wrong", fault=Fault.WRONG_PASSWORD, age=None, test=None),
            "The photos backup can't be read: the password is wrong. Put the right password into its password file.",
        ),
        (
            job("photos", Cause.UNREADABLE, "nothing is mounted at /mnt/usb", fault=Fault.NOT_MOUNTED, test=None),
            "The photos backup can't be judged: nothing is mounted at /mnt/usb; last backed up two hours ago. "
            "Plug the disk in.",
        ),
        (
            job("databases", Cause.RESTORE_TEST_FAILED, "the dump is cut off", test=FAILED, kind="postgres-dump"),
            "The databases dump can't be restored: the dump is cut off; tested three days ago, backed up two hours "
            "ago. Run it now, then test restoring it again.",
        ),
        (
            job("photos", Cause.PARTIAL, "3"),
            "The photos backup lacks three files that could not be read; last backed up two hours ago, restored three "
            "days ago. See which files it may not read.",
        ),
        (
            job("my backups", Cause.RUN_FAILED, "the disk is full", fault=Fault.DISK_FULL, test=None),
            "The my backups could not be made the last time: the disk is full; last backed up two hours ago. "
            "Make room on the disk.",
        ),
    ],
)
def test_one_job(one: JudgedJob, said: str) -> None:
    assert say_one(one, NOW) == said


@pytest.mark.parametrize(
    "jobs, said",
    [
        ([], "No backups are configured."),
        ([job("a")], "The a backup is ok: backed up two hours ago, restored and compared three days ago."),
        (
            [never_restored("a")],
            "The a backup is not proven: backed up two hours ago, but never restored. Test restoring it.",
        ),
        ([job("a"), job("b", age=5 * HOUR)], "Both backups are proven; the oldest is five hours old."),
        ([job("a"), job("b"), job("c")], "All three backups are proven; the oldest is two hours old."),
        ([job("a"), never_restored("b")], "One of two backups is proven. B was never restored."),
        (
            [
                *(job(name) for name in ("photos", "documents", "home assistant", "passwords")),
                never_restored("gitea"),
                job("config", Cause.TOO_OLD, "three days", age=3 * DAY),
                job("databases", Cause.RESTORE_TEST_FAILED, "x", test=FAILED, kind="postgres-dump"),
            ],
            "Four of seven backups are proven. The databases dump can't be restored, the config backup is three days "
            "old and gitea was never restored.",
        ),
        (
            [job("x"), job("y"), *(never_restored(name) for name in "abcd")],
            "Two of six backups are proven. A was never restored, b was never restored, c was never restored "
            "and one more needs a look.",
        ),
        (
            [never_restored(name) for name in "abcde"],
            "None of five backups is proven. A was never restored, b was never restored, c was never restored "
            "and two more need a look.",
        ),
    ],
)
def test_all_jobs(jobs: list[JudgedJob], said: str) -> None:
    assert say_all(jobs, NOW) == said


TIMES = st.floats(NOW - 400 * DAY, NOW + 2 * DAY)
TESTS = st.none() | st.builds(RestoreTest, at=TIMES, ok=st.booleans(), compared=st.booleans())
JUDGEMENTS = st.builds(
    Judgement,
    cause=st.sampled_from(Cause),
    detail=st.sampled_from(["3", "it said no"]),
    place=st.sampled_from(["", "the usb disk"]),
    fault=st.none() | st.sampled_from(Fault),
)
JOBS = st.lists(
    st.builds(
        JudgedJob,
        name=st.sampled_from(["photos", "gitea", "home assistant", "databases", "config"]),
        kind=st.sampled_from(["restic", "postgres-dump", "report"]),
        judgement=JUDGEMENTS,
        last_success=st.none() | TIMES,
        restore_test=TESTS,
    ),
    min_size=1,
    max_size=9,
)


@given(JOBS)
def test_at_most_two_sentences_are_said(jobs: list[JudgedJob]) -> None:
    for said in (say_all(jobs, NOW), say_one(jobs[0], NOW)):
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", said)) <= 2
        assert said[0].isupper()
        assert said.endswith(".")
        assert "  " not in said
        assert ": ." not in said


@given(JOBS)
def test_the_first_clause_is_about_the_worst_job(jobs: list[JudgedJob]) -> None:
    ordered = worst_first(jobs)
    ranks = [list(Verdict).index(one.verdict) for one in ordered]
    assert ranks == sorted(ranks, reverse=True)
    assert sorted(map(id, ordered)) == sorted(map(id, jobs))
    if len(jobs) > 1 and ordered[0].verdict is not Verdict.OK:
        clause = told(ordered[0], NOW)
        assert f" {clause[0].upper()}{clause[1:]}" in say_all(jobs, NOW)


@given(JOBS)
def test_nothing_is_called_proven_or_ok_that_is_not(jobs: list[JudgedJob]) -> None:
    said = say_all(jobs, NOW)
    all_ok = all(one.verdict is Verdict.OK for one in jobs)
    assert (said.startswith(("All", "Both")) or " is ok" in said) == all_ok


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("place", ["", "the usb disk"])
def test_every_cause_has_its_clause_with_the_name_in_front(cause: Cause, place: str) -> None:
    for test in (None, PASSED, FAILED):
        one = job("photos", cause, "it said no", place=place, test=test)
        assert trouble(one, NOW).startswith("photos ")
        assert say_one(one, NOW).startswith(("The photos backup", "The photos job"))


def test_what_is_wrong_has_something_to_do_about_it() -> None:
    silent = {cause for cause in Cause if not what_to_do(Judgement(cause))}
    assert silent == {
        Cause.PROVEN,
        Cause.CANNOT_BE_RESTORED_HERE,
        Cause.BROKEN, Cause.UNREADABLE, Cause.RUN_FAILED, Cause.RUN_BLOCKED,  # these have a fault
        Cause.WARNED,  # says it itself
    }  # fmt: skip
    for fault in set(Fault) - {Fault.CANCELLED, Fault.SOURCE_MISSING}:
        assert what_to_do(Judgement(Cause.UNREADABLE, fault=fault))

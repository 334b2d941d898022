"""What is said about backups: the worst first, in two sentences at most."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.sayings import JudgedJob, say_all, say_one, trouble, worst_first
from tools.backups.verdict import Cause, Evidence, Judgement, RestoreTest, Verdict, judge

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0


def job(
    name: str,
    *,
    age: float | None = 2 * HOUR,
    tested: float | None = 3 * DAY,
    ok: bool = True,
    compared: bool = True,
    broken: str = "",
    unreadable: str = "",
    kind: str = "restic",
) -> JudgedJob:
    """A judged job; ``age`` and ``tested`` in seconds before now."""
    evidence = Evidence(
        supported=kind == "restic",
        broken=broken,
        unreadable=unreadable,
        last_success=None if age is None or broken or unreadable or kind != "restic" else NOW - age,
        restore_test=None if tested is None else RestoreTest(NOW - tested, ok, compared=compared),
    )
    judgement = judge(evidence, now=NOW, max_age_s=26 * HOUR, restore_test_max_age_s=35 * DAY)
    return JudgedJob(name, kind, judgement, evidence.last_success, evidence.restore_test)


@pytest.mark.parametrize(
    "one, said",
    [
        (job("photos"), "The photos backup is ok: backed up two hours ago, restored and compared three days ago."),
        (
            job("photos", compared=False),
            "The photos backup is ok: backed up two hours ago, restored and verified three days ago.",
        ),
        (job("photos", tested=None), "The photos backup is not proven: backed up two hours ago, but never restored."),
        (
            job("photos", tested=40 * DAY),
            "The photos backup is not proven: backed up two hours ago, but last restored 40 days ago.",
        ),
        (job("photos", tested=-DAY), "The photos backup has a restore test from the future, so a clock is wrong."),
        (job("photos", age=3 * DAY), "The photos backup is too old: last backed up three days ago."),
        (job("photos", age=-DAY), "The photos backup has a backup from the future, so a clock is wrong."),
        (job("photos", age=None), "The photos backup has no backup at all."),
        (job("photos", broken="the password is wrong"), "The photos backup can't be read: the password is wrong."),
        (job("photos", unreadable="no answer"), "The photos backup can't be judged: no answer."),
        (job("photos", ok=False), "The photos backup could not be restored three days ago."),
        (
            job("papers", kind="borg"),
            "The papers backup can't be judged, because this version can't read borg backups yet.",
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
        ([job("a", tested=None)], "The a backup is not proven: backed up two hours ago, but never restored."),
        ([job("a"), job("b", age=5 * HOUR)], "Both backups are proven; the oldest is five hours old."),
        ([job("a"), job("b"), job("c")], "All three backups are proven; the oldest is two hours old."),
        ([job("a"), job("b", tested=None)], "One of two backups is proven. B was never restored."),
        (
            [job("a", tested=None), job("b", age=3 * DAY), job("c", broken="the password is wrong")],
            "None of three backups is proven. C can't be read: the password is wrong, b is three days old "
            "and a was never restored.",
        ),
        (
            [job("x"), job("y"), *(job(name, tested=None) for name in "abcd")],
            "Two of six backups are proven. A was never restored, b was never restored, c was never restored "
            "and one more needs a look.",
        ),
        (
            [job(name, tested=None) for name in "abcde"],
            "None of five backups is proven. A was never restored, b was never restored, c was never restored "
            "and two more need a look.",
        ),
    ],
)
def test_all_jobs(jobs: list[JudgedJob], said: str) -> None:
    assert say_all(jobs, NOW) == said


AGES = st.none() | st.floats(-2 * DAY, 400 * DAY)
JOBS = st.lists(
    st.builds(
        job,
        name=st.sampled_from(["photos", "gitea", "home assistant", "databases", "config"]),
        age=AGES,
        tested=AGES,
        ok=st.booleans(),
        compared=st.booleans(),
        broken=st.sampled_from(["", "", "the password is wrong"]),
        unreadable=st.sampled_from(["", "", "restic is not installed"]),
        kind=st.sampled_from(["restic", "restic", "borg"]),
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


@given(JOBS)
def test_the_first_clause_is_about_the_worst_job(jobs: list[JudgedJob]) -> None:
    ordered = worst_first(jobs)
    ranks = [list(Verdict).index(one.verdict) for one in ordered]
    assert ranks == sorted(ranks, reverse=True)
    assert sorted(map(id, ordered)) == sorted(map(id, jobs))
    if len(jobs) > 1 and ordered[0].verdict is not Verdict.OK:
        clause = trouble(ordered[0], NOW)
        assert f" {clause[0].upper()}{clause[1:]}" in say_all(jobs, NOW)


@given(JOBS)
def test_nothing_is_called_proven_or_ok_that_is_not(jobs: list[JudgedJob]) -> None:
    said = say_all(jobs, NOW)
    all_ok = all(one.verdict is Verdict.OK for one in jobs)
    assert (said.startswith(("All", "Both")) or " is ok" in said) == all_ok


def test_every_cause_has_its_clause() -> None:
    for cause in Cause:
        one = JudgedJob("photos", "restic", Judgement(Verdict.FAILED, cause, "it said no"), NOW, RestoreTest(NOW, True))
        assert trouble(one, NOW).startswith("photos ")

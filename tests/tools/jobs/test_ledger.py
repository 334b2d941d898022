"""The ledger of jobs: who may change what, and what is never a success."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.contract import Caller, Door
from tools.jobs.ledger import Job, JobLedger, JobState
from tools.store import Store

CALLER = Caller(name="anna", door=Door.SATELLITE, room="kitchen", conversation="c7")


class Hands:
    """A clock that is set by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


@pytest.fixture
def ledger(store: Store) -> JobLedger:
    return JobLedger(store, Hands())


def added(ledger: JobLedger, subject: str = "photos", tool: str = "run_backup") -> Job:
    return ledger.add(tool, subject, {"job": subject}, CALLER, "starter")[0]


def test_a_job_is_waiting_with_all_that_was_said_about_it(ledger: JobLedger) -> None:
    job = added(ledger)

    assert (job.state, job.tool, job.subject, job.arguments) == (
        JobState.WAITING,
        "run_backup",
        "photos",
        {"job": "photos"},
    )
    assert (job.who, job.door, job.room, job.conversation) == ("anna", "satellite", "kitchen", "c7")
    assert job.asked_at == Hands.now
    assert ledger.active() == [job]


def test_the_same_job_is_not_added_while_it_is_under_way(ledger: JobLedger) -> None:
    first = added(ledger)
    assert ledger.add("run_backup", "photos", {}, CALLER, "starter") == (first, False)

    ledger.claim(first.id, "worker")
    assert ledger.add("run_backup", "photos", {}, CALLER, "starter")[1] is False
    assert ledger.add("run_backup", "music", {}, CALLER, "starter")[1] is True
    assert ledger.add("test_restore", "photos", {}, CALLER, "starter")[1] is True

    ledger.end(first.id, "worker", JobState.DONE, spoken="done")
    assert ledger.add("run_backup", "photos", {}, CALLER, "starter")[1] is True


def test_of_many_who_add_the_same_job_at_once_one_does(tmp_path: Path) -> None:
    results: list[tuple[str, bool]] = []

    def add() -> None:
        with Store(tmp_path / "jarvis.db") as store:
            job, new = JobLedger(store).add("run_backup", "photos", {}, CALLER, "starter")
            results.append((job.id, new))

    Store(tmp_path / "jarvis.db").close()
    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({job_id for job_id, _ in results}) == 1
    assert sum(new for _, new in results) == 1


def test_one_process_claims_a_job(ledger: JobLedger) -> None:
    job = added(ledger)

    assert ledger.claim(job.id, "one")
    assert not ledger.claim(job.id, "other")
    assert ledger.active()[0].worker == "one"


def test_what_is_handed_over_is_known_by_its_process_until_that_claims_it(ledger: JobLedger) -> None:
    job = added(ledger)
    ledger.hand_over(job.id, "child")
    assert ledger.active()[0].worker == "child"

    ledger.claim(job.id, "child itself")
    ledger.hand_over(job.id, "child")
    assert ledger.active()[0].worker == "child itself"


def test_progress_is_taken_from_the_process_that_has_the_job(ledger: JobLedger) -> None:
    job = added(ledger)
    ledger.claim(job.id, "worker")
    ledger.progress(job.id, "worker", 0.4, "copying")
    ledger.progress(job.id, "another", 0.9, "lying")

    assert (ledger.active()[0].progress, ledger.active()[0].doing) == (0.4, "copying")


def test_what_is_over_stays_as_it_ended(ledger: JobLedger) -> None:
    job = added(ledger)
    ledger.claim(job.id, "worker")
    assert ledger.end(job.id, "worker", JobState.LOST, spoken="broke off")

    assert not ledger.end(job.id, "worker", JobState.DONE, spoken="done")
    ledger.progress(job.id, "worker", 1.0, "")
    ended = ledger.get(job.id)
    assert ended is not None
    assert (ended.state, ended.spoken, ended.progress) == (JobState.LOST, "broke off", -1.0)


def test_another_process_cannot_end_a_job(ledger: JobLedger) -> None:
    job = added(ledger)
    ledger.claim(job.id, "worker")

    assert not ledger.end(job.id, "another", JobState.DONE, spoken="done")
    assert ledger.active()[0].state is JobState.RUNNING


def test_a_job_that_ends_without_a_result_keeps_what_was_noted(ledger: JobLedger) -> None:
    job = added(ledger)
    ledger.claim(job.id, "worker")
    ledger.note(job.id, "worker", {"under_way": "photos"})
    ledger.end(job.id, "worker", JobState.LOST, spoken="broke off")

    assert ledger.recent()[0].result == {"under_way": "photos"}


def test_cancelling_is_asked_for_while_it_is_under_way(ledger: JobLedger) -> None:
    job = added(ledger)
    assert not ledger.cancel_asked(job.id)
    assert ledger.ask_cancel(job.id)
    assert ledger.cancel_asked(job.id)

    ledger.claim(job.id, "worker")
    ledger.end(job.id, "worker", JobState.CANCELLED, spoken="cancelled")
    assert not ledger.ask_cancel(job.id)
    assert not ledger.ask_cancel("no such job")


def test_what_is_over_is_told_once(ledger: JobLedger) -> None:
    job = added(ledger)
    assert ledger.untold() == []
    ledger.claim(job.id, "worker")
    ledger.end(job.id, "worker", JobState.DONE, spoken="done")

    assert [one.id for one in ledger.untold()] == [job.id]
    ledger.told(job.id)
    assert ledger.untold() == []


def test_old_jobs_are_forgotten_once_they_were_told(store: Store) -> None:
    clock = Hands()
    ledger = JobLedger(store, clock)
    for subject in ("photos", "music"):
        job = added(ledger, subject)
        ledger.end(job.id, "starter", JobState.DONE, spoken="done")
        if subject == "photos":
            ledger.told(job.id)
    added(ledger, "running")
    clock.now += 500 * 86400.0
    ledger.forget_old()

    assert [job.subject for job in ledger.recent()] == ["music"]
    assert [job.subject for job in ledger.active()] == ["running"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "cancel", "end", "lose", "progress"]), st.sampled_from(["a", "b"])), max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_a_job_ends_once_and_by_its_own_process(store: Store, steps: list[tuple[str, str]]) -> None:
    ledger = JobLedger(store)
    job, _ = ledger.add("run_backup", f"job {len(ledger.active()) + len(ledger.recent(1000))}", {}, CALLER, "a")
    holder, ends = "a", 0
    for step, who in steps:
        if step == "claim":
            holder = who if ledger.claim(job.id, who) else holder
        elif step == "cancel":
            ledger.ask_cancel(job.id)
        elif step == "progress":
            ledger.progress(job.id, who, 0.5, "")
        else:
            state = JobState.DONE if step == "end" else JobState.LOST
            ended = ledger.end(job.id, who, state, spoken="")
            assert not (ended and who != holder)
            ends += ended
    now = ledger.get(job.id)
    assert now is not None
    assert ends == int(now.state.over)

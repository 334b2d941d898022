"""That a job is over is told once, by whoever finds it over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import HttpUrl

from tools.contract import Caller, Door
from tools.jobs.ledger import JobLedger, JobState
from tools.jobs.recovery import recover
from tools.jobs.telling import TOLD_WITHIN_S, tell
from tools.notify.messages import Messages
from tools.settings import NtfySettings, ToolSettings
from tools.store import Store

CALLER = Caller(name="anna", door=Door.SATELLITE, room="kitchen", conversation="c7")
NOW = 1_800_000_000.0
PHONE = ToolSettings(ntfy=NtfySettings(url=HttpUrl("http://127.0.0.1:9")))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "jarvis.db") as opened:
        yield opened


def ended(store: Store, state: JobState, tool: str = "run_backup", subject: str = "photos") -> str:
    ledger = JobLedger(store, lambda: NOW)
    job, _ = ledger.add(tool, subject, {"job": subject}, CALLER, "worker")
    ledger.end(job.id, "worker", state, spoken=f"It ended as {state.value}.")
    return job.id


@pytest.mark.parametrize(
    "state, priority, tags",
    [
        (JobState.DONE, 3, ("white_check_mark",)),
        (JobState.CANCELLED, 3, ()),
        (JobState.FAILED, 5, ("rotating_light",)),
        (JobState.LOST, 5, ("rotating_light",)),
    ],
)
def test_it_is_told_where_it_was_asked_for_and_pushed(
    store: Store, state: JobState, priority: int, tags: tuple[str, ...]
) -> None:
    job_id = ended(store, state)
    messages = Messages(store, lambda: NOW)
    tell(JobLedger(store), messages, PHONE, lambda: NOW)

    message = messages.get(f"job:{job_id}")
    assert message is not None
    assert (message.title, message.text) == ("Photos backup", f"It ended as {state.value}.")
    assert (message.priority, message.tags) == (priority, tags)
    assert (message.who, message.door, message.room, message.conversation) == ("anna", "satellite", "kitchen", "c7")
    assert [one.id for one in messages.due("ntfy")] == [message.id]


def test_without_a_push_service_it_is_only_said(store: Store) -> None:
    ended(store, JobState.DONE, "test_restore", "all")
    messages = Messages(store, lambda: NOW)
    tell(JobLedger(store), messages, ToolSettings(), lambda: NOW)

    assert [message.title for message in messages.unannounced("c7")] == ["Restore test of everything"]
    assert messages.due("ntfy") == []


def test_what_was_over_when_its_worker_was_killed_before_it_could_tell_is_told_at_the_next_start(
    store: Store, tmp_path: Path
) -> None:
    ended(store, JobState.DONE)
    for _ in range(3):
        assert recover(tmp_path, store, ToolSettings(), lambda: NOW) == []

    assert [message.text for message in Messages(store, lambda: NOW).unannounced()] == ["It ended as done."]


def test_a_crash_between_telling_and_noting_that_it_was_told_tells_nothing_twice(store: Store) -> None:
    job_id = ended(store, JobState.DONE)
    messages = Messages(store, lambda: NOW)
    tell(JobLedger(store), messages, ToolSettings(), lambda: NOW)
    store.write("UPDATE jobs SET announced = 0 WHERE id = ?", [(job_id,)])
    tell(JobLedger(store), messages, ToolSettings(), lambda: NOW)

    assert len(messages.unannounced()) == 1


def test_what_is_over_for_days_is_told_no_more(store: Store) -> None:
    ended(store, JobState.DONE)
    later = NOW + TOLD_WITHIN_S + 1
    messages = Messages(store, lambda: later)
    tell(JobLedger(store), messages, PHONE, lambda: later)

    assert messages.unannounced() == []
    assert messages.due("ntfy") == []
    assert JobLedger(store).untold() == []

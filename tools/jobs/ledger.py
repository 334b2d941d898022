"""The ledger of jobs: what was asked for, what became of it, and by which process.

Every change of state is one statement that names the state it leaves, so that of two who try at once one wins. A job
whose process is gone without having said how it ended is ``lost``, and never a success.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.contract import Caller, JsonObject
from tools.store import Store

Clock = Callable[[], float]
"""Unix seconds."""

KEPT_S = 400 * 86400.0
"""How long a job that is over stays in the ledger."""


class JobState(StrEnum):
    """``waiting``: written down, its process is coming up. The last four are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def over(self) -> bool:
        """Whether nothing comes after it."""
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line of the ledger. ``worker``: identity of the process that does it (of the one that starts it, while it
    waits); ``progress``: 0–1, or −1 where nobody knows; ``spoken``: how it ended, as a sentence; ``error``: for the
    log, without a secret."""

    id: str
    tool: str
    subject: str
    arguments: JsonObject
    state: JobState
    asked_at: float
    began: float | None = None
    ended: float | None = None
    worker: str | None = None
    progress: float = -1.0
    doing: str = ""
    cancel: bool = False
    who: str = "nobody"
    door: str = "cli"
    room: str | None = None
    conversation: str | None = None
    spoken: str = ""
    error: str = ""
    result: JsonObject
    announced: bool = False


_COLUMNS = (
    "id", "tool", "subject", "arguments", "state", "asked_at", "began", "ended", "worker", "progress", "doing",
    "cancel", "who", "door", "room", "conversation", "spoken", "error", "result", "announced",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM jobs"  # noqa: S608 - constants
_ACTIVE = "state IN ('waiting', 'running')"


class JobLedger:
    """Over the tools' database. Every method is short and blocks, and raises StoreError only."""

    def __init__(self, store: Store, clock: Clock = time.time) -> None:
        self._store = store
        self._clock = clock

    def add(self, tool: str, subject: str, arguments: JsonObject, caller: Caller, starter: str) -> tuple[Job, bool]:
        """Write a job down as waiting; or the job with that tool and subject that is not over yet, and False."""
        job_id = secrets.token_hex(8)
        values = (
            job_id, tool, subject, json.dumps(arguments, sort_keys=True), self._clock(), starter,
            caller.name, caller.door.value, caller.room, caller.conversation, tool, subject,
        )  # fmt: skip
        while True:
            added = self._store.write(
                "INSERT INTO jobs (id, tool, subject, arguments, state, asked_at, worker, who, door, room, "
                "conversation) SELECT ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM jobs WHERE tool = ? AND subject = ? AND state IN ('waiting', 'running'))",
                [values],
            )
            if added and (job := self.get(job_id)) is not None:
                return job, True
            for job in self.active():
                if (job.tool, job.subject) == (tool, subject):
                    return job, False  # else it has just ended, and the way is free

    def hand_over(self, job_id: str, worker: str) -> None:
        """The process that will do it is up; while it has not claimed the job itself."""
        self._store.write("UPDATE jobs SET worker = ? WHERE id = ? AND state = 'waiting'", [(worker, job_id)])

    def claim(self, job_id: str, worker: str) -> bool:
        """Begin a job that waits. True for exactly one process."""
        changed = self._store.write(
            "UPDATE jobs SET state = 'running', began = ?, worker = ? WHERE id = ? AND state = 'waiting'",
            [(self._clock(), worker, job_id)],
        )
        return changed == 1

    def progress(self, job_id: str, worker: str, share: float, doing: str) -> None:
        """How far it is, by the process that has it; of others nothing is taken."""
        self._store.write(
            "UPDATE jobs SET progress = ?, doing = ? WHERE id = ? AND worker = ? AND state = 'running'",
            [(share, doing, job_id, worker)],
        )

    def note(self, job_id: str, worker: str, result: JsonObject) -> None:
        """What is known already, for whoever finds the job without its process."""
        self._store.write(
            "UPDATE jobs SET result = ? WHERE id = ? AND worker = ? AND state = 'running'",
            [(json.dumps(result), job_id, worker)],
        )

    def ask_cancel(self, job_id: str) -> bool:
        """Ask for its end; its process sees it within a second. False when it is over already."""
        return self._store.write(f"UPDATE jobs SET cancel = 1 WHERE id = ? AND {_ACTIVE}", [(job_id,)]) == 1  # noqa: S608

    def cancel_asked(self, job_id: str) -> bool:
        """Whether somebody asked for its end."""
        rows = self._store.read("SELECT cancel FROM jobs WHERE id = ?", (job_id,))
        return bool(rows and rows[0][0])

    def end(
        self,
        job_id: str,
        worker: str,
        state: JobState,
        *,
        spoken: str,
        error: str = "",
        result: JsonObject | None = None,
    ) -> bool:
        """How it ended, by the process that has it. False when the job is over already, or another's."""
        changed = self._store.write(
            "UPDATE jobs SET state = ?, ended = ?, spoken = ?, error = ?, result = COALESCE(?, result), "
            "progress = CASE WHEN ? = 'done' THEN 1 ELSE progress END "
            "WHERE id = ? AND worker = ? AND state IN ('waiting', 'running')",
            [
                (
                    state.value, self._clock(), spoken, error, None if result is None else json.dumps(result),
                    state.value, job_id, worker,
                )
            ],
        )  # fmt: skip
        return changed == 1

    def get(self, job_id: str) -> Job | None:
        """One job."""
        rows = self._store.read(f"{_SELECT} WHERE id = ?", (job_id,))
        return _job(rows[0]) if rows else None

    def active(self) -> list[Job]:
        """Those that are not over, in the order they were asked for."""
        return [_job(row) for row in self._store.read(f"{_SELECT} WHERE {_ACTIVE} ORDER BY asked_at, rowid")]

    def recent(self, limit: int = 20) -> list[Job]:
        """Those that are over, newest first."""
        query = f"{_SELECT} WHERE NOT {_ACTIVE} ORDER BY ended DESC, rowid DESC LIMIT ?"
        return [_job(row) for row in self._store.read(query, (limit,))]

    def untold(self) -> list[Job]:
        """Those that are over and of which nobody was told, in the order they ended."""
        query = f"{_SELECT} WHERE NOT {_ACTIVE} AND announced = 0 ORDER BY ended, rowid"
        return [_job(row) for row in self._store.read(query)]

    def told(self, job_id: str) -> None:
        """It stands in the messages now."""
        self._store.write("UPDATE jobs SET announced = 1 WHERE id = ?", [(job_id,)])

    def forget_old(self) -> None:
        """Drop what is over for longer than KEPT_S."""
        self._store.write(
            f"DELETE FROM jobs WHERE NOT {_ACTIVE} AND announced = 1 AND ended < ?",  # noqa: S608
            [(self._clock() - KEPT_S,)],
        )


def _job(row: tuple[Any, ...]) -> Job:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Job(
        **values
        | {
            "arguments": json.loads(values["arguments"]),
            "state": JobState(values["state"]),
            "cancel": bool(values["cancel"]),
            "result": json.loads(values["result"]),
            "announced": bool(values["announced"]),
        }
    )

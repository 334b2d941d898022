"""What a job is to the one who does it, and who does which tool's jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import cast

from tools.contract import JsonObject
from tools.jobs.ledger import Job
from tools.settings import ToolSettings
from tools.store import Store

WORKERS = {
    "run_backup": "tools.backups.jobs:run_backups",
    "test_restore": "tools.backups.jobs:test_restores",
}
"""By the tool that starts the job: ``async (Work) -> Outcome``. Imported by the worker only."""

AFTER_LOSS = {"run_backup": "tools.backups.jobs:run_was_lost"}
"""What to note of a job whose process is gone: ``(Lost) -> None``, blocking."""


@dataclass(slots=True)
class Work:
    """One job, with all that doing it takes. ``report(share, doing)``: how far it is; ``note(result)``: what is known
    already, should the process be killed."""

    job: Job
    settings: ToolSettings
    state_dir: Path
    store: Store
    report: Callable[[float, str], None]
    note: Callable[[JsonObject], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. ``spoken``: a sentence or two; ``error``: for the log, without a secret."""

    ok: bool
    spoken: str
    error: str = ""
    result: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lost:
    """A job whose process is gone."""

    job: Job
    settings: ToolSettings
    store: Store
    now: float


def worker_of(tool: str) -> Callable[[Work], Awaitable[Outcome]]:
    """Who does the jobs of a tool. Raises KeyError."""
    return cast(Callable[[Work], Awaitable[Outcome]], _named(WORKERS[tool]))


def after_loss(lost: Lost) -> None:
    """Note that a job was lost. Raises StoreError."""
    name = AFTER_LOSS.get(lost.job.tool)
    if name is not None:
        cast(Callable[[Lost], None], _named(name))(lost)


def _named(name: str) -> object:
    module, _, function = name.partition(":")
    found: object = getattr(import_module(module), function)
    return found

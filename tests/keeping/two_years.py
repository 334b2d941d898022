"""Two years of a busy house on virtual time: ``python -m tests.keeping.two_years``.

Prints the bytes of the state folder for each month. Each virtual day writes what a day leaves (turns, audit lines,
artifacts, messages, jobs, backup runs, restore tests, questions nobody answered, observations) and ends with the sweep
and the nightly copy, as the running server does them. The limits are small ones, and a day
is a few rows, so that two years are seconds; what grows for ever grows here, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.events import TurnEvent, TurnFinished
from assistant.traces import TraceStore
from tools.audit import AuditReader
from tools.contract import Caller, Door
from tools.keeping.keeper import Keeper
from tools.keeping.retention import RetentionReport, measured, sweep
from tools.notify.messages import Messages
from tools.outbox import Outbox
from tools.settings import ToolSettings
from tools.store import Store

BEGIN = 1_800_000_000.0
DAY_S = 86400.0
DAYS = 730

SETTINGS = ToolSettings.model_validate(
    {
        "access": {"audit_days": 60},
        "retention": {
            "turns": 400, "turn_days": 90, "artifacts": 20, "artifact_days": 60, "message_days": 30, "job_days": 60,
            "backup_runs": 60, "restore_test_days": 90, "job_log_mb": 0.02, "repl_history_kb": 10,
        },
    }
)  # fmt: skip


@dataclass
class Growth:
    """``bytes``: of the state folder, at the end of each day; ``dropped``: by what it was."""

    bytes: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    faults: tuple[Any, ...] = ()

    @property
    def later(self) -> float:
        """The largest of the second year to the largest of the first."""
        half = len(self.bytes) // 2
        return max(self.bytes[half:]) / max(self.bytes[:half])


class Clock:
    now = BEGIN

    def __call__(self) -> float:
        return self.now


def a_day(state: Path, store: Store, traces: TraceStore, clock: Clock, number: int) -> None:
    """What a day leaves."""
    now = clock.now
    outbox, messages = Outbox(state / "outbox", SETTINGS.retention.artifacts), Messages(store, clock)
    for turn in range(8):
        turn_id = f"{number}-{turn}"
        events: list[TurnEvent] = [TurnFinished(reply="", spoken="", matched="none", turn_id=turn_id, at_ms=5.0)]
        traces.keep(events, "cli")
        store.audit(
            {
                "who": "anna", "role": "owner", "door": "cli", "tool": "check_backups", "arguments": "{}",
                "decision": "allowed", "outcome": "ok", "turn_id": turn_id,
            }
        )  # fmt: skip
    for part in range(3):
        at = datetime.fromtimestamp(now + part, UTC)
        outbox.leave("check_backups", {"spoken": "fine", "data": {"jobs": ["x" * 300]}}, at)
    messages.add("The photos backup is done.", Caller(door=Door.SCHEDULE), key=f"day:{number}")
    store.observe(now, [(f"service {n}", True, "") for n in range(5)])
    row = {"nonce_sha256": str(number), "digest": "d", "who": str(number), "conversation": None, "door": "cli"}
    ticks = {"turn_id": None, "created": now, "expires": now + 300, "created_ticks": 0.0, "expires_ticks": 300.0}
    store.open_confirmation({**row, **ticks})
    record = json.dumps({"verify": {"ok": True, "level": "metadata"}, "text": "x" * 200})
    store.write(
        "INSERT INTO backup_runs (job, destination, kind, at, ended, ok, record) "
        "VALUES ('a', '', 'restic', ?, ?, 1, ?)",
        [(now + n, now + n + 60, record) for n in range(2)],
    )
    store.write(
        "INSERT INTO jobs (id, tool, subject, arguments, state, asked_at, ended, who, door, announced) "
        "VALUES (?, 'run_backup', 'a', '{}', 'done', ?, ?, 'anna', 'cli', 1)",
        [(str(number), now, now + 60)],
    )
    store.add_restore_test("a", "restic", now, ok=number % 7 != 0, record={"level": "app", "text": "x" * 200})
    (state / "jobs").mkdir(exist_ok=True)
    for name in ("jobs/worker.log", "repl-history"):
        with (state / name).open("a", encoding="utf-8") as file:
            file.write(f"{number} a line of a log that grows and grows\n" * 10)


def live(folder: Path, days: int = DAYS) -> Growth:
    """So many days in this folder."""
    clock, growth = Clock(), Growth()
    state = folder / "state"
    traces_of = {"turns": SETTINGS.retention.turns, "days": SETTINGS.retention.turn_days}
    with pytest.MonkeyPatch.context() as patch, Store(state / "jarvis.db") as store:
        patch.setattr("tools.store.time.time", clock)
        store.read("PRAGMA synchronous=OFF")  # nobody pulls the plug here, and two years are many commits
        patch.setattr("tools.keeping.copies.sync", lambda _: None)
        traces = TraceStore(state / "traces.db", keep_words=False, clock=clock, **traces_of)  # type: ignore[arg-type]
        keeper = Keeper(store, state, SETTINGS.retention, clock, lambda at: datetime.fromtimestamp(at, UTC))
        report: RetentionReport | None = None
        for number in range(days):
            a_day(state, store, traces, clock, number)
            clock.now += DAY_S
            report = sweep(store, SETTINGS, state, clock.now)
            keeper.look()
            for name, count in report.dropped.items():
                growth.dropped[name] = growth.dropped.get(name, 0) + count
            growth.bytes.append(sum(measured(state).values()))
        traces.close()
        growth.faults = AuditReader(state / "jarvis.db").verified().faults
    return growth


def main() -> int:
    """Exit code 1 where the second year is larger than the first by more than a twentieth."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        growth = live(Path(folder))
    for month in range(DAYS // 30):
        size = growth.bytes[(month + 1) * 30 - 1]
        sys.stdout.write(f"month {month + 1:2}: {size / 1e6:6.2f} MB {'#' * (size // 50_000)}\n")
    sys.stdout.write(f"second year to first, largest: {growth.later:.3f}; dropped: {growth.dropped}\n")
    sys.stdout.write(f"faults of the audit's chain: {len(growth.faults)}; {time.monotonic() - began:.1f} s\n")
    return 0 if growth.later <= 1.05 and not growth.faults else 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.tools.backups_bench``: how long ``check_backups`` takes when it answers from what is remembered.

Fifty jobs, first with one record of each sort, then with ten thousand; medians, and what nine of ten stay below.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.backups.port import Copy, Found
from tools.backups.records import BackupRecords
from tools.backups.tool import CheckBackups
from tools.contract import PlannedCall
from tools.names import NameIndex
from tools.settings import BackupSettings, ToolSettings
from tools.store import Store

JOBS = 50
LIMIT_MS = 50.0
HOUR = 3600.0


def remembered(store: Store, records_in_all: int) -> ToolSettings:
    """Fifty jobs with as many records together: a third each of copies, runs and restore tests. All looks are fresh."""
    names = [f"job {n}" for n in range(JOBS)]
    each = max(records_in_all // (3 * JOBS), 1)
    now = time.time()
    records = BackupRecords(store)
    for name in names:
        copies = tuple(_copy(n, now - (each - n + 1) * HOUR) for n in range(each))
        store.write(
            "INSERT INTO backup_runs (job, destination, kind, at, ended, ok, record) "
            "VALUES (?, '', 'restic', ?, ?, 1, ?)",
            [(name, copy.at, copy.at + 60, _RUN) for copy in copies],
        )
        store.write(
            "INSERT INTO restore_tests (job, kind, at, ok, record) VALUES (?, 'restic', ?, 1, ?)",
            [(name, copy.at, _TEST) for copy in copies],
        )
        records.keep_look(name, "", now, Found(copies=copies, free=5 * 10**11, total=10**12), None)
    jobs = {name: BackupSettings(kind="restic", repository=f"/srv/backups/{name}") for name in names}
    return ToolSettings(backups=jobs)


def _copy(number: int, at: float) -> Copy:
    return Copy(
        id=f"{number:064x}", at=at, duration_s=61.5, size=10**11, added=10**8, files=123_456, files_new=12,
        files_changed=3, paths=("/srv/photos", "/srv/films"),
    )  # fmt: skip


_RUN = (
    '{"job": "photos", "kind": "restic", "destination": "/srv/backups/photos", "copy": null, "fault": null, '
    '"verify": {"level": "metadata", "share": 0.0, "ok": true}, "prune": {"ran": true, "ok": true, "removed": 1}, '
    '"phases": {"copy": 60.1, "verify": 2.2, "prune": 1.5, "look": 0.8}, "hooks": {}, "reason": ""}'
)
_TEST = (
    '{"job": "photos", "kind": "restic", "destination": "", "offsite": false, "copy": "abcdef0123456789", "level": '
    '"restored", "sample_n": 20, "whole": false, "compared": 18, "compared_pct": 90.0, "coverage_pct": 12.5, '
    '"mismatches": 0, "mismatched": [], "first_error": null, "fault": null, "duration_s": 9.1}'
)


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each call, the first one of a new connection among them; ``cpu_ms``: of the processor, a call."""

    wall_ms: list[float]
    cpu_ms: float


async def measure(records_in_all: int, times: int) -> Taken:
    """Ask for all jobs so often. Raises AssertionError where the answer is not the one it has to be."""
    with tempfile.TemporaryDirectory(prefix="jarvis-bench-") as folder, Store(Path(folder) / "jarvis.db") as store:
        settings = await asyncio.to_thread(remembered, store, records_in_all)
        tool = CheckBackups(settings, NameIndex.from_settings(settings), store)
        taken, cpu = [], time.process_time()
        for _ in range(times):
            began = time.perf_counter()
            result = await tool.execute(PlannedCall(tool=tool.name))
            taken.append((time.perf_counter() - began) * 1000)
            if result.spoken != f"All {JOBS} backups are proven; the oldest is two hours old.":
                raise AssertionError(result.spoken)
        return Taken(taken, (time.process_time() - cpu) * 1000 / times)


def main() -> int:
    """Exit code 1 where a median is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.backups_bench", description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="calls of each sort")
    options = parser.parse_args()
    good = True
    for count in (3 * JOBS, 10_000):
        taken = asyncio.run(measure(count, options.times))
        median, nine = statistics.median(taken.wall_ms), statistics.quantiles(taken.wall_ms, n=10)[-1]
        good = good and median <= LIMIT_MS
        sys.stdout.write(
            f"check_backups, {JOBS} jobs, {count} records: median {median:.1f} ms, nine of ten below {nine:.1f} ms, "
            f"first {taken.wall_ms[0]:.1f} ms, processor {taken.cpu_ms:.1f} ms (limit {LIMIT_MS:g} ms)\n"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

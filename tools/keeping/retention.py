"""What is old is dropped, so that the state folder does not grow for ever. Each rule is one row of a table here.

The audit is dropped from its oldest line only, with a line that says so, and the chain over it holds on
(``tools/audit_chain.py``). What somebody still waits for (a job under way, a message not yet pushed) stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.keeping.copies import prune
from tools.outbox import prune as prune_outbox
from tools.records import DAY_S, forget_old_calls
from tools.settings import ToolSettings
from tools.settings_retention import RetentionSettings
from tools.store import Store

JARVIS_DB = "jarvis.db"
LOGS = ("jobs/worker.log", "embedded-model.log")


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What one sweep did. ``at``: Unix seconds; ``dropped``: rows and files, by what they were; ``bytes``: of the state
    folder afterwards, by its top folders and files."""

    at: float
    dropped: Mapping[str, int]
    bytes: Mapping[str, int]

    @property
    def total_bytes(self) -> int:
        """Of the whole state folder."""
        return sum(self.bytes.values())


def sweep(store: Store, settings: ToolSettings, state_dir: Path, now: float) -> RetentionReport:
    """Drop what is older than the settings say. Blocks. Raises StoreError; files that cannot be removed stay."""
    keep = settings.retention
    dropped = {"audit": forget_old_calls(store, settings.access.audit_days, now)}
    for name, statement, values in _rules(keep, now):
        dropped[name] = dropped.get(name, 0) + store.write(statement, [values])
    dropped |= _files(keep, state_dir, now)
    return RetentionReport(now, dropped, measured(state_dir))


def measured(state_dir: Path) -> dict[str, int]:
    """Bytes in the state folder, by what lies at its top. Raises nothing: what is gone meanwhile counts nothing."""
    sizes: dict[str, int] = {}
    with suppress(OSError):
        for top in sorted(state_dir.iterdir()):
            sizes[top.name] = sum(_size(path) for path in _below(top))
    return sizes


def _rules(keep: RetentionSettings, now: float) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """(what, statement, its values)."""

    def before(days: float) -> tuple[float]:
        return (now - days * DAY_S,)

    yield "observations", "DELETE FROM observations WHERE at < ?", before(keep.observation_days)
    yield "confirmations", "DELETE FROM confirmations WHERE expires < ?", before(keep.confirmation_days)
    yield "confirmations", "DELETE FROM links WHERE expires < ?", before(keep.confirmation_days)
    yield (
        "messages",
        "DELETE FROM messages WHERE at < ? AND (push = 0 OR next_at IS NULL)",
        before(keep.message_days),
    )
    yield "messages", "DELETE FROM pushes WHERE message NOT IN (SELECT id FROM messages)", ()
    yield "messages", "DELETE FROM published WHERE at < ?", before(keep.message_days)
    yield "messages", "DELETE FROM incoming WHERE at < ?", before(keep.message_days)
    yield "pin tries", "DELETE FROM pin_tries WHERE at < ?", before(30.0)
    yield (
        "jobs",
        "DELETE FROM jobs WHERE state NOT IN ('waiting', 'running') AND announced = 1 AND ended < ?",
        before(keep.job_days),
    )
    yield "backup runs", _OLD_RUNS, (keep.backup_runs,)
    yield "restore tests", _OLD_TESTS, before(keep.restore_test_days)
    yield "restored files", "DELETE FROM restored_files WHERE at < ?", before(keep.restore_test_days)


_OLD_RUNS = """
DELETE FROM backup_runs WHERE id IN (
    SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY job, destination ORDER BY id DESC) AS place
                    FROM backup_runs) WHERE place > ?
) AND id NOT IN (
    SELECT MAX(id) FROM backup_runs WHERE json_valid(record) AND (
        json_extract(record, '$.verify.ok') = 0
        OR COALESCE(json_extract(record, '$.verify.level'), 'none') != 'none'
        OR COALESCE(json_extract(record, '$.prune.ran'), 0) != 0
    ) GROUP BY job, destination, json_extract(record, '$.verify.ok'), json_extract(record, '$.verify.level'),
        COALESCE(json_extract(record, '$.prune.ran'), 0)
)
"""
"""The newest run with damage, with each sort of check, and with pruning stays, however old it is."""

_SORT = """job, ok, ran, CASE WHEN json_valid(record) THEN COALESCE(json_extract(record, '$.destination'), '') END,
    CASE WHEN json_valid(record) THEN COALESCE(json_extract(record, '$.level'), '') = 'app' END,
    CASE WHEN json_valid(record) THEN COALESCE(json_extract(record, '$.whole'), 0) END,
    CASE WHEN json_valid(record) THEN COALESCE(json_extract(record, '$.offsite'), 0) END"""

_OLD_TESTS = f"""
DELETE FROM restore_tests WHERE at < ? AND id NOT IN (
    SELECT MAX(id) FROM restore_tests GROUP BY {_SORT} UNION SELECT MIN(id) FROM restore_tests GROUP BY {_SORT}
)
"""  # noqa: S608 - constants


def _files(keep: RetentionSettings, state_dir: Path, now: float) -> dict[str, int]:
    dropped = {"artifacts": prune_outbox(state_dir / "outbox", keep.artifacts, now - keep.artifact_days * DAY_S)}
    for name in (JARVIS_DB, "tokens.db", "requests.db"):
        gone = _counted(partial(_prune, state_dir / name, keep))
        dropped["copies"] = dropped.get("copies", 0) + gone
    for name in LOGS:
        dropped["logs"] = dropped.get("logs", 0) + _cut(state_dir / name, keep.job_log_mb * 1e6)
    dropped["history"] = _cut(state_dir / "repl-history", keep.repl_history_kb * 1e3)
    return dropped


def _prune(database: Path, keep: RetentionSettings) -> int:
    return len(prune(database, keep.daily_copies, keep.upgrade_copies))


def _counted(work: Callable[[], int]) -> int:
    try:
        return work()
    except OSError:
        return 0


def _cut(path: Path, limit_bytes: float) -> int:
    """Leave the newer half of a text file that has grown past its limit, in the same file: somebody may be appending
    to it. 1 where it was cut."""
    try:
        if path.stat().st_size <= limit_bytes:
            return 0
        with path.open("r+b") as file:
            file.seek(-int(limit_bytes / 2), os.SEEK_END)
            rest = file.read().partition(b"\n")[2]
            file.seek(0)
            file.write(rest)
            file.truncate()
    except OSError:
        return 0
    return 1


def _below(top: Path) -> Iterator[Path]:
    if top.is_symlink() or not top.is_dir():
        yield top
    else:
        for folder, _, names in os.walk(top):
            yield from (Path(folder) / name for name in names)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0

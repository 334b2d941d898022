"""The restore tests that the calendar counts, out of the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from tools.backups.calendar import Restored, restored
from tools.backups.records import BackupRecords

LOOKED_BACK = 60
"""Tests of each job that are read: five years of monthly ones."""


def practised(records: BackupRecords, jobs: Iterable[str]) -> list[Restored]:
    """What passed, per job oldest first. Blocks. Raises StoreError."""
    return [
        one
        for job in jobs
        for entry in records.restore_tests(job, LOOKED_BACK)
        if (one := restored(job, entry)) is not None
    ]

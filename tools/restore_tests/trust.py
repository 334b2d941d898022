"""Whether the restore tester itself is to be believed: what its canaries said last.

A canary is a small real backup with one byte flipped, whose restore test has to fail (``canary.py``). One that passed
says that the tester finds nothing, and then no restore test is worth anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.backups.records import BackupRecords
from tools.settings import BackupKind

FAMILIES = ("restic", "rsync-snapshots", "sqlite")
"""The kinds that have a canary, each for those that are tested in the same way."""

BROKEN = "the restore tester is broken"

_DEDUPLICATING = frozenset({"restic", "borg", "borgmatic", "kopia"})
_APPLICATIONS = frozenset({"sqlite", "postgres-dump", "mariadb-dump", "home-assistant-tar", "gitea-dump"})


def family(kind: BackupKind | str) -> str | None:
    """The kind of the canary that stands for a job's kind; None for jobs that only check in."""
    if kind == "report":
        return None
    if kind in _DEDUPLICATING:
        return "restic"
    return "sqlite" if kind in _APPLICATIONS else "rsync-snapshots"


def canary_job(of: str) -> str:
    """Under which name its tests stand in the ledger: no job can be called so, names are not padded."""
    return f" canary {of}"


def distrusted(records: BackupRecords) -> str:
    """Why no restore test can be believed, a clause for people; empty where the last canary of each family failed as
    it has to, or none was ever tested. Blocks. Raises StoreError."""
    last = (records.last_restore_test(canary_job(one)) for one in FAMILIES)
    return BROKEN if any(one is not None and not one["ok"] for one in last) else ""


def due_families(records: BackupRecords, kinds: Iterable[str], now: float, *, after_s: float) -> list[str]:
    """Whose canary was last tested longer ago than ``after_s``, or never, or was not found broken."""
    due = []
    for one in sorted({of for kind in kinds if (of := family(kind)) is not None}):
        last = records.last_attempt(canary_job(one))
        if last is None or not last["ok"] or not 0 <= now - last["at"] <= after_s:
            due.append(one)
    return due

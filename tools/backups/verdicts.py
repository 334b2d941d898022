"""The verdict of every job from what is remembered: for metrics, which look at nothing themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.backups.examining import examined, overdue_exercises
from tools.backups.records import BackupRecords
from tools.backups.verdict import Verdict
from tools.restore_tests.trust import distrusted
from tools.settings import ToolSettings
from tools.store import Store


@dataclass(frozen=True, slots=True)
class Judged:
    """One job; ``data_class`` is its own name where the configuration gives none."""

    job: str
    data_class: str
    verdict: Verdict


def verdicts(settings: ToolSettings, store: Store, now: float) -> Sequence[Judged]:
    """Of every job that is configured. Blocks. Raises StoreError."""
    if not settings.backups:
        return ()
    records = BackupRecords(store)
    late = overdue_exercises(settings.backups, records, settings.restore_calendar, now)
    doubt = distrusted(records)
    return tuple(
        Judged(
            name, job.data_class or name, examined(name, job, records, now, late.get(name, ()), doubt).judged.verdict
        )
        for name, job in settings.backups.items()
    )

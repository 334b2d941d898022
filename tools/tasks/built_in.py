"""Our own tasks: what stands at the destinations is looked at again, and the restore calendar is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from tools.backups.calendar import Due, Exercise, due
from tools.backups.examining import look
from tools.backups.records import BackupRecords
from tools.contract import Caller, Door
from tools.jobs.start import Starter
from tools.restore_tests.practised import practised
from tools.settings import ToolSettings
from tools.store import Store
from tools.tasks.scheduler import BuiltIn
from tools.tasks.schedules import local_zone, moment_after

LOOK_AGE_S = 540.0
"""What was looked at more lately is left for the next time, ten minutes later."""

LOOKS, CALENDAR, DIGEST = "built-in:looks", "built-in:calendar", "built-in:digest"


def built_in_tasks(
    settings: ToolSettings, store: Store, starter: Starter, tell_digest: Callable[[], Awaitable[None]] | None = None
) -> Mapping[str, BuiltIn]:
    """By their ids. Exercises are only started by themselves where ``restore_calendar`` stands in the configuration:
    a restore from far away costs time and money."""

    async def look_at_all() -> None:
        """One job after another: nobody waits for it."""
        records = BackupRecords(store)
        for name, job in settings.backups.items():
            await look({name: job}, records, look_age_s=LOOK_AGE_S)

    async def exercise() -> None:
        """The one that waited longest, if any is due: one a night."""
        first = await asyncio.to_thread(next_exercise, settings, store, time.time())
        if first is not None:
            arguments = {
                "job": first.job,
                "exercise": first.exercise.value,
                "place": first.place,
                "whole": first.exercise is Exercise.NAS_GONE,
            }
            caller = Caller(name="jarvis", door=Door.SCHEDULE)
            await asyncio.to_thread(starter.start, "test_restore", first.job, arguments, caller)

    tasks: dict[str, BuiltIn] = {}
    if settings.backups:
        tasks[LOOKS] = BuiltIn("look at the backups", "every 10 minutes", 60.0, look_at_all)
    if settings.backups and "restore_calendar" in settings.model_fields_set:
        tasks[CALENDAR] = BuiltIn("practise a restore", "every day at 03:30", 86400.0, exercise)
    if settings.digest.at is not None and tell_digest is not None:
        when = f"every day at {settings.digest.at}"
        first_in_s = moment_after(when, time.time(), local_zone()) - time.time()
        tasks[DIGEST] = BuiltIn("tell the digest of the day", when, first_in_s, tell_digest)
    return tasks


def next_exercise(settings: ToolSettings, store: Store, now: float) -> Due | None:
    """Of the exercises that are due, the first one of the job that was tried longest ago; None when all is done. So a
    job that fails every night keeps nobody else waiting. Blocks. Raises StoreError."""
    records = BackupRecords(store)
    exercises = due(settings.backups, practised(records, settings.backups), settings.restore_calendar, now)
    tried = {job: float((records.last_attempt(job) or {}).get("at", 0.0)) for job in settings.backups}
    waiting = [one for one in exercises if one.at <= now]
    return min(waiting, key=lambda one: (tried.get(one.job, 0.0), one.at), default=None)

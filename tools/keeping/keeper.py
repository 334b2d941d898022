"""Runs in the process that owns the state folder: a copy of ``jarvis.db`` each night, and a look at every page of it.

A copy that is damaged is none: then the database itself is, and is mended (``tools/keeping/recovery.py``).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from tools.keeping.copies import Copy, copies_of, make_copy, prune
from tools.keeping.retention import JARVIS_DB
from tools.settings_retention import RetentionSettings
from tools.store import Store, StoreError

log = logging.getLogger(__name__)

HOUR = 3
"""Of the night, local time: the copy of a machine that runs is from then."""

BEAT_S = 600.0
FIRST_S = 30.0
"""After the start: what a first question needs goes first."""


class Keeper:
    """``run`` until it is cancelled."""

    name = "keeper"

    def __init__(
        self,
        store: Store,
        state_dir: Path,
        keep: RetentionSettings,
        clock: Callable[[], float] = time.time,
        local: Callable[[float], datetime] = lambda at: datetime.fromtimestamp(at).astimezone(),
    ) -> None:
        self._store = store
        self._path = state_dir / JARVIS_DB
        self._keep = keep
        self._clock = clock
        self._local = local

    async def run(self) -> None:
        """Look every ten minutes whether a copy is due."""
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            await asyncio.to_thread(self.look)
            wait_s = BEAT_S

    def look(self) -> Copy | None:
        """Make a copy if one is due. Blocks, and raises nothing: it is tried again, and the doctor tells the age."""
        now = self._clock()
        if not self.due(now):
            return None
        try:
            copy = make_copy(self._path, now)
            prune(self._path, self._keep.daily_copies, self._keep.upgrade_copies)
        except (OSError, sqlite3.Error) as error:
            log.warning("no copy of %s could be made: %s", self._path, error)
            self._see_to_it()
            return None
        return copy

    def due(self, now: float) -> bool:
        """Whether the newest copy is from before the last time that it was three at night, or from a wrong clock."""
        daily = [copy for copy in copies_of(self._path) if copy.before is None]
        if not daily:
            return True
        night = self._local(now).replace(hour=HOUR, minute=0, second=0, microsecond=0)
        if night.timestamp() > now:
            night -= timedelta(days=1)
        return not night.timestamp() <= daily[-1].at <= now + BEAT_S

    def _see_to_it(self) -> None:
        try:
            self._store.is_sound()
        except StoreError as error:
            log.warning("%s", error)

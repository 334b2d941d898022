"""The backups are looked at once when the assistant has started, before anybody asks.

The first look at a restic or borg repository takes a second or more, because a key is made of its password first; a
local repository that has not changed since is not read again (``kinds/unchanged.py``). Without this, whoever asks first
after a start waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from tools.backups.examining import look
from tools.backups.records import BackupRecords
from tools.backups.tool import LOOK_AGE_OF_ONE_S
from tools.settings import BackupSettings
from tools.store import StoreError

log = logging.getLogger(__name__)

AFTER_S = 5.0
"""Seconds after the start: speech recognition and voice are loaded first, which takes about as long."""


class LookAhead:
    """Implements Background. One job after another, once: what is slow there is one core's work, and nobody waits.

    A look that is younger than a minute is not made again, so that a service that keeps failing and being started anew
    does not ask other machines every few seconds.
    """

    name = "look at the backups once"

    def __init__(self, jobs: Mapping[str, BackupSettings], records: BackupRecords, *, after_s: float = AFTER_S) -> None:
        self._jobs = jobs
        self._records = records
        self._after_s = after_s

    async def run(self) -> None:
        """Until it has looked at all of them."""
        await asyncio.sleep(self._after_s)
        try:
            for name, job in self._jobs.items():
                await look({name: job}, self._records, look_age_s=LOOK_AGE_OF_ONE_S)
        except StoreError as error:  # the regular looks will say so, too
            log.warning("the backups are not looked at ahead: %s", error)

"""Whether this process is really well, for those who are told that it is: its loop turns, its state can be written, and
what is scheduled is done."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from assistant.errors import JarvisError

log = logging.getLogger(__name__)

MOST_LAG_S = 10.0
"""How late the loop may be for a timer: a turn on a busy machine makes it late by less than one second."""

OVERDUE_S = 180.0
"""The scheduler looks every ten seconds, and gives a task up to its next time: later than this it stands still."""

WITHIN_S = 15.0
"""How long a look may take: a disk that hangs is a disk that is gone."""

PROBE_BYTES = 4096
"""An empty file can be made on a disk that is full."""


class Look(Protocol):
    """One thing that has to be well."""

    async def __call__(self) -> str:
        """Why it is not, in a few words without content; empty: it is."""
        ...


class Scheduled(Protocol):
    """Whatever keeps the time."""

    async def overdue_s(self) -> float:
        """How late the most overdue of all that is scheduled is. Raises StateError."""
        ...


class Wellness:
    """Looks at all of it at once."""

    def __init__(self, looks: Sequence[Look], within_s: float = WITHIN_S) -> None:
        self._looks = tuple(looks)
        self._within_s = within_s

    async def troubles(self) -> tuple[str, ...]:
        """What is not well; empty: all is. Raises nothing: a look that breaks is a trouble."""
        found = await asyncio.gather(*(self._in_time(look) for look in self._looks))
        return tuple(trouble for trouble in found if trouble)

    async def _in_time(self, look: Look) -> str:
        try:
            async with asyncio.timeout(self._within_s):
                return await look()
        except TimeoutError:
            return f"a look took more than {self._within_s:g} s"
        except JarvisError as error:
            return error.code
        except OSError as error:
            return f"the system said {error.strerror or type(error).__name__}"


def state_writable(folder: Path) -> Look:
    """The state folder takes a block, down to the disk."""

    async def look() -> str:
        try:
            await asyncio.to_thread(_write_block, folder)
        except OSError as error:
            return f"the state folder cannot be written: {error.strerror or type(error).__name__}"
        return ""

    return look


def schedule_kept(scheduled: Scheduled, overdue_s: float = OVERDUE_S) -> Look:
    """Nothing that is scheduled waits for longer than that: rounds of checks are scheduled like all else."""

    async def look() -> str:
        late = await scheduled.overdue_s()
        return f"something scheduled is {late:.0f} s late" if late > overdue_s else ""

    return look


def _write_block(folder: Path) -> None:
    path = folder / f".alive-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, bytes(PROBE_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
    finally:
        path.unlink(missing_ok=True)

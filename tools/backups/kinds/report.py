"""Kind ``report``: a job that is made elsewhere and only checks in, by a file (``check_in.py``).

Hyper Backup, Time Machine, a script on another machine, or a USB disk that somebody plugs in for it. Jarvis can neither
start nor check nor restore it: it knows what the job said, and whether the disk is still plugged in.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import ClassVar, Literal

from tools.backups.kinds import check_in
from tools.backups.kinds.check_in import CheckIn
from tools.backups.kinds.target import Target, room
from tools.backups.port import BackupError, Copy, Fault, Found, Progress, Pruned, Verified
from tools.settings import BackupSettings

HOUR_S = 3600.0


class Report:
    """See ``port.Kind``. Whoever reads the clock for the disk may give another one."""

    kind: ClassVar[str] = "report"

    def __init__(self, settings: BackupSettings, target: Target) -> None:
        self.destination = target.shown or "elsewhere"
        self._settings = settings
        self._target = target

    async def look(self) -> Found:
        """Nothing found where the job never checked in. Raises BackupError said_failed where its last word was that it
        failed, nonsense where it is none."""
        file = self._settings.report
        if file is None:
            raise BackupError(Fault.NOT_CONFIGURED, "no report file is configured")
        copies = await asyncio.to_thread(copies_of, file, self._settings.paths, here=False)
        mount = self._target.mount
        mounted = mount is not None and await asyncio.to_thread(os.path.ismount, mount)
        free, total = await room(mount if mounted else None)
        warnings = self._still_plugged_in(copies[-1]) if mounted and copies else ()
        return Found(copies=copies, free=free, total=total, warnings=warnings)

    async def back_up(self, progress: Progress) -> Copy:
        """Raises BackupError not_configured, always."""
        raise _elsewhere()

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Nothing was checked, and says so."""
        return Verified(level="none")

    async def prune(self, progress: Progress) -> Pruned:
        """Nothing to prune from here."""
        return Pruned(removed=0)

    def _still_plugged_in(self, last: Copy) -> tuple[str, ...]:
        """A disk that stays plugged in is lost with the rest to a thief, a surge, or whoever encrypts it."""
        limit, plugged_h = self._settings.unplugged_within_h, (time.time() - last.at) / HOUR_S
        if limit is None or plugged_h <= limit:
            return ()
        return (f"its disk is still plugged in, {_hours(plugged_h)} after the backup",)


def _elsewhere() -> BackupError:
    return BackupError(Fault.NOT_CONFIGURED, "it is made elsewhere, and only checks in here")


def copies_of(file: Path, paths: tuple[str, ...], *, here: bool) -> tuple[Copy, ...]:
    """The runs that a report tells of, oldest first; none where nobody ever checked in. Blocks. Raises BackupError."""
    said = _said(file)
    if said is None:
        return ()
    if not said.ok:
        because = f": {said.message}" if said.message else ""
        raise BackupError(Fault.SAID_FAILED, f"it reported a failure{because}")
    return (_copy(said, paths, here),)


def _said(file: Path) -> CheckIn | None:
    try:
        return check_in.read(file)
    except FileNotFoundError as error:
        if not file.parent.is_dir():
            raise BackupError(Fault.NO_REPOSITORY, "the folder of its report is not there") from error
        return None
    except PermissionError as error:
        raise BackupError(Fault.DENIED, "its report may not be read") from error
    except OSError as error:
        raise BackupError(Fault.FAILED, "its report cannot be read") from error
    except ValueError as error:
        raise BackupError(Fault.NONSENSE, f"its report cannot be understood: {error}") from error


def _copy(said: CheckIn, paths: tuple[str, ...], here: bool) -> Copy:
    return Copy(
        id=str(int(said.at)),
        at=said.at,
        duration_s=said.duration_s,
        size=said.size,
        files=said.files,
        here=here,
        paths=paths,
    )


def _hours(hours: float) -> str:
    if hours >= 48:
        return f"{int(hours // 24)} days"
    return "an hour" if int(hours) <= 1 else f"{int(hours)} hours"

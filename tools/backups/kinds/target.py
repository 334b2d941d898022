"""One place where a job's backups go, and whether it is there: what the adapters have in common."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.backups.port import BackupError, Fault
from tools.program import ProgramError, read_secret
from tools.settings import BackupSettings, Medium

_FAULTS = {"missing": Fault.NOT_INSTALLED, "unstartable": Fault.FAILED, "timeout": Fault.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Target:
    """``name``: empty for the job's main destination. ``repository``: as the program takes it, empty where there is
    none (kind report)."""

    name: str
    repository: str
    password_file: Path | None = None
    mount: Path | None = None
    medium: Medium = "disk"
    offsite: bool = False
    offline: bool = False
    immutable: bool = False

    @property
    def shown(self) -> str:
        """For people and programs: without the password that a URL may carry."""
        return re.sub(r"(://[^/\s:@]*):[^/\s]+@", r"\1:…@", self.repository)

    @property
    def folder(self) -> Path | None:
        """Where it is on this machine; None where it is elsewhere."""
        local = self.repository and not re.match(r"^([a-z0-9+.-]+:|[^/]*@?[^/]+:)", self.repository, re.IGNORECASE)
        return Path(self.repository) if local else None


def targets(settings: BackupSettings) -> tuple[Target, ...]:
    """The main destination first, then those of ``also``."""
    main = Target(
        "",
        settings.repository or "",
        settings.password_file,
        settings.mount,
        settings.medium,
        settings.offsite,
        settings.offline,
        settings.immutable,
    )
    others = (
        Target(
            one.name,
            one.repository,
            one.password_file or settings.password_file,
            one.mount,
            one.medium,
            one.offsite,
            one.offline,
            one.immutable,
        )
        for one in settings.also
    )
    return (main, *others)


async def check_mounted(target: Target) -> None:
    """An unplugged disk leaves an empty folder, which must not look like a repository that is empty or missing.

    Raises BackupError not_mounted.
    """
    if target.mount is not None and not await asyncio.to_thread(os.path.ismount, target.mount):
        raise BackupError(Fault.NOT_MOUNTED, f"nothing is mounted at {target.mount}")


async def room(folder: Path | None) -> tuple[int | None, int | None]:
    """Free and total bytes of the file system of a folder here; None where it cannot be told."""
    if folder is None:
        return None, None
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
    except OSError:
        return None, None
    return usage.free, usage.total


async def credentials(settings: BackupSettings) -> dict[str, str]:
    """The environment variables that the configuration names, each with what stands in its file.

    Raises BackupError password_unreadable.
    """
    try:
        return {name: await asyncio.to_thread(read_secret, path) for name, path in settings.credentials.items()}
    except (OSError, ValueError) as error:
        raise BackupError(Fault.PASSWORD_UNREADABLE, "a file with its credentials cannot be read") from error


def not_run(error: ProgramError) -> BackupError:
    """A program that could not be run to its end, as a fault."""
    return BackupError(_FAULTS.get(error.why, Fault.NONSENSE), str(error))


def complete(folder: str | Path, path: str) -> Path:
    """A file of a copy below ``folder``. Raises BackupError nonsense for a path that would lead out of it."""
    relative = Path(path.lstrip("/"))
    if not relative.parts or ".." in relative.parts:
        raise BackupError(Fault.NONSENSE, "the backup lists a file outside of itself")
    return Path(folder) / relative

"""A real ground for one kind of backup: a source and a destination, made by the real program, and ways to spoil them.

Each kind has one in a module of its own (``ground_<kind>.py``), listed in ``GROUNDS``. The fault matrix, the restore
tests and the kill tests stand on them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from tools.settings import BackupSettings

Seed = Literal[
    "wrong_password",  # the password file has another one
    "no_repository",  # repository, folder or dump is gone, its parent is there
    "not_mounted",  # settings.mount is a folder where nothing is mounted
    "locked",  # another program holds the repository's lock
    "damaged",  # bytes of a pack, segment, dump or file are flipped
    "truncated",  # the newest dump, archive or file is cut off
    "source_missing",  # what is to be backed up is gone
    "sources_unread",  # a part of it cannot be read
    "prune_failed",  # pruning ends with an error
    "disk_full",  # the destination's or the scratch's file system is full
]
"""Faults that a kind has to be spoiled for. Those of age, size, clock, records and restore tests need no program: the
matrix makes them out of records."""


class Ground(Protocol):
    """Made below a folder of its own; ``prepare`` makes source, destination and one good backup (some seconds at most).

    ``seeds``: what can be spoiled, each function once per ground; a seed that a kind cannot have stands in ``cannot``
    with the reason ("a dump has no lock").
    """

    kind: ClassVar[str]
    cannot: ClassVar[Mapping[Seed, str]]

    def __init__(self, folder: Path) -> None: ...

    @property
    def settings(self) -> BackupSettings:
        """As ``jarvis.toml`` would have it; after a seed it may be another one."""
        ...

    @property
    def seeds(self) -> Mapping[Seed, Callable[[], Awaitable[None]]]: ...

    async def prepare(self) -> None: ...

    async def close(self) -> None:
        """End what was started (a database, an ssh server); unmount what was mounted."""
        ...


GROUNDS = (
    "restic", "borg", "borgmatic", "kopia", "rsync", "rclone", "sqlite", "postgres", "mariadb", "home_assistant",
    "gitea", "report", "command",
)  # fmt: skip
"""Each is ``tests.real.backups.ground_<name>`` with a class ``TheGround``."""

"""What every kind of backup is to the rest: looked at, run, verified, pruned, and restored from.

One adapter for each kind (``tools/backups/kinds/``), made for one job and one destination of it by ``kinds.make``. An
adapter knows the program and its faults; what is too old, too small, or proven is judged elsewhere
(``verdict.py``, ``tools/restore_tests``). Everything here is plain data; sizes are bytes, times Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

Progress = Callable[[float, str], None]
"""Share done (0–1, or −1 where nobody knows) and what is being done, in a few words. Called from the event loop."""

Level = Literal["none", "metadata", "data", "restored", "app"]
"""How far a backup was verified, least first: not at all; its structure; its data against its own hashes; files
restored and compared; the application itself (a database loaded and counted, a git repository checked)."""


NOT_NOW = 75
"""Exit code with which the command before a backup says that there is nothing to copy now, and nothing is wrong:
EX_TEMPFAIL of sysexits(3)."""


class Fault(StrEnum):
    """What is wrong, by kind of wrong; the words for people are in ``BackupError.reason``."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a fault, no password
    PASSWORD_UNREADABLE = "password_unreadable"  # noqa: S105
    NO_REPOSITORY = "no_repository"
    NOT_MOUNTED = "not_mounted"
    LOCKED = "locked"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    DISK_FULL = "disk_full"
    SOURCE_MISSING = "source_missing"
    SOURCES_UNREAD = "sources_unread"
    NOT_INSTALLED = "not_installed"
    TIMED_OUT = "timed_out"
    NOT_CONFIGURED = "not_configured"
    CANCELLED = "cancelled"
    NONSENSE = "nonsense"
    FAILED = "failed"
    SAID_FAILED = "said_failed"
    """What makes the backup elsewhere says itself that it failed."""

    @property
    def broken(self) -> bool:
        """Whether the backup itself is to blame (verdict failed); else nothing could be learned (unknown)."""
        return self in _BROKEN

    @property
    def refutes(self) -> bool:
        """Whether a restore test that ends so says that the backup cannot be restored. The others say only that the
        test could not be made: they are no proof, and no failure of the backup."""
        return self in _BROKEN


_BROKEN = frozenset({Fault.WRONG_PASSWORD, Fault.NO_REPOSITORY, Fault.DAMAGED, Fault.TRUNCATED, Fault.SAID_FAILED})


class BackupError(Exception):
    """A program said no, or could not be asked. ``reason``: a clause for people, without a stop and without a secret
    ("the password is wrong")."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One backup that is there: a snapshot, an archive, a dump. None where the kind does not tell.

    ``at``: when it began; ``size``: of all that it holds; ``added``: what it added to the destination; ``unread``:
    sources that could not be read; ``complete``: False for what broke off. ``here``: made on this machine, so that
    its sources are those of the same paths here.
    """

    id: str
    at: float
    duration_s: float | None = None
    size: int | None = None
    added: int | None = None
    files: int | None = None
    files_new: int | None = None
    files_changed: int | None = None
    unread: int = 0
    complete: bool = True
    here: bool = True
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look at the destination gave: its newest copies, oldest first; free and total bytes where it can be told;
    ``warnings``: what is not right and does not keep the copies from being used, in words."""

    copies: tuple[Copy, ...] = ()
    free: int | None = None
    total: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """``removed``: how many backups went, None where the program does not say."""

    removed: int | None = None
    freed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A check of the destination, by the program itself. ``share``: of the data that was read (0–1)."""

    level: Level
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a copy: its path as the copy has it (absolute for most kinds), and its size."""

    path: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proving a copy by the application came to. ``checked``: what was looked at ("12 tables"), of ``of``;
    ``mismatches``: each in words, empty where all is well."""

    level: Level = "app"
    checked: int = 0
    of: int = 0
    mismatches: tuple[str, ...] = ()
    said: str = ""
    evidence: dict[str, object] = field(default_factory=dict)


class Kind(Protocol):
    """One job's backups at one destination. Everything raises BackupError, and nothing else; nothing leaves a child
    process behind, cancelled or not."""

    kind: ClassVar[str]
    destination: str
    """For people and programs, without any secret."""

    async def look(self) -> Found:
        """What is there. Takes no lock, changes nothing, and is done within the job's ``timeout_s``."""
        ...

    async def back_up(self, progress: Progress) -> Copy:
        """Make a backup. A copy with ``unread`` > 0 was made, with sources missing from it."""
        ...

    async def verify(self, level: Literal["metadata", "data"], progress: Progress) -> Verified:
        """Have the program check the destination."""
        ...

    async def prune(self, progress: Progress) -> Pruned:
        """Remove what the job does not keep. Never the newest complete copy."""
        ...


@runtime_checkable
class RestoresFiles(Protocol):
    """A kind whose copies hold files that can be restored one by one."""

    async def entries(self, copy: Copy) -> Sequence[Entry]:
        """The regular files of a copy."""
        ...

    async def restore(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """These files below ``scratch``, each at ``scratch`` + its path without the leading slash."""
        ...

    def source(self, entry: Entry) -> Path | None:
        """The file here that it was made of; None where there is none to compare with."""
        ...


@runtime_checkable
class RestoresUnverified(Protocol):
    """A kind that restores files, and whose program looks at what it wrote a second time if it is asked to."""

    async def restore_unverified(self, copy: Copy, entries: Sequence[Entry], scratch: Path, progress: Progress) -> None:
        """As ``restore``, without the second look: for a caller that compares each of these files itself."""
        ...


@runtime_checkable
class RestoresAll(RestoresUnverified, Protocol):
    """A kind whose program restores all of a copy without being told what is in it."""

    async def restore_all(self, copy: Copy, scratch: Path, progress: Progress) -> None:
        """As ``restore_unverified`` of every entry."""
        ...


@runtime_checkable
class ProvesItself(Protocol):
    """A kind that is proven by the application it belongs to."""

    async def size(self, copy: Copy) -> int:
        """Bytes that proving it takes in the scratch folder, from above."""
        ...

    async def prove(self, copy: Copy, scratch: Path, progress: Progress) -> Proof:
        """Restore it below ``scratch`` and have the application check it."""
        ...

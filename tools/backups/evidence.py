"""What is known of one job, as plain data: what the verdict is made of. Times are Unix seconds, sizes bytes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tools.backups.port import Copy, Fault, Level


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """The last restore test at one place that could be made: when it began, its outcome and the first error.

    ``compared``: whether any restored file was held against its source, or the application vouched for it; if not, the
    repository's own hashes do. ``place``: empty for the main destination; ``sample_n``: files or other things that it
    restored; ``coverage_pct``: per cent of all that tests have covered.
    """

    at: float
    ok: bool
    first_error: str = ""
    compared: bool = True
    place: str = ""
    level: Level = "restored"
    sample_n: int = 0
    coverage_pct: float = 0.0
    mismatches: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A restore test that could not be made: no proof, and no failure of the backup."""

    at: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """The last run that was made from here. ``fault``: what kept it from making a copy, None where nothing did;
    ``unread``: sources that are missing from its copy."""

    at: float
    ended: float
    fault: Fault | None = None
    reason: str = ""
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The last check of a destination by the program itself, or one that found damage and that none has outdone.

    ``share``: of the data that was read (0–1); ``fault``: why it failed, if it did.
    """

    at: float
    level: Level
    share: float = 0.0
    ok: bool = True
    fault: Fault | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """The last pruning. ``removed``: how many backups went, None where the program does not say."""

    at: float
    ok: bool = True
    removed: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One destination of the job. ``name``: empty for the main one; ``offline``: it is unplugged when no backup runs.

    ``looked_at``: when it was last looked at, None where nobody ever did; ``fault``, ``reason``: why that failed, if it
    did. All the rest is of the last look that succeeded: ``found`` whether there is one; ``newest``: the newest copy,
    complete or not; ``whole``: the newest complete one; ``earlier``: complete ones before it, oldest first;
    ``unchanged_since``: since when no file was new or changed, None where that is not asked for or cannot be told.
    ``max_age_s``: a limit of its own, None for that of the job.
    """

    name: str = ""
    offline: bool = False
    max_age_s: float | None = None
    looked_at: float | None = None
    fault: Fault | None = None
    reason: str = ""
    found: bool = False
    newest: Copy | None = None
    whole: Copy | None = None
    earlier: tuple[Copy, ...] = ()
    unchanged_since: float | None = None
    free: int | None = None
    total: int | None = None
    warnings: tuple[str, ...] = ()
    run: RunSeen | None = None
    check: Check | None = None
    prune: Prune | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a job.

    ``tests``: the last restore test at each of its places; ``attempt``: the last one that could not be made;
    ``restorable``: False for what cannot be restored from here (a job that only checks in); ``overdue``: exercises of
    the restore calendar that are overdue, in words; ``distrust``: why no restore test that passed can be believed.
    """

    places: tuple[Place, ...] = ()
    tests: tuple[RestoreTest, ...] = ()
    attempt: Attempt | None = None
    restorable: bool = True
    overdue: tuple[str, ...] = ()
    distrust: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From which on something is wrong, as configured; the defaults are those of BackupSettings.

    Shares are of 1: ``tiny_share`` and ``huge_share`` of the usual size, ``min_free_share`` of the destination.
    """

    max_age_s: float = 26 * 3600.0
    restore_test_max_age_s: float = 35 * 86400.0
    tiny_share: float = 0.5
    huge_share: float = 5.0
    unchanged_after_s: float | None = None
    min_free_share: float = 0.05

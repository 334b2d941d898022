"""A backup against the job's own history at the same destination: suddenly tiny, suddenly huge, unchanged; and checks
against earlier ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from tools.backups.evidence import Check
from tools.backups.port import Copy, Level

COMPARED_WITH = 10
"""The last complete copies before the newest one, of which the median is the usual size: it follows growth, and one
odd copy among them does not move it."""

AT_LEAST = 3
"""Fewer are no history."""


def share_of_usual(newest: Copy, earlier: Sequence[Copy]) -> float | None:
    """Size of a copy as a share of the usual one; None where that cannot be told, or the usual size is nothing.

    ``earlier``: copies before it, oldest first. Bytes where the kind tells them, else the number of files.
    """
    whole = [copy for copy in earlier if copy.complete]
    for now, sizes in ((newest.size, [copy.size for copy in whole]), (newest.files, [copy.files for copy in whole])):
        before = [size for size in sizes if size is not None]
        if now is not None and len(before) >= AT_LEAST:
            usual = median(before[-COMPARED_WITH:])
            return now / usual if usual > 0 else None
    return None


LEVELS: tuple[Level, ...] = ("none", "metadata", "data", "restored", "app")
"""Least first."""


def outdone(damage: Check, later: Iterable[tuple[str, float]]) -> bool:
    """Whether later checks, by level and share of the data, outdo one that found damage: as deep as that one was, and
    for data all of it, in one check or in parts."""
    deep = [(level, share) for level, share in later if _depth(level) >= _depth(damage.level)]
    if _depth(damage.level) < _depth("data"):
        return bool(deep)
    return sum(share for _, share in deep) >= 1.0 - 1e-9


def _depth(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 0


def unchanged_since(copies: Iterable[Copy]) -> float | None:
    """Since when no file was new or changed, for certain, by copies that are given newest first and read as far as is
    needed; None where there is no complete one.

    It is the time of the last copy that brought something, or of which nobody can tell, or else of the oldest one.
    """
    later: Copy | None = None
    for copy in copies:
        if not copy.complete:
            continue
        if later is not None and _may_have_brought(later, copy):
            break
        later = copy
    return later.at if later is not None else None


def _may_have_brought(copy: Copy, before: Copy) -> bool:
    """Whether a copy brought something that the one before it did not have, as far as can be told."""
    if copy.files_new is not None or copy.files_changed is not None:
        return bool(copy.files_new or copy.files_changed)
    return copy.size is None or copy.size != before.size or copy.files != before.files

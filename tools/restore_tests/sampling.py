"""Which files of a copy a restore test takes: all of a small one, else a sample that rotates to full coverage.

Pure. Files that were never restored come first, then those whose last restore is longest ago; among equals chance
decides by a seed that is recorded, taking turns between size classes, so that no kind of file is left to the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.backups.port import Entry

WHOLE_BYTES = 2_000_000_000
WHOLE_FILES = 5_000
"""A copy within both is restored whole."""

MIN_FILES, MAX_FILES = 200, 2_000
MIN_BYTES = 1_000_000_000
"""Of a sample. Between these it is a twelfth of the copy: monthly tests then come round within a year. The upper bound
of its bytes is the caller's."""

SHARE = 12

FILE_OVERHEAD_BYTES = 4_096
"""What a file takes beyond its content: one block of most file systems."""

_CLASS_BOUNDS = (64 * 2**10, 2**20, 16 * 2**20, 256 * 2**20)
"""Upper bounds of the size classes but the last: notes, documents, pictures, films, images of disks."""


@dataclass(frozen=True, slots=True)
class Sample:
    """``size``: bytes of its files; ``whole``: it is all of the copy that can be restored.

    ``too_large``: files over the limit, which no restore test can take.
    """

    entries: tuple[Entry, ...]
    seed: int
    whole: bool
    size: int
    too_large: int = 0


def choose(
    entries: Sequence[Entry], restored_at: Mapping[str, float], *, seed: int, max_bytes: int, whole: bool = False
) -> Sample:
    """The files to restore. The same arguments give the same sample.

    ``restored_at``: Unix time of each path's last restore; ``max_bytes``: of disk that may be used at a time, which a
    sample keeps to; ``whole``: all there is, which may take several batches.
    """
    files = list({entry.path: entry for entry in entries}.values())
    fitting = [entry for entry in files if _used(entry) <= max_bytes]
    too_large = len(files) - len(fitting)
    used = sum(map(_used, files))
    small = len(files) <= WHOLE_FILES and _size(files) <= WHOLE_BYTES and used <= max_bytes
    if whole or small:
        return Sample(tuple(fitting), seed, whole=bool(fitting), size=_size(fitting), too_large=too_large)
    most_files = min(max(len(files) // SHARE + 1, MIN_FILES), MAX_FILES)
    most_bytes = min(max(used // SHARE, MIN_BYTES), max_bytes)
    chosen = _take(_in_turn(fitting, restored_at, seed), most_files, most_bytes)
    return Sample(tuple(chosen), seed, whole=False, size=_size(chosen), too_large=too_large)


def batches(entries: Iterable[Entry], max_bytes: int) -> list[list[Entry]]:
    """The files in parts that are restored one after another; none takes more of the disk than that, unless a single
    file does."""
    parts: list[list[Entry]] = []
    left = 0
    for entry in entries:
        if not parts or _used(entry) > left:
            parts.append([])
            left = max_bytes
        parts[-1].append(entry)
        left -= _used(entry)
    return parts


def coverage(entries: Iterable[Entry], restored_at: Mapping[str, float], *, since: float) -> float:
    """Share (0–1) of the copy's files that were restored at or after ``since`` (Unix time); 0 for none at all."""
    paths = {entry.path for entry in entries}
    return sum(restored_at.get(path, -1.0) >= since for path in paths) / len(paths) if paths else 0.0


def _take(candidates: Iterator[Entry], most_files: int, most_bytes: int) -> list[Entry]:
    """The first is taken however large it is: it is due, and it fits the disk. The rest as far as the sample goes."""
    chosen: list[Entry] = []
    used = 0
    for entry in candidates:
        if chosen and used + _used(entry) > most_bytes:
            continue
        chosen.append(entry)
        used += _used(entry)
        if len(chosen) == most_files:
            break
    return chosen


def _in_turn(files: Iterable[Entry], restored_at: Mapping[str, float], seed: int) -> Iterator[Entry]:
    """By the time of the last restore; among equals one of each size class in turn, the largest class first."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    by_time: dict[float, list[Entry]] = {}
    for entry in sorted(files, key=lambda entry: entry.path):
        by_time.setdefault(restored_at.get(entry.path, -1.0), []).append(entry)
    for at in sorted(by_time):
        classes: dict[int, list[Entry]] = {}
        for entry in by_time[at]:
            classes.setdefault(sum(entry.size > bound for bound in _CLASS_BOUNDS), []).append(entry)
        for members in classes.values():
            chance.shuffle(members)
        turns = [classes[number] for number in sorted(classes, reverse=True)]
        for number in range(max(map(len, turns))):
            yield from (members[number] for members in turns if number < len(members))


def _size(files: Iterable[Entry]) -> int:
    return sum(entry.size for entry in files)


def _used(entry: Entry) -> int:
    return entry.size + FILE_OVERHEAD_BYTES

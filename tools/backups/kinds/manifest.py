"""The list of a copy's files with their hashes, one JSON object a line, and the marker that says it is whole. Pure.

Snapshots of rsync share what has not changed: one file on the disk, in many folders. A byte that flips there flips in
every snapshot, and comparing one with the next finds nothing. The manifest was hashed when the file was copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.backups.port import BackupError, Copy, Fault

STAMP = "%Y-%m-%dT%H-%M-%S"
"""Names of dated copies, in UTC: they sort by time, in the night of the clock change as well."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a copy. ``path`` is absolute; ``mtime`` whole Unix seconds; ``sha256`` empty where it could not be
    hashed while it was what was copied."""

    path: str
    size: int
    mtime: int
    sha256: str

    def line(self) -> str:
        """As it stands in the manifest."""
        return json.dumps({"path": self.path, "size": self.size, "mtime": self.mtime, "sha256": self.sha256})


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What is written last, when all else is there. ``manifest``: the SHA-256 of the manifest, which may rot too."""

    id: str
    at: float
    duration_s: float
    host: str
    paths: tuple[str, ...]
    files: int
    size: int
    added: int | None
    files_new: int
    files_changed: int
    unread: int
    manifest: str

    def dump(self) -> bytes:
        """One line of JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return (json.dumps(fields | {"complete": True}) + "\n").encode()

    def copy(self, host: str) -> Copy:
        """For ``host``, the machine that asks."""
        return Copy(
            id=self.id,
            at=self.at,
            duration_s=self.duration_s,
            size=self.size,
            added=self.added,
            files=self.files,
            files_new=self.files_new,
            files_changed=self.files_changed,
            unread=self.unread,
            here=self.host == host,
            paths=self.paths,
        )


def stamp(at: float) -> str:
    """The name of a copy that began then."""
    return datetime.fromtimestamp(at, UTC).strftime(STAMP)


def free_stamp(at: float, taken: Collection[str]) -> str:
    """The first name from then on that is not taken."""
    while stamp(at) in taken:
        at += 1.0
    return stamp(at)


def later_stamp(at: float, last: str) -> str:
    """A name after ``last``, also where the clock was set back since."""
    before = stamped(last)
    return stamp(at if before is None else max(at, before + 1.0))


def stamped(name: str) -> float | None:
    """When the copy of this name began; None for another name."""
    try:
        return datetime.strptime(name, STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def read_marker(text: str | bytes) -> Marker | None:
    """None where it is none, or cut off."""
    try:
        found = json.loads(text)
        if found["complete"] is not True:
            return None
        added = found["added"]
        return Marker(
            id=str(found["id"]),
            at=float(found["at"]),
            duration_s=float(found["duration_s"]),
            host=str(found["host"]),
            paths=tuple(str(path) for path in found["paths"]),
            files=int(found["files"]),
            size=int(found["size"]),
            added=None if added is None else int(added),
            files_new=int(found["files_new"]),
            files_changed=int(found["files_changed"]),
            unread=int(found["unread"]),
            manifest=str(found["manifest"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def dump(files: Iterable[Listed]) -> bytes:
    """The manifest, by path."""
    return "".join(one.line() + "\n" for one in sorted(files, key=lambda one: one.path)).encode()


def dump_with_hash(files: Iterable[Listed]) -> tuple[bytes, str]:
    """The manifest, and its SHA-256 for the marker."""
    text = dump(files)
    return text, hashlib.sha256(text).hexdigest()


def read(manifest: bytes, expected: str) -> dict[str, Listed]:
    """By path. Raises BackupError damaged where it is not what ``expected``, its SHA-256, says."""
    if hashlib.sha256(manifest).hexdigest() != expected:
        raise BackupError(Fault.DAMAGED, "its list of files is damaged")
    try:
        lines = (json.loads(line) for line in manifest.splitlines())
        files = (Listed(str(one["path"]), int(one["size"]), int(one["mtime"]), str(one["sha256"])) for one in lines)
        return {one.path: one for one in files}
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(Fault.NONSENSE, "its list of files cannot be read") from error


def check_sizes(files: Mapping[str, Listed], sizes: Mapping[str, int]) -> None:
    """Raises BackupError damaged for a file that is gone or longer, truncated for one that is cut off."""
    gone = [path for path in files if path not in sizes]
    if gone:
        raise BackupError(Fault.DAMAGED, f"{_files(len(gone))} of it {'is' if len(gone) == 1 else 'are'} gone")
    short = [path for path, one in files.items() if sizes[path] < one.size]
    if short:
        raise BackupError(Fault.TRUNCATED, f"{_files(len(short))} of it {'is' if len(short) == 1 else 'are'} cut off")
    if any(sizes[path] != one.size for path, one in files.items()):
        raise BackupError(Fault.DAMAGED, "a file of it has been written to")


def check_hashes(files: Mapping[str, Listed], hashes: Mapping[str, str]) -> None:
    """Raises BackupError damaged where a file is not what was sent, or cannot be read."""
    wrong = [path for path, one in files.items() if one.sha256 and hashes.get(path) != one.sha256]
    if wrong:
        raise BackupError(Fault.DAMAGED, f"{_files(len(wrong))} of it {'is' if len(wrong) == 1 else 'are'} damaged")


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count:,} files"

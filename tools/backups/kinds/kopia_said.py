"""What kopia prints, read: snapshots, entries, progress, and why it gave up. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.backups.port import BackupError, Copy, Entry, Fault

_BY_WORDS = (
    (Fault.WRONG_PASSWORD, "the password is wrong", ("invalid repository password",)),
    (Fault.PASSWORD_UNREADABLE, "its password is not configured", ("password prompt error", "can't get password")),
    (Fault.NOT_CONFIGURED, "kopia is not connected to a repository", ("repository is not connected",)),
    (Fault.DISK_FULL, "the disk is full", ("no space left on device", "disk quota exceeded")),
    (Fault.LOCKED, "the repository is being upgraded", ("repository upgrade in progress",)),
    (Fault.UNREACHABLE, "its repository can't be reached", (
        "connection refused", "connection timed out", "no such host", "no route to host", "network is unreachable",
        "i/o timeout", "tls handshake timeout",
    )),
    (Fault.NO_REPOSITORY, "there is no repository at its place", (
        "cannot access storage path", "unable to read format blob", "repository not initialized",
        "bucket does not exist",
    )),
    (Fault.DAMAGED, "the repository is damaged", (
        "blob not found", "content not found", "invalid checksum", "unable to decrypt", "missing blob",
        "error verifying content", "object not found", "unexpected eof", "decompress",
    )),
    (Fault.DENIED, "permission is denied", ("permission denied", "access denied", "403 forbidden")),
)  # fmt: skip


def refusal(code: int, complaints: str) -> BackupError:
    """Why kopia ended with this code: it says so in text only."""
    text = complaints.casefold()
    for fault, reason, words in _BY_WORDS:
        if any(word in text for word in words):
            return BackupError(fault, reason)
    return BackupError(Fault.FAILED, f"kopia failed with exit code {code}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot of one source. ``root``: the object that its files are found by."""

    copy: Copy
    root: str
    host: str
    tags: frozenset[str]
    pinned: bool


def snapshots(output: bytes, this_host: str) -> list[Snapshot]:
    """What ``snapshot list --json`` lists, oldest first. Raises BackupError nonsense."""
    try:
        found = [snapshot(entry, this_host) for entry in json.loads(output or b"null") or []]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise nonsense() from error
    return sorted(found, key=lambda one: one.copy.at)


def nonsense() -> BackupError:
    return BackupError(Fault.NONSENSE, "kopia answered with something that is no list of snapshots")


def snapshot(entry: Mapping[str, Any], this_host: str) -> Snapshot:
    """One snapshot, of a list or just made. Raises BackupError nonsense."""
    try:
        source, root = entry["source"], entry.get("rootEntry") or {}
        summary, stats = root.get("summ") or {}, entry.get("stats") or {}
        began, ended = _seconds(entry["startTime"]), _seconds(entry["endTime"])
        host = str(source.get("host") or "")
        tags = (entry.get("tags") or {}).items()
        copy = Copy(
            id=str(entry["id"]),
            at=began,
            duration_s=max(ended - began, 0.0),
            size=_whole(summary.get("size", stats.get("totalSize", root.get("size")))),
            files=_whole(summary.get("files", stats.get("fileCount"))),
            files_new=_whole(stats.get("nonCachedFiles")),
            unread=int(summary.get("numFailed") or 0) + int(summary.get("numIgnoredErrors") or 0),
            complete=not entry.get("incomplete"),
            here=host == this_host,
            paths=(str(source["path"]),),
        )
        tagged = frozenset(f"{name.removeprefix('tag:')}:{value}" for name, value in tags)
        return Snapshot(copy, str(root.get("obj") or ""), host, tagged, bool(entry.get("pins")))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise nonsense() from error


def _whole(number: object) -> int | None:
    return int(number) if isinstance(number, int | float) else None


def _seconds(stamp: str) -> float:
    head, dot, rest = str(stamp).partition(".")
    if dot:  # Go's nanoseconds, cut to what Python reads
        digits = len(rest) - len(rest.lstrip("0123456789"))
        stamp = f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
    return datetime.fromisoformat(stamp).timestamp()


def chosen(found: Sequence[Snapshot], paths: Sequence[str], tags: Sequence[str], host: str | None) -> list[Snapshot]:
    """Those of the job."""
    wanted = {path.rstrip("/") or "/" for path in paths}
    return [
        one
        for one in found
        if (not wanted or one.copy.paths[0] in wanted) and set(tags) <= one.tags and (host is None or host == one.host)
    ]


_LINE = re.compile(r"^(?P<mode>\S{10,}) +(?P<size>\d+) \S+ \S+ \S+ +\S+ +(?P<name>.+)$")


def entry(line: bytes, source: str) -> Entry | None:
    """A regular file of ``list --long --recursive``, whose names are below the source; None for anything else."""
    found = _LINE.match(line.decode(errors="replace"))
    if found is None or not found["mode"].startswith("-") or "\ufffd" in found["name"]:
        return None
    return Entry(f"{source.rstrip('/')}/{found['name']}", int(found["size"]))


def share_done(line: bytes) -> float | None:
    """Of its line of progress: ``| 1 hashing, 20 hashed (3 MB), … (42.0%) 3s left``."""
    found = re.search(rb"\(([\d.]+)%\)", line)
    return min(float(found[1]) / 100, 1.0) if found else None


def is_progress(line: bytes) -> bool:
    return b" hashing, " in line or line.startswith((b"Processed ", b" - "))

"""What restic prints, read: snapshots, progress, and why it gave up. Pure.

restic >= 0.17 tells by exit code (3 some sources unread, 10 no repository, 11 locked, 12 wrong password) and gives JSON
for most commands; older ones say it in text only. Both are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tools.backups.port import BackupError, Copy, Entry, Fault

_UNREACHABLE = (
    "connection refused", "connection timed out", "connection reset", "no such host", "no route to host",
    "network is unreachable", "i/o timeout", "tls handshake timeout", "unable to start the sftp session",
    "could not resolve hostname", "host key verification failed", "name resolution",
)  # fmt: skip
_DENIED = ("permission denied", "access denied", "accessdenied", "401 unauthorized", "403 forbidden")
_DAMAGED = (
    "ciphertext verification failed", "invalid data returned", "not found in repository", "not found in index",
    "streampack", "load(<", "unable to load index", "wrong hash", "hash mismatch", "contains errors", "unexpected eof",
    "repository is damaged", "unexpected content",
)  # fmt: skip


def no_sftp(complaints: str) -> bool:
    """Whether restic could not start ssh's sftp, and does not say why."""
    text = complaints.casefold()
    return "unable to start the sftp session" in text and "permission denied (" not in text


def refusal(code: int, complaints: str) -> BackupError:
    """Why restic ended with this code."""
    text = complaints.casefold()
    if code == 12 or "wrong password" in text:
        return BackupError(Fault.WRONG_PASSWORD, "the password is wrong")
    if "password" in text and ("empty" in text or "no such file" in text or "resolv" in text):
        return BackupError(Fault.PASSWORD_UNREADABLE, "its password file cannot be read")
    if code == 11 or "already locked" in text:
        return BackupError(Fault.LOCKED, "the repository is locked by another program")
    if "no space left on device" in text or "disk quota exceeded" in text:
        return BackupError(Fault.DISK_FULL, "the disk is full")
    if "permission denied (" in text:  # ssh, with the ways in that were tried; restic then says that it cannot start
        return BackupError(Fault.DENIED, "permission is denied")
    if any(words in text for words in _UNREACHABLE):
        return BackupError(Fault.UNREACHABLE, "its repository can't be reached")
    if "all target directories/files do not exist" in text or "all source directories/files do not exist" in text:
        return BackupError(Fault.SOURCE_MISSING, "nothing of what it backs up is there")
    if any(words in text for words in _DENIED):
        return BackupError(Fault.DENIED, "permission is denied")
    if code == 10 or "is there a repository" in text or "unable to open config file" in text:
        return BackupError(Fault.NO_REPOSITORY, "there is no repository at its place")
    if any(words in text for words in _DAMAGED):
        return BackupError(Fault.DAMAGED, "the repository is damaged")
    return BackupError(Fault.FAILED, f"restic failed with exit code {code}")


def lost(complaint: bytes) -> bool:
    """Whether this line says that a file of a repository on this machine cannot be read again, however often restic
    tries: it would try for most of a minute."""
    return b"retrying after" in complaint and (b"unexpected EOF" in complaint or b"no such file" in complaint)


def snapshots(output: bytes, this_host: str) -> tuple[Copy, ...]:
    """What ``snapshots --json`` lists, oldest first. Raises BackupError nonsense."""
    try:
        found = [_snapshot(entry, this_host) for entry in json.loads(output or b"null") or []]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BackupError(Fault.NONSENSE, "restic answered with something that is no list of snapshots") from error
    return tuple(sorted(found, key=lambda copy: copy.at))


def _snapshot(entry: Mapping[str, Any], this_host: str) -> Copy:
    summary = dict(entry.get("summary") or {})  # since 0.17
    began, ended = summary.get("backup_start"), summary.get("backup_end")
    return Copy(
        id=str(entry["id"]),
        at=seconds(str(entry["time"])),
        duration_s=seconds(str(ended)) - seconds(str(began)) if began and ended else None,
        here=str(entry.get("hostname") or "") == this_host,
        paths=tuple(str(path) for path in entry.get("paths") or ()),
        **counts(summary),
    )


def counts(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes and numbers of a summary, by their names in Copy. Raises TypeError, ValueError."""

    def whole(*names: str) -> int | None:
        return next((int(summary[name]) for name in names if summary.get(name) is not None), None)

    return {
        "size": whole("total_bytes_processed"),
        "added": whole("data_added_packed", "data_added"),
        "files": whole("total_files_processed"),
        "files_new": whole("files_new"),
        "files_changed": whole("files_changed"),
    }


def seconds(stamp: str) -> float:
    """Unix time of Go's RFC 3339, nanoseconds cut to what Python reads. Raises ValueError."""
    head, dot, rest = stamp.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        stamp = f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
    return datetime.fromisoformat(stamp).timestamp()


def message(line: bytes) -> Mapping[str, Any]:
    """One line of ``--json`` output; empty for what is none."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def share_done(line: bytes) -> float | None:
    """Of a line of progress; None for any other."""
    status = message(line)
    share = status.get("percent_done", 0.0)
    if status.get("message_type") != "status" or not isinstance(share, int | float):
        return None
    return min(max(float(share), 0.0), 1.0)


def entry(line: bytes) -> Entry | None:
    """A regular file of ``ls --json``; None for anything else, and for a name that is no UTF-8: restic lists that as
    something that it is not called."""
    node = message(line)
    path, size = node.get("path"), node.get("size", 0)
    if node.get("type") != "file" or not isinstance(path, str) or not isinstance(size, int) or "\ufffd" in path:
        return None
    return Entry(path, size)


def removed(output: bytes, paths: Sequence[str]) -> list[str]:
    """Snapshots that ``forget --dry-run --json`` would remove, of groups of just these paths (none given: of any).

    ``--path`` chooses those that have these paths and maybe more, which are another job's. Raises BackupError nonsense.
    """
    wanted = {path.rstrip("/") or "/" for path in paths}
    try:
        return [
            str(snapshot["id"])
            for group in json.loads(output.splitlines()[0] if output.strip() else b"[]") or []
            if not wanted or set(group["paths"] or ()) == wanted
            for snapshot in group.get("remove") or ()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BackupError(Fault.NONSENSE, "restic answered with something that is no list of snapshots") from error


_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def freed(output: bytes) -> int | None:
    """Bytes that pruning freed, as far as its last words tell."""
    found = re.search(rb"total prune:\s+\d+ blobs / ([\d.]+) ([KMGT]?i?B)", output)
    return int(float(found[1]) * _UNITS[found[2].decode()]) if found and found[2].decode() in _UNITS else None


def share_read(output: bytes) -> float:
    """Of the data that a check read."""
    found = re.search(rb"read group #\d+ of (\d+) data packs \(out of total (\d+) packs", output)
    if found is None:
        return 1.0
    return int(found[1]) / int(found[2]) if int(found[2]) else 1.0


def pattern(path: str) -> str:
    """The path as an ``--include`` that matches it alone."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)

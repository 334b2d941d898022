"""What borg prints, read: archives, entries, progress, and why it gave up. Pure.

borg 1.2 and 1.4; with ``--log-json`` each complaint is a line of JSON, whose ``msgid`` names the error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools.backups.port import BackupError, Copy, Entry, Fault

_BY_MSGID = {
    "PassphraseWrong": Fault.WRONG_PASSWORD,
    "PasscommandFailure": Fault.PASSWORD_UNREADABLE,
    "NoPassphraseFailure": Fault.PASSWORD_UNREADABLE,
    "Repository.DoesNotExist": Fault.NO_REPOSITORY,
    "Repository.InvalidRepository": Fault.NO_REPOSITORY,
    "Repository.InvalidRepositoryConfig": Fault.DAMAGED,
    "Repository.CheckNeeded": Fault.DAMAGED,
    "Repository.ObjectNotFound": Fault.DAMAGED,
    "Repository.InsufficientFreeSpaceError": Fault.DISK_FULL,
    "IntegrityError": Fault.DAMAGED,
    "DecompressionError": Fault.DAMAGED,
    "NoManifestError": Fault.DAMAGED,
    "LockTimeout": Fault.LOCKED,
    "LockError": Fault.LOCKED,
    "LockFailed": Fault.DENIED,
    "ConnectionClosed": Fault.UNREACHABLE,
    "ConnectionClosedWithHint": Fault.UNREACHABLE,
}
_BY_WORDS = (
    (Fault.DISK_FULL, ("no space left on device", "[errno 28]", "disk quota exceeded")),
    (Fault.WRONG_PASSWORD, ("passphrase supplied in", "passphrase incorrect")),
    (Fault.PASSWORD_UNREADABLE, ("can not acquire a passphrase", "passcommand supplied in")),
    (Fault.UNREACHABLE, (
        "connection refused", "connection timed out", "could not resolve hostname", "no route to host",
        "host key verification failed", "connection closed by remote host", "network is unreachable",
    )),
    (Fault.LOCKED, ("failed to create/acquire the lock",)),
    (Fault.NO_REPOSITORY, ("does not exist.", "is not a valid repository")),
    (Fault.DAMAGED, (
        "integrityerror", "integrity error", "data integrity", "segment entry checksum mismatch", "problems found",
        "chunk id verification failed", "invalid segment", "inconsistent", "objectnotfound", "chunks missing",
        "missing file chunk", "crc mismatch", "too short",
    )),
    (Fault.DENIED, ("permission denied", "[errno 13]")),
)  # fmt: skip
_REASONS = {
    Fault.WRONG_PASSWORD: "the password is wrong",
    Fault.PASSWORD_UNREADABLE: "its password file cannot be read",
    Fault.NO_REPOSITORY: "there is no repository at its place",
    Fault.DAMAGED: "the repository is damaged",
    Fault.LOCKED: "the repository is locked by another program",
    Fault.DENIED: "permission is denied",
    Fault.UNREACHABLE: "its repository can't be reached",
    Fault.DISK_FULL: "the disk is full",
}


def fault(complaints: str) -> Fault | None:
    """What the complaints say is wrong; None where they say nothing known."""
    text = []
    for line in complaints.splitlines():
        message = said(line)
        msgid = str(message.get("msgid") or "")
        known = _BY_MSGID.get(msgid) or _BY_MSGID.get(msgid.partition(".")[0])
        if known is not None and message.get("levelname") in ("ERROR", "CRITICAL"):
            return _denied(known, complaints)
        text.append(str(message.get("message") or "") if message else line)
    said_all = "\n".join(text).casefold()
    return next((found for found, words in _BY_WORDS if any(word in said_all for word in words)), None)


def _denied(found: Fault, complaints: str) -> Fault:
    """ssh that is not let in closes the connection, and so does one whose host is away."""
    return Fault.DENIED if found is Fault.UNREACHABLE and "permission denied" in complaints.casefold() else found


def refusal(code: int, complaints: str, program: str = "borg") -> BackupError:
    """Why it ended with this code."""
    found = fault(complaints)
    if found is None and "AccessAborted" in complaints:  # Cache.RepositoryAccessAborted: borg would ask, and may not
        return BackupError(Fault.FAILED, "the repository was moved: run borg once by hand to confirm its place")
    if found is None:
        return BackupError(Fault.FAILED, f"{program} failed with exit code {code}")
    return BackupError(found, _REASONS[found])


def said(line: str | bytes) -> Mapping[str, Any]:
    """One line of ``--log-json`` or of ``--json-lines``; empty for what is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class Made:
    """What a run of ``create`` tells line by line on standard error."""

    new: int = 0
    changed: int = 0
    unread: int = 0
    read_bytes: int = 0

    def take(self, line: bytes) -> bool:
        """Whether the line was progress or a file's status."""
        message = said(line)
        kind = message.get("type")
        if kind == "archive_progress":
            size = message.get("original_size")
            self.read_bytes = max(self.read_bytes, size if isinstance(size, int) else 0)
        elif kind == "file_status":
            status = message.get("status")
            self.new += status == "A"
            self.changed += status == "M"
            self.unread += status == "E"
        return kind in ("archive_progress", "file_status", "progress_message", "progress_percent")


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive of the list. ``paths``: as its command line had them; None where that does not tell."""

    copy: Copy
    name: str
    host: str
    paths: frozenset[str] | None

    def belongs(self, paths: Sequence[str], tags: Sequence[str], host: str | None) -> bool:
        """Whether it is of these paths, tags (parts of its name) and host."""
        parts = re.split(r"[-_.]", self.name)
        return (
            (host is None or host == self.host)
            and all(tag in parts or f"-{tag}-" in f"-{self.name}-" for tag in tags)
            and (self.paths is None or all(plain(path) in self.paths for path in paths))
        )


LIST_FORMAT = "{name}{hostname}{command_line}{start}{end}{id}"


def archives(output: bytes, this_host: str) -> list[Archive]:
    """What ``list --json`` lists, oldest first. borg has to run in UTC: its times have no zone. Raises BackupError."""
    return listed(said(output), this_host)


def listed(repository: Mapping[str, Any], this_host: str) -> list[Archive]:
    """The same, of JSON that was read."""
    try:
        found = [_archive(entry, this_host) for entry in repository["archives"]]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BackupError(Fault.NONSENSE, "borg answered with something that is no list of archives") from error
    return sorted(found, key=lambda archive: archive.copy.at)


def _archive(entry: Mapping[str, Any], this_host: str) -> Archive:
    name = str(entry["name"])
    began = seconds(str(entry["start"]))
    ended = seconds(str(entry["end"])) if entry.get("end") else began
    paths = _paths(entry.get("command_line"))
    host = str(entry.get("hostname") or "")
    copy = Copy(
        id=str(entry["id"]),
        at=began,
        duration_s=max(ended - began, 0.0),
        complete=".checkpoint" not in name,
        here=host == this_host,
        paths=tuple(sorted(paths or ())),
    )
    return Archive(copy, name, host, paths)


def _paths(command_line: object) -> frozenset[str] | None:
    """All that may be a path of it: what comes after the archive's name. A file of patterns may hold others."""
    words = _words(command_line)
    if not words or any(
        word.startswith(("--patterns-from", "--pattern=", "--paths-from", "--content")) for word in words
    ):
        return None
    at = next((index for index, word in enumerate(words) if "::" in word and index), None)
    return frozenset(plain(word) for word in words[at + 1 :] if not word.startswith("-")) if at else None


def _words(command_line: object) -> list[str]:
    if isinstance(command_line, str):
        return command_line.split()
    return [str(word) for word in command_line] if isinstance(command_line, list) else []


def plain(path: str) -> str:
    """A path as archives of any working folder have it in common: absolute, without a slash at the end."""
    return "/" + path.strip("/")


def counts(archive: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes and numbers of ``create --json`` or ``info --json``, by their names in Copy. Raises KeyError, TypeError."""
    stats = archive["stats"]
    return {
        "size": int(stats["original_size"]),
        "added": int(stats["deduplicated_size"]),
        "files": int(stats["nfiles"]),
    }


def seconds(stamp: str) -> float:
    """Unix time; one without a zone is UTC's. Raises ValueError."""
    found = datetime.fromisoformat(stamp)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def entry(line: bytes) -> Entry | None:
    """A regular file of ``list --json-lines``; None for anything else, and for the other names of one file."""
    item = said(line)
    path, size = item.get("path"), item.get("size", 0)
    if item.get("type") != "-" or item.get("source") or item.get("linktarget"):
        return None
    return Entry(plain(path), size) if isinstance(path, str) and isinstance(size, int) else None


def share_done(line: bytes) -> float | None:
    """Of a line of progress that has a share; None for any other."""
    message = said(line)
    done, of = message.get("current"), message.get("total")
    if message.get("type") != "progress_percent" or not isinstance(done, int) or not isinstance(of, int) or of <= 0:
        return None
    return min(max(done / of, 0.0), 1.0)


_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def freed(complaints: str) -> int | None:
    """Bytes that ``compact --verbose`` freed."""
    found = re.search(r"freed about ([\d.]+) ([kMGT]?B)", complaints)
    return int(float(found[1]) * _UNITS[found[2]]) if found else None

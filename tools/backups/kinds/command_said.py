"""What a backup command prints, one JSON object a line, and its exit codes (docs/backup-commands.md). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, cast, get_args

from tools.backups.port import BackupError, Copy, Entry, Fault, Level, Pruned, Verified

PARTS_MISSING, UNKNOWN_WORD = 3, 64

CODES: dict[int, tuple[Fault, str]] = {
    1: (Fault.FAILED, "its command failed"),
    10: (Fault.NO_REPOSITORY, "there is no backup at its place"),
    12: (Fault.WRONG_PASSWORD, "the password is wrong"),
    20: (Fault.DAMAGED, "the backup is damaged"),
    21: (Fault.TRUNCATED, "the backup is cut off"),
    28: (Fault.DISK_FULL, "the disk is full"),
    UNKNOWN_WORD: (Fault.NOT_CONFIGURED, "its command cannot do that"),
    66: (Fault.SOURCE_MISSING, "what it backs up is not there"),
    69: (Fault.UNREACHABLE, "its server can't be reached"),
    75: (Fault.LOCKED, "the repository is locked by another program"),
    77: (Fault.DENIED, "permission is denied"),
    78: (Fault.NOT_CONFIGURED, "its command is not set up"),
    126: (Fault.NOT_INSTALLED, "its command cannot be started"),
    127: (Fault.NOT_INSTALLED, "a program that its command needs is not installed"),
}
"""What an exit code means: those of sysexits.h where there is one, else restic's, and ENOSPC's number."""

LONGEST_REASON = 200


class Said:
    """What was printed so far. Lines that are no JSON object are for people, and are left out."""

    def __init__(self) -> None:
        self.copies: list[Copy] = []
        self.entries: list[Entry] = []
        self.warnings: list[str] = []
        self.free: int | None = None
        self.total: int | None = None
        self.verified: Verified | None = None
        self.pruned: Pruned | None = None
        self.progress: tuple[float, str] | None = None
        self.unread = 0
        self._error: tuple[Fault, str] | None = None
        self._nonsense = ""

    def note(self, line: bytes) -> None:
        """One line. What cannot be understood is told by ``check``."""
        if not line.lstrip().startswith(b"{"):
            return
        try:
            told = json.loads(line)
            for name, value in told.items():
                if (understand := _LINES.get(name)) is not None:
                    understand(self, value)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            self._nonsense = self._nonsense or line[:80].decode(errors="replace")

    def check(self, code: int, word: str, *, hidden: Mapping[str, str], parts_missing: bool) -> None:
        """Raises BackupError for anything but success. Its own words are told, without what is secret."""
        if code == 0 or (code == PARTS_MISSING and parts_missing):
            if code:
                self._miss_parts()
            if self._error is not None and code == 0:
                raise self._told(self._error, hidden)
            if self._nonsense:
                raise BackupError(Fault.NONSENSE, f"its command said something about {word} that is no answer")
            return
        known = CODES.get(code, (Fault.FAILED, f"its command failed with exit code {code}"))
        raise self._told(self._error or known, hidden)

    def _told(self, error: tuple[Fault, str], hidden: Mapping[str, str]) -> BackupError:
        fault, reason = error
        for secret in filter(None, hidden.values()):
            reason = reason.replace(secret, "…")
        return BackupError(fault, reason)

    def _miss_parts(self) -> None:
        """A run that misses parts says how many, or at least one."""
        self.unread = max(self.unread, 1)
        if self.copies and not self.copies[-1].unread:
            self.copies[-1] = replace(self.copies[-1], unread=self.unread)

    def _copy(self, value: dict[str, Any]) -> None:
        self.copies.append(_copy(value))

    def _entry(self, value: dict[str, Any]) -> None:
        self.entries.append(Entry(_text(value["path"]), _count(value["size"])))

    def _room(self, value: dict[str, Any]) -> None:
        self.free, self.total = _count(value["free"]), _count(value["total"])

    def _warning(self, value: object) -> None:
        self.warnings.append(_words(value))

    def _verified(self, value: dict[str, Any]) -> None:
        level = _text(value["level"])
        if level not in get_args(Level):
            raise ValueError(level)
        self.verified = Verified(level=cast(Level, level), share=min(_number(value.get("share", 0.0)), 1.0))

    def _pruned(self, value: dict[str, Any]) -> None:
        removed, freed = value.get("removed"), value.get("freed")
        self.pruned = Pruned(
            removed=None if removed is None else _count(removed), freed=None if freed is None else _count(freed)
        )

    def _progress(self, value: dict[str, Any]) -> None:
        share = value.get("share")
        known = min(_number(share), 1.0) if share is not None else -1.0
        self.progress = (known, _words(value.get("doing") or "working"))

    def _failed(self, value: dict[str, Any]) -> None:
        self._error = (Fault(_text(value.get("fault", "failed"))), _words(value["reason"]).rstrip("."))


_LINES = {
    "copy": Said._copy,
    "entry": Said._entry,
    "room": Said._room,
    "warning": Said._warning,
    "verified": Said._verified,
    "pruned": Said._pruned,
    "progress": Said._progress,
    "error": Said._failed,
}
"""What may be said, by the key of the line's object; other keys are left out."""

_OPTIONAL = ("size", "added", "files", "files_new", "files_changed")


def _copy(value: dict[str, Any]) -> Copy:
    duration, complete = value.get("duration_s"), value.get("complete", True)
    if not isinstance(complete, bool):
        raise TypeError("complete")
    return Copy(
        id=_text(value["id"]),
        at=_number(value["at"]),
        duration_s=None if duration is None else _number(duration),
        unread=_count(value.get("unread", 0)),
        complete=complete,
        here=value.get("here", True) is True,
        paths=tuple(_text(path) for path in value.get("paths", ())),
        **{name: _count(value[name]) for name in _OPTIONAL if value.get(name) is not None},
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise TypeError("no text")
    return value


def _words(value: object) -> str:
    return " ".join(_text(value).split())[:LONGEST_REASON]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise TypeError("no number")
    return float(value)


def _count(value: object) -> int:
    return int(_number(value))

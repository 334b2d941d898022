"""What rsync prints: one line for each file of a run (``-ii --out-format``), and what it complains of. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tools.backups.kinds.manifest import Listed

FORMAT = "%i|%l|%M|%n"
"""What happened to it, its size, its modification time in whole seconds (of the time zone UTC, which the caller sets),
and its name. Unprintable bytes of the name are octal, ``\\#012``."""

_LINE = re.compile(rb"(.)f(.{9})\|(\d+)\|(\d+)/(\d\d)/(\d\d)-(\d\d):(\d\d):(\d\d)\|(.+)", re.DOTALL)
_OCTAL = re.compile(rb"\\#([0-3][0-7]{2})")
_SENDER = re.compile(r"rsync: \[sender\] (?!change_dir)\S.* failed", re.IGNORECASE)
_RECEIVER = re.compile(r"rsync: \[(?:receiver|generator)\] .*", re.IGNORECASE)
_ATTRIBUTES = re.compile(r"\] (chown|chgrp|chmod|failed to set|set_acl|rsync_xal_set|lchmod)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """A regular file of a run. ``sent``: its content was transferred, not linked or left; ``new``: no copy had it."""

    path: str
    size: int
    mtime: int
    sent: bool
    new: bool

    def as_in(self, known: Mapping[str, Listed]) -> Listed | None:
        """Its entry of the last list, where rsync found it unchanged since."""
        one = known.get(self.path)
        same = one is not None and not self.sent and (one.size, one.mtime) == (self.size, self.mtime)
        return one if same and one is not None and one.sha256 else None


def item(line: bytes) -> Item | None:
    """None for a line that is of no regular file."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name = _OCTAL.sub(lambda one: bytes([int(one[1], 8)]), found[10])
    moment = tuple(int(found[part]) for part in range(4, 10))
    path = "/" + name.decode("utf-8", "surrogateescape").lstrip("/")  # rsync < 3.2 leaves the slash out
    sent = found[1] in b"<>"
    return Item(path, int(found[3]), calendar.timegm((*moment, 0, 0, 0)), sent, found[2] == b"+++++++++")


def unread(code: int, complaints: str) -> int | None:
    """How many sources could not be read, in a run that went well but for them; None where it did not.

    23: some files or attributes were not transferred; 24: some sources vanished meanwhile, as files do. Owners and
    rights that the destination cannot hold are no loss of data.
    """
    if code in (0, 24):
        return 0
    if code != 23:
        return None
    lost = [line for line in _RECEIVER.findall(complaints) if not _ATTRIBUTES.search(line)]
    missed = len(_SENDER.findall(complaints))
    attributes_only = not missed and not lost and bool(_ATTRIBUTES.search(complaints))
    return missed if not lost and (missed or attributes_only) else None


def room(line: str) -> tuple[int | None, int | None]:
    """Free and total bytes, of the last line of ``df -Pk``."""
    found = re.search(r"\s(\d+)\s+\d+\s+(\d+)\s+\d+%", line)
    return (int(found[2]) * 1024, int(found[1]) * 1024) if found else (None, None)

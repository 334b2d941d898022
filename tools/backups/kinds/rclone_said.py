"""What rclone says, as faults and as plain data: its exit codes, its JSON log, its listings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tools.backups.port import BackupError, Fault

NOT_FOUND = (3, 4)
"""Exit codes: a directory, a file was not found (rclone.org/docs/#exit-code)."""

_REFUSALS = (
    ("couldn't decrypt configuration", Fault.WRONG_PASSWORD, "the password of its configuration is wrong"),
    ("unable to decrypt configuration", Fault.WRONG_PASSWORD, "the password of its configuration is wrong"),
    ("bad password", Fault.WRONG_PASSWORD, "the password is wrong"),
    ("undecryptable", Fault.WRONG_PASSWORD, "the password is wrong"),
    ("401 unauthorized", Fault.WRONG_PASSWORD, "its server does not accept the password"),
    ("unable to authenticate", Fault.WRONG_PASSWORD, "its server does not accept the password"),
    ("login incorrect", Fault.WRONG_PASSWORD, "its server does not accept the password"),
    ("invalidaccesskeyid", Fault.WRONG_PASSWORD, "its server does not know the key"),
    ("signaturedoesnotmatch", Fault.WRONG_PASSWORD, "its server does not accept the key"),
    ("no space left on device", Fault.DISK_FULL, "the disk is full"),
    ("remaining disk space", Fault.DISK_FULL, "the disk is full"),
    ("insufficient storage", Fault.DISK_FULL, "the disk is full"),
    ("quota", Fault.DISK_FULL, "its room is used up"),
    ("didn't find section in config file", Fault.NOT_CONFIGURED, "rclone knows no remote of that name"),
    ("failed to load config", Fault.NOT_CONFIGURED, "its rclone configuration cannot be read"),
    ("connection refused", Fault.UNREACHABLE, "its server can't be reached"),
    ("no such host", Fault.UNREACHABLE, "its server can't be reached"),
    ("network is unreachable", Fault.UNREACHABLE, "its server can't be reached"),
    ("no route to host", Fault.UNREACHABLE, "its server can't be reached"),
    ("i/o timeout", Fault.UNREACHABLE, "its server does not answer"),
    ("deadline exceeded", Fault.UNREACHABLE, "its server does not answer"),
    ("connection reset", Fault.UNREACHABLE, "its server closed the connection"),
    ("handshake", Fault.UNREACHABLE, "its server can't be spoken with"),
    ("input/output error", Fault.DAMAGED, "its disk has errors"),
    ("403 forbidden", Fault.DENIED, "permission is denied"),
    ("accessdenied", Fault.DENIED, "permission is denied"),
    ("permission denied", Fault.DENIED, "permission is denied"),
    ("read-only file system", Fault.DENIED, "the destination is read-only"),
)
"""Words of rclone 1.60 and later, its libraries and libc; the first that fits."""

_SOURCE = ("failed to open source object", "error reading source directory", "error reading source root directory")


def refusal(code: int, complaints: str) -> BackupError:
    """Why it failed."""
    text = complaints.casefold()
    for words, fault, reason in _REFUSALS:
        if words in text:
            return BackupError(fault, reason)
    if code in NOT_FOUND or "directory not found" in text:
        return BackupError(Fault.NO_REPOSITORY, "there is no backup at its place")
    return BackupError(Fault.FAILED, f"rclone failed with exit code {code}")


def unread(complaints: str) -> int | None:
    """How many sources could not be read, in a run that failed for nothing else (``--use-json-log``); None where it
    did for something else. rclone tries again and sums up, so a source counts once and a summary not at all."""
    sources: set[str] = set()
    for line in complaints.splitlines():
        entry = _entry(line)
        message = str(entry.get("msg", "")).casefold()
        if entry.get("level") not in ("error", "critical", "fatal") or _sums_up(message):
            continue
        if not any(words in message for words in _SOURCE):
            return None
        sources.add(str(entry.get("object") or message))
    return len(sources) or None


def listed(output: bytes) -> dict[str, int]:
    """Path and size of each file of ``lsjson``. Raises BackupError nonsense."""
    try:
        return {real(str(one["Path"])): int(one["Size"]) for one in json.loads(output or b"[]") if not one.get("IsDir")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(Fault.NONSENSE, "rclone answered with something that is no list of files") from error


def real(name: str) -> str:
    """A name as the file has it. rclone shows control characters as their symbols (rclone.org/overview/#encoding), and
    puts ‛ before a symbol that is one."""
    return re.sub("‛([\u2400-\u241f\u2421])|([\u2400-\u241f\u2421])", _meant, name)


def written(name: str) -> str:
    """A name as rclone shows it, and takes it."""
    return re.sub("[\u2400-\u241f\u2421]|[\x01-\x1f\x7f]", _shown, name)


def _meant(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return "\x7f" if found[2] == "\u2421" else chr(ord(found[2]) - 0x2400)


def _shown(found: re.Match[str]) -> str:
    if ord(found[0]) >= 0x2400:
        return "‛" + found[0]
    return "\u2421" if found[0] == "\x7f" else chr(ord(found[0]) + 0x2400)


def folders(output: bytes) -> list[str]:
    """Names of the folders of ``lsf --dirs-only``."""
    return sorted(name.rstrip("/") for name in output.decode(errors="replace").splitlines() if name.endswith("/"))


def hashed(lines: Iterable[bytes]) -> dict[str, str]:
    """Path and hash of each line of ``hashsum``; it prints no hash for what it cannot read."""
    found: dict[str, str] = {}
    for line in lines:
        digest, _, path = line.decode("utf-8", "surrogateescape").partition("  ")
        if len(digest) == 64 and path:
            found[real(path)] = digest
    return found


def room(output: bytes) -> tuple[int | None, int | None]:
    """Free and total bytes of ``about --json``, which not every remote tells."""
    try:
        told = json.loads(output)
        free, total = told.get("free"), told.get("total")
    except (ValueError, AttributeError):
        return None, None
    return (free if isinstance(free, int) else None), (total if isinstance(total, int) else None)


def _sums_up(message: str) -> bool:
    return (message.startswith(("attempt ", "failed to ")) and " errors" in message) or "not deleting" in message


def _entry(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""SHA-256 of many files by ``sha256sum``: at the lowest priority, here or elsewhere, and ended when nobody wants it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from tools.backups.kinds.target import not_run
from tools.backups.port import BackupError, Fault
from tools.program import ProgramError, run

SCRIPT = """
if command -v sha256sum >/dev/null 2>&1; then xargs -0 sha256sum -b --
else xargs -0 shasum -a 256 -b --; fi
"""
"""POSIX sh: names on standard input, each ended by a NUL; ``hashed`` reads what it prints. (shasum: older macOS.)"""

_LINE = re.compile(rb"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)")
_MEANT = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}


def hashed(line: bytes) -> tuple[str, str] | None:
    """Name and hash of one line; None for another line. A leading backslash tells that the name is escaped."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name = _ESCAPED.sub(lambda one: _MEANT.get(one[1], one[0]), found[3]) if found[1] else found[3]
    return os.fsdecode(name), found[2].decode()


def names(paths: Sequence[str]) -> bytes:
    """As standard input of the script."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


async def hash_here(paths: Sequence[str], timeout_s: float) -> dict[str, str]:
    """Of files on this machine, by path; without those that cannot be read. Raises BackupError."""
    found: dict[str, str] = {}

    def note(line: bytes) -> None:
        if (one := hashed(line)) is not None:
            found[one[0]] = one[1]

    if not paths:
        return found
    argv = ["sh", "-c", SCRIPT]
    try:
        ended = await run(
            argv, timeout_s=timeout_s, environment={"LC_ALL": "C"}, stdin=names(paths), on_line=note, quiet=True
        )
    except ProgramError as error:
        raise not_run(error) from error
    check_hashing(ended.code)
    return found


def check_hashing(code: int) -> None:
    """Raises BackupError not_installed where neither program is there; xargs' own codes say only that some file could
    not be read."""
    if code == 127:
        raise BackupError(Fault.NOT_INSTALLED, "sha256sum is not installed")

"""Plain SQL dumps, packed or not: their lines, their end, and what is wrong with one that cannot be read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.backups.kinds.dump_files import BLOCK_BYTES, os_fault, tail
from tools.backups.port import BackupError, Fault


def opened(dump: Path) -> Iterator[bytes]:
    """The lines of a plain dump, unpacked where it is packed."""
    with gzip.open(dump, "rb") if dump.suffix == ".gz" else dump.open("rb") as file:
        yield from file


def take(lines: Iterator[bytes]) -> bytes:
    """Some lines at once."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= BLOCK_BYTES:
            break
    return bytes(block)


def ends_with(dump: Path, marks: Sequence[bytes]) -> bool:
    """Whether the last that was dumped is one of these. Of a packed dump, all of it is read for that; raises OSError,
    EOFError, zlib.error (``unreadable``)."""
    last = b""
    if dump.suffix != ".gz":
        last = tail(dump)
    else:
        for line in opened(dump):
            last = (last + line)[-4096:]
    return any(mark in last for mark in marks)


def unreadable(error: BaseException, name: str) -> BackupError:
    """A compressed dump that cannot be read to its end."""
    if isinstance(error, EOFError):
        return BackupError(Fault.TRUNCATED, f"the dump {name} is cut off")
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return BackupError(Fault.DAMAGED, f"the dump {name} is damaged")
    assert isinstance(error, OSError)  # noqa: S101 - what reading a file raises
    return os_fault(error, "the dump cannot be read")

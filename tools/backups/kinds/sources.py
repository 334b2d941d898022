"""What is backed up, here: whether it is there, and which files of a copy have a source to compare with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tools.backups.port import BackupError, Entry, Fault

ARGV_BYTES = 400_000
"""Of one command's arguments. Linux takes a quarter of the stack's limit with the environment (2 MB), macOS 1 MB."""


async def there(paths: Sequence[str]) -> int:
    """How many of the paths to back up are missing.

    Raises BackupError not_configured for none to back up, and source_missing where none is there: some programs make
    an empty backup of that and call it a success.
    """
    if not paths:
        raise BackupError(Fault.NOT_CONFIGURED, "no paths to back up are configured")
    missing = await asyncio.to_thread(lambda: [path for path in paths if not os.path.lexists(path)])
    if len(missing) == len(paths):
        what = f"{missing[0]} is not there" if len(missing) == 1 else "nothing of what it backs up is there"
        raise BackupError(Fault.SOURCE_MISSING, what)
    return len(missing)


def source_below(entry: Entry, roots: Iterable[str]) -> Path | None:
    """The file here that an entry was made of; None where it is below none of the absolute paths backed up."""
    path = Path(entry.path)
    return path if any(root.startswith("/") and path.is_relative_to(root) for root in roots) else None


def batches(arguments: Sequence[str], limit: int = ARGV_BYTES) -> Iterator[Sequence[str]]:
    """The arguments in order, cut so that each part fits into one command."""
    begin, size = 0, 0
    for index, argument in enumerate(arguments):
        more = len(os.fsencode(argument)) + 9  # its end, and its pointer
        if index > begin and size + more > limit:
            yield arguments[begin:index]
            begin, size = index, 0
        size += more
    if begin < len(arguments):
        yield arguments[begin:]

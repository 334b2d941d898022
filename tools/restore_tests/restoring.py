"""Files of a copy restored into scratch and compared, with as little beyond the restore as can be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tools.backups.kinds.target import complete
from tools.backups.port import Copy, Entry, Progress, RestoresAll, RestoresFiles, RestoresUnverified
from tools.restore_tests.comparing import Comparison, Pair, comparable, compare
from tools.restore_tests.scratch import in_loop, named_folder

COMPARING = 0.9
"""Share of the whole after which the program is done."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ahead:
    """All of a copy on its way to ``folder``, while somebody still reads what is in it."""

    folder: Path
    task: asyncio.Task[None]


@asynccontextmanager
async def restored_ahead(kind: RestoresAll, copy: Copy, scratch: Path, progress: Progress) -> AsyncIterator[Ahead]:
    """Begin; at the end it is called off, and nothing of it is left. ``scratch``: an empty folder, a real path."""
    async with in_loop(named_folder(scratch, "ahead")) as folder:
        restoring = kind.restore_all(copy, folder, lambda share, doing: progress(_of(share), doing))
        task = asyncio.ensure_future(restoring)
        try:
            yield Ahead(folder, task)
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()


async def restore_and_compare(
    kind: RestoresFiles,
    copy: Copy,
    entries: Sequence[Entry],
    scratch: Path,
    progress: Progress,
    ahead: Ahead | None = None,
) -> Comparison:
    """What came back, and what of it is wrong. ``scratch``: an empty folder, a real path; ``ahead``: where all of it
    is being restored already.

    A program that looks at what it restored a second time is spared that where all of it is compared here. Raises
    BackupError, OSError; cancelled, nothing of it goes on.
    """
    folder = ahead.folder if ahead else scratch / "restored"
    pairs = await asyncio.to_thread(_pairs, kind, copy, entries, folder)
    if ahead:
        await ahead.task
        found = await _compared(pairs, copy, folder, progress)
    elif not isinstance(kind, RestoresUnverified) or not await asyncio.to_thread(_all_comparable, pairs, copy):
        return await _once(kind.restore, copy, pairs, folder, progress)
    else:
        found = await _once(kind.restore_unverified, copy, pairs, folder, progress)
    unvouched = frozenset(found.left)
    if unvouched:  # their sources changed meanwhile: nobody has vouched for them yet
        left = [pair.entry for pair in pairs if pair.entry.path in unvouched]
        again = await asyncio.to_thread(_pairs, kind, copy, left, scratch / "again")
        second = await _once(kind.restore, copy, again, scratch / "again", progress)
        found.mismatches |= second.mismatches
    return found


async def _once(
    restore: Callable[[Copy, Sequence[Entry], Path, Progress], Awaitable[None]],
    copy: Copy,
    pairs: Sequence[Pair],
    scratch: Path,
    progress: Progress,
) -> Comparison:
    await asyncio.to_thread(scratch.mkdir)
    entries = [pair.entry for pair in pairs]
    await restore(copy, entries, scratch, lambda share, doing: progress(_of(share), doing))
    return await _compared(pairs, copy, scratch, progress)


async def _compared(pairs: Sequence[Pair], copy: Copy, scratch: Path, progress: Progress) -> Comparison:
    progress(COMPARING, "comparing")
    stop = threading.Event()
    try:
        return await _in_thread(compare, pairs, copy.at, scratch, stop, stop=stop)
    finally:
        stop.set()


def _of(share: float) -> float:
    return min(share, 1.0) * COMPARING if share >= 0 else -1.0


def _pairs(kind: RestoresFiles, copy: Copy, entries: Sequence[Entry], scratch: Path) -> list[Pair]:
    """Raises BackupError for a path that leads out of scratch."""
    return [Pair(entry, complete(scratch, entry.path), kind.source(entry) if copy.here else None) for entry in entries]


def _all_comparable(pairs: Sequence[Pair], copy: Copy) -> bool:
    return all(comparable(pair, copy.at) for pair in pairs)


async def _in_thread(work: Callable[..., T], *arguments: object, stop: threading.Event) -> T:
    """Blocking work that ends soon after it is called off, and before its caller goes on."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise

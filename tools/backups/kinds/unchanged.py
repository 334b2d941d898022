"""Reading a repository only when it has changed: its program takes a second to make a key of the password."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

READ_AGAIN_S = 3600.0
"""A repository that has not changed is read again after this long all the same: what lies on a disk can rot."""

State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    state: State
    at: float
    value: T


class Unchanged(Generic[T]):
    """What was read of repositories in some state, by who asked. Lives as long as the process."""

    def __init__(self) -> None:
        self._known: dict[State, _Known[T]] = {}

    async def read(self, asked: State, state: Callable[[], State | None], read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` gives, or gave while ``state`` (called in a thread; None: cannot be told) was the same."""
        before = await asyncio.to_thread(state)
        known = self._known.get(asked)
        if known is not None and known.state == before and time.monotonic() - known.at < READ_AGAIN_S:
            return known.value
        value = await read()
        if before is not None:
            self._known[asked] = _Known(before, time.monotonic(), value)
        return value


def listed(files: Iterable[Path], folders: Iterable[Path] = ()) -> State | None:
    """Names, sizes and times of the files, and of those in the folders; None where one cannot be looked at."""
    try:
        looked_at = [*files, *(file for folder in folders for file in sorted(folder.iterdir()))]
        return tuple((str(path), (found := path.stat()).st_size, found.st_mtime_ns) for path in looked_at)
    except OSError:
        return None

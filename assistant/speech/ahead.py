"""Blocking work that makes one thing after another, a little ahead of whoever takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class _End(Enum):
    END = "end"


async def ahead(make: Callable[[], Iterator[T]], thread: Executor, depth: int) -> AsyncGenerator[T, None]:
    """What ``make()`` yields, in order, made in ``thread`` (one worker), up to ``depth`` beyond what was taken.

    Closing the generator ends the work with the item that is being made. Raises what making raises, behind the items
    that came before it; RuntimeError where the thread has ended.
    """
    loop = asyncio.get_running_loop()
    work = _Work(make)
    coming: deque[asyncio.Future[T | _End]] = deque()
    try:
        while True:
            while len(coming) <= depth:
                item = loop.run_in_executor(thread, work.step)
                item.add_done_callback(_looked_at)
                coming.append(item)
            made = await coming.popleft()
            if isinstance(made, _End):
                return
            yield made
    finally:
        work.stopped = True
        for item in coming:
            item.cancel()


def _looked_at(item: asyncio.Future[T | _End]) -> None:
    """The failure of an item that nobody waits for any more is no news."""
    if not item.cancelled():
        item.exception()


class _Work(Generic[T]):
    """``step`` runs in the thread."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self._make = make
        self._items: Iterator[T] | None = None
        self.stopped = False

    def step(self) -> T | _End:
        if self.stopped:
            return _End.END
        if self._items is None:
            self._items = self._make()
        return next(self._items, _End.END)

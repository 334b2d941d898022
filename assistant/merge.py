"""Two async streams as one, in the order in which their items come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


class Done(Enum):
    """The end of a queue that cannot be closed."""

    DONE = "done"


async def merge(*streams: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield from all streams as items come, each stream in a task of its own.

    The first exception of any of them ends the others and is raised here, after the items that came before it.
    Closing the generator early ends all of them.
    """
    queue: asyncio.Queue[T | Done | BaseException] = asyncio.Queue()

    async def pump(stream: AsyncIterator[T]) -> None:
        try:
            async for item in stream:
                queue.put_nowait(item)
        except Exception as error:  # noqa: BLE001 - carried over to the reader, who raises it
            queue.put_nowait(error)
        else:
            queue.put_nowait(Done.DONE)

    tasks = [asyncio.create_task(pump(stream)) for stream in streams]
    try:
        left = len(tasks)
        while left:
            item = await queue.get()
            if isinstance(item, Done):
                left -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

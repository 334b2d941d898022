"""Work in a thread that ends when its caller is cancelled: a thread is not ended from outside, it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

Stopped = Callable[[], bool]
"""Whether the work is not wanted any more."""


async def in_thread(work: Callable[[Stopped], T]) -> T:
    """The result of ``work``, which is told whether to stop. It has ended when this returns or raises."""
    stopped = asyncio.Event()
    task = asyncio.create_task(asyncio.to_thread(work, stopped.is_set))
    try:
        return await asyncio.shield(task)
    finally:
        stopped.set()
        await asyncio.shield(asyncio.wait([task]))

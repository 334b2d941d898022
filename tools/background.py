"""What runs beside the calls for as long as the tools are open: subscriptions, listeners, the scheduler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

log = logging.getLogger(__name__)


class Background(Protocol):
    """``run`` goes on until it is cancelled; it reconnects and reports for itself and raises nothing."""

    name: str

    async def run(self) -> None:
        """Until it is cancelled."""
        ...


@asynccontextmanager
async def running(parts: Sequence[Background]) -> AsyncIterator[None]:
    """All of them meanwhile. One that breaks is logged, and the others go on."""
    tasks = [asyncio.create_task(part.run(), name=part.name) for part in parts]
    for task in tasks:
        task.add_done_callback(_log_broken)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _log_broken(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s broke", task.get_name(), exc_info=error)

"""All sources at once, within one deadline; one that is slow or down costs its own answer only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tools.alerts.port import Alert, Source, SourceError
from tools.resting import NOT_IN_TIME

log = logging.getLogger(__name__)

BROKEN = "I stumbled over its answer; the log has the rest"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen, and by name why the rest was not."""

    alerts: tuple[Alert, ...]
    failed: tuple[tuple[str, str], ...]


async def gather(sources: Sequence[Source], deadline_s: float) -> Looked:
    """Raises nothing but on cancellation, which ends all of them."""
    tasks = [(source.name, asyncio.create_task(_ask(source), name=source.name)) for source in sources]
    try:
        if tasks:
            await asyncio.wait([task for _, task in tasks], timeout=deadline_s)
    finally:
        late = [task for _, task in tasks if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)
    alerts: list[Alert] = []
    failed: list[tuple[str, str]] = []
    for name, task in tasks:
        told = NOT_IN_TIME if task in late else task.result()
        if isinstance(told, str):
            failed.append((name, told))
        else:
            alerts += told
    return Looked(tuple(alerts), tuple(failed))


async def _ask(source: Source) -> Sequence[Alert] | str:
    """What it sees, or why it could not be asked."""
    try:
        return await source.alerts()
    except SourceError as error:
        return error.reason
    except Exception:  # the edge: a bug in how one source is read must not hide what all others see
        log.exception("the alerts of %s could not be read", source.name)
        return BROKEN

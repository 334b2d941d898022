"""What observes a server that stays: the heartbeats of the configuration, and what is said at its start.

Recordings go when their time has come, whether somebody speaks or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from assistant.app import App
from assistant.config import Settings
from assistant.observing.heartbeat import beating
from assistant.observing.push import push
from assistant.observing.recorder import DebugRecorder
from assistant.observing.wellness import Wellness, schedule_kept, state_writable

log = logging.getLogger(__name__)

PRUNE_EVERY_S = 3_600.0


@asynccontextmanager
async def heartbeats(app: App) -> AsyncIterator[None]:
    """Signs of life for as long as this process is well, until the context ends."""
    wellness = Wellness([state_writable(app.state.path), schedule_kept(app)])
    pruning = asyncio.create_task(_prune(app.recorder))
    try:
        async with beating(app.settings.heartbeat, wellness, push) as beats:
            app.heartbeats = beats
            yield
    finally:
        pruning.cancel()
        await asyncio.wait([pruning])


async def _prune(recorder: DebugRecorder | None) -> None:
    """Now and every hour."""
    while recorder is not None:
        try:
            await asyncio.to_thread(recorder.prune)
        except OSError as error:
            log.warning("old recordings cannot be removed: %s", error.strerror or type(error).__name__)
        await asyncio.sleep(PRUNE_EVERY_S)


def recording_notice(settings: Settings) -> str:
    """What whoever starts Jarvis has to read while everything that is said is kept; empty: it is not."""
    wanted = settings.debug_recording
    if wanted.folder is None:
        return ""
    return (
        f"DEBUG RECORDING IS ON: sound, words and events of every turn are kept in {wanted.folder} for "
        f"{wanted.keep_days:g} days ([debug_recording])."
    )

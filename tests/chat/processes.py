"""Waiting for what another process does: polled, with a deadline."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Whether the condition came true before the deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def gone(pid: int, within_s: float = 20.0) -> bool:
    """Whether the process ended (it may be a zombie that nobody reaps) before the deadline."""
    return await until(lambda: not _running(pid), within_s)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:  # no /proc, or gone just now: the next look tells
        return True
    return state != "Z"

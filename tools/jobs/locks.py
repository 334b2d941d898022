"""One at a time per repository: a lock file for each place, which the kernel lets go of however its holder ends."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

POLL_S = 0.5


@asynccontextmanager
async def locked(state_dir: Path, places: Iterable[str], waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold these places, waiting for whoever has one; ``waiting`` is called when that has to be waited for.

    They are taken in one order, so that two who want the same two cannot wait for each other. Raises OSError.
    """
    folder = state_dir / "locks"
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    held: list[int] = []
    try:
        for place in sorted(set(places)):
            # The name of a place may hold a password, and any character.
            path = folder / f"{hashlib.sha256(place.encode()).hexdigest()[:32]}.lock"
            held.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            if not take(held[-1]):
                waiting()
            while not take(held[-1]):  # noqa: ASYNC110 - the kernel tells nobody when a lock is free
                await asyncio.sleep(POLL_S)
        yield
    finally:
        for handle in held:
            os.close(handle)


def take(handle: int) -> bool:
    """Lock an open file, or find that another has it. What this process holds already it may take again."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

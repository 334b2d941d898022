"""What is over that was asked for at this door (a backup, a timer) is said there, when nobody is speaking.

Timers and alarms ring on until somebody speaks to the assistant, or RINGS are over: whoever set one may be in another
room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from assistant.errors import JarvisError

LOOK_EVERY_S = 2.0

RING_EVERY_S = 2.5
RINGS = 48
"""Two minutes."""

SAID_EVERY = 8
"""So many rings it is said what rings."""


class Announced(NamedTuple):
    """One thing to say; ``rings``: it wants to be heard."""

    text: str
    rings: bool = False


async def announce(
    take: Callable[[], Awaitable[Announced | None]],
    tell: Callable[[str], Awaitable[None]],
    *,
    ring: Callable[[], Awaitable[None]] | None = None,
    quiet: Callable[[], bool] = lambda: True,
    failed: Callable[[JarvisError], None] = lambda _: None,
) -> None:
    """Until it is cancelled. ``take``: the next one, once; ``tell``: show and say it; ``ring``: one sound, where it can
    be made; ``quiet``: whether it may be said now; ``failed``: it was shown and could not be said."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        while quiet() and (one := await take()) is not None:
            try:
                await tell(one.text)
                if one.rings and ring is not None:
                    await _ring(ring, tell, one.text, quiet)
            except JarvisError as error:
                failed(error)


async def _ring(
    ring: Callable[[], Awaitable[None]],
    tell: Callable[[str], Awaitable[None]],
    text: str,
    quiet: Callable[[], bool],
) -> None:
    for count in range(1, RINGS + 1):
        await asyncio.sleep(RING_EVERY_S)
        if not quiet():
            return
        await ring()
        if count % SAID_EVERY == 0:
            await tell(text)

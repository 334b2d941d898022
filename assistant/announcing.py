"""What is over that was asked for at this door (a backup, a timer) is said there, when nobody is speaking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from assistant.errors import JarvisError

LOOK_EVERY_S = 2.0


async def announce(
    take: Callable[[], Awaitable[str | None]],
    tell: Callable[[str], Awaitable[None]],
    *,
    quiet: Callable[[], bool] = lambda: True,
    failed: Callable[[JarvisError], None] = lambda _: None,
) -> None:
    """Until it is cancelled. ``take``: the next one, once; ``tell``: show and say it; ``quiet``: whether it may be said
    now; ``failed``: it was shown and could not be said."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        while quiet() and (text := await take()) is not None:
            try:
                await tell(text)
            except JarvisError as error:
                failed(error)

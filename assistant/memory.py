"""Memory that was freed goes back to the system: glibc keeps it, and loading models frees a lot.

What is left is mostly there to stay (templates, schemas, models), and the garbage collector is told so: walking through
300,000 objects takes it a fifth of a second, in the middle of somebody's turn as soon as anywhere else.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable

QUIET_S = 10.0
"""Nobody has had a turn for so long: what the last ones left is not needed at once."""

BUSY_S = 300.0
"""Where there is never such a quiet, it is done so long after the last time all the same."""


def give_back() -> bool:
    """``malloc_trim(0)``; whether there was anything to do. False where there is no glibc (macOS, musl).

    The collector passes over what is alive now until this is called again: what has become garbage by then goes then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL("libc.so.6").malloc_trim(0))
    except (OSError, AttributeError):
        return False


class GivingBack:
    """Gives memory back once no turn has ended for ``quiet_s`` seconds, at the latest ``busy_s`` after the first that
    left something. Inside one event loop; close it."""

    def __init__(
        self, quiet_s: float = QUIET_S, give: Callable[[], object] = give_back, *, busy_s: float = BUSY_S
    ) -> None:
        self._quiet_s = quiet_s
        self._busy_s = busy_s
        self._give = give
        self._latest: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def turn_ended(self) -> None:
        """The quiet begins again."""
        self.close()
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._latest is None:
            self._latest = now + self._busy_s
        if now >= self._latest:
            self._now(loop)
        else:
            self._timer = loop.call_later(min(self._quiet_s, self._latest - now), self._now, loop)

    def _now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = self._latest = None
        loop.run_in_executor(None, self._give)

    def close(self) -> None:
        """Nothing is given back any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

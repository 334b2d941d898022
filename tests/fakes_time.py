"""An event loop whose clock stands still while something can run, and jumps to the next timer when nothing can.

For code that waits on timers alone: threads and sockets do not stop its clock.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a time-out it lets the time pass."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and timeout:
            self.passed_s += timeout
        assert ready or timeout is not None, "nothing can run any more, and no timer is set"
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.passed_s


def virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; ``loop.time()`` begins at 0 and an hour takes no time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)

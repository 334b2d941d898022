"""What is over is said where it was asked for, in the pauses."""

from __future__ import annotations

import asyncio

from assistant.announcing import LOOK_EVERY_S, announce
from assistant.errors import JarvisError, PlaybackError
from tests.fakes_time import virtual_time


class Door:
    """A queue of what is to be said, and what was said when."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = list(waiting)
        self.said: list[tuple[float, str]] = []
        self.quiet = True
        self.broken = False
        self.failures: list[JarvisError] = []

    async def take(self) -> str | None:
        return self.waiting.pop(0) if self.waiting else None

    async def tell(self, text: str) -> None:
        if self.broken:
            raise PlaybackError("gone", "The loudspeaker is gone.")
        self.said.append((asyncio.get_running_loop().time(), text))

    async def for_a_while(self, seconds: float) -> None:
        task = asyncio.create_task(
            announce(self.take, self.tell, quiet=lambda: self.quiet, failed=self.failures.append)
        )
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait([task])


def test_all_that_waits_is_said_in_its_order_soon() -> None:
    door = Door("The photos backup is done.", "The timer is done.")
    virtual_time(door.for_a_while(10))

    assert door.said == [(LOOK_EVERY_S, "The photos backup is done."), (LOOK_EVERY_S, "The timer is done.")]


def test_while_somebody_speaks_nothing_is_taken() -> None:
    door = Door("The photos backup is done.")
    door.quiet = False

    async def then_quiet() -> None:
        asyncio.get_running_loop().call_later(31.0, setattr, door, "quiet", True)
        await door.for_a_while(60)

    virtual_time(then_quiet())
    assert door.said == [(32.0, "The photos backup is done.")]


def test_a_loudspeaker_that_is_gone_does_not_end_it() -> None:
    door = Door("One.", "Two.")
    door.broken = True
    virtual_time(door.for_a_while(10))

    assert len(door.failures) == 2
    assert door.waiting == []

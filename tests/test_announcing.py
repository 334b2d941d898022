"""What is over is said where it was asked for, in the pauses."""

from __future__ import annotations

import asyncio

from assistant.announcing import LOOK_EVERY_S, RING_EVERY_S, RINGS, SAID_EVERY, Announced, announce
from assistant.errors import JarvisError, PlaybackError
from tests.fakes_time import virtual_time


class Door:
    """A queue of what is to be said, and what was said when."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = list(waiting)
        self.said: list[tuple[float, str]] = []
        self.quiet = True
        self.rings = False
        self.broken = False
        self.failures: list[JarvisError] = []

    async def take(self) -> Announced | None:
        return Announced(self.waiting.pop(0), self.rings) if self.waiting else None

    async def ring(self) -> None:
        self.said.append((asyncio.get_running_loop().time(), "ring"))

    async def tell(self, text: str) -> None:
        if self.broken:
            raise PlaybackError("gone", "The loudspeaker is gone.")
        self.said.append((asyncio.get_running_loop().time(), text))

    async def for_a_while(self, seconds: float) -> None:
        task = asyncio.create_task(
            announce(self.take, self.tell, ring=self.ring, quiet=lambda: self.quiet, failed=self.failures.append)
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


def test_what_rings_rings_until_somebody_speaks() -> None:
    door = Door("The pasta timer is done.")
    door.rings = True

    async def then_spoken_to() -> None:
        asyncio.get_running_loop().call_later(LOOK_EVERY_S + 3 * RING_EVERY_S + 0.1, setattr, door, "quiet", False)
        await door.for_a_while(300)

    virtual_time(then_spoken_to())
    assert [text for _, text in door.said] == ["The pasta timer is done.", "ring", "ring", "ring"]


def test_what_nobody_hears_does_not_ring_for_ever_and_says_what_it_is() -> None:
    door = Door("The pasta timer is done.")
    door.rings = True
    virtual_time(door.for_a_while(3600))
    assert [text for _, text in door.said].count("ring") == RINGS
    assert [text for _, text in door.said].count("The pasta timer is done.") == 1 + RINGS // SAID_EVERY

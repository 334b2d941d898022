"""Freed memory goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import subprocess
import sys

import pytest

from assistant.memory import GivingBack, give_back

HELD = """
import resource, sys
from assistant.memory import GivingBack, give_back
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
small = [bytes(1000) for _ in range(200_000)]
kept = small[::1000]
del small
before = rss()
done = give_back()
print(done, before - rss())
"""


def test_it_says_whether_there_was_anything_to_do() -> None:
    assert give_back() in (True, False)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what was freed")
def test_what_was_freed_is_no_longer_resident() -> None:
    try:
        ctypes.CDLL("libc.so.6")
    except OSError:
        assert not give_back()
        return
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    trimmed, freed = done.stdout.split()
    assert trimmed == "True"
    assert int(freed) > 1_000_000


FROZEN = """
import gc, weakref
from assistant.memory import give_back
class Ring:
    def __init__(self):
        self.self = self
rings = [Ring() for _ in range(10_000)]
gone = weakref.ref(rings[0])
give_back()
walked = len(gc.get_objects())
rings.clear()
gc.collect()
kept = gone() is not None
give_back()
print(walked, kept, gone() is None)
"""


def test_what_stays_is_not_walked_through_again_and_what_has_become_garbage_goes_the_next_time() -> None:
    done = subprocess.run([sys.executable, "-c", FROZEN], capture_output=True, text=True, check=True)
    walked, kept, gone = done.stdout.split()
    assert int(walked) < 1_000
    assert (kept, gone) == ("True", "True")


async def test_memory_is_given_back_once_after_the_last_of_several_turns() -> None:
    loop, given = asyncio.get_running_loop(), asyncio.Event()
    times: list[int] = []

    def give() -> None:
        times.append(1)
        loop.call_soon_threadsafe(given.set)

    giving = GivingBack(quiet_s=0.01, give=give)
    for _ in range(3):
        giving.turn_ended()
    await asyncio.wait_for(given.wait(), 5)

    assert times == [1]


async def test_where_it_is_never_quiet_memory_is_given_back_all_the_same_and_again_later() -> None:
    loop, given = asyncio.get_running_loop(), asyncio.Event()
    giving = GivingBack(quiet_s=3600.0, give=lambda: loop.call_soon_threadsafe(given.set), busy_s=0.01)
    for _ in range(2):
        given.clear()
        async with asyncio.timeout(20):
            while not given.is_set():
                giving.turn_ended()
                await asyncio.sleep(0)
    giving.close()


async def test_nothing_is_given_back_after_closing() -> None:
    times: list[int] = []
    giving = GivingBack(quiet_s=0.0, give=lambda: times.append(1))
    giving.turn_ended()
    giving.close()
    for _ in range(5):
        await asyncio.sleep(0)

    assert times == []

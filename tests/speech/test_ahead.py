"""Blocking work ahead of its taker: bounded, in order, ended with its taker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from assistant.speech.ahead import ahead


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


class Counting:
    """Makes 0, 1, 2, …; remembers how far it came."""

    def __init__(self, items: int = 100, fails_at: int | None = None) -> None:
        self.items = items
        self.fails_at = fails_at
        self.made: list[int] = []

    def __call__(self) -> Iterator[int]:
        for number in range(self.items):
            if number == self.fails_at:
                raise ValueError("worn out")
            self.made.append(number)
            yield number


async def idle(thread: ThreadPoolExecutor) -> None:
    """All that was given to the thread is done."""
    await asyncio.get_running_loop().run_in_executor(thread, lambda: None)


async def test_everything_comes_once_and_in_order(thread: ThreadPoolExecutor) -> None:
    work = Counting(20)
    assert [item async for item in ahead(work, thread, 3)] == list(range(20))


@pytest.mark.parametrize("depth", [0, 1, 4])
async def test_no_more_is_made_than_the_look_ahead(thread: ThreadPoolExecutor, depth: int) -> None:
    work = Counting()
    async with aclosing(ahead(work, thread, depth)) as items:
        for taken in range(1, 6):
            await anext(items)
            await idle(thread)
            assert len(work.made) == taken + depth


async def test_closing_ends_the_work(thread: ThreadPoolExecutor) -> None:
    work = Counting()
    items = ahead(work, thread, 2)
    await anext(items)
    await items.aclose()
    await idle(thread)
    so_far = len(work.made)
    await idle(thread)
    assert so_far == len(work.made) <= 3


async def test_cancelling_whoever_waits_ends_the_work(thread: ThreadPoolExecutor) -> None:
    work = Counting()
    begun = asyncio.Event()

    async def take() -> None:
        async with aclosing(ahead(work, thread, 1)) as items:
            async for _ in items:
                begun.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(take())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await idle(thread)
    assert len(work.made) <= 2


async def test_a_failure_comes_behind_what_was_made_before_it(thread: ThreadPoolExecutor) -> None:
    items = ahead(Counting(fails_at=3), thread, 2)
    assert [await anext(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="worn out"):
        await anext(items)


async def test_a_failure_that_nobody_waits_for_is_silent(
    thread: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(ahead(Counting(fails_at=1), thread, 2)) as items:
        assert await anext(items) == 0
        await idle(thread)
    assert caplog.records == []


async def test_two_at_once_take_turns(thread: ThreadPoolExecutor) -> None:
    both = await asyncio.gather(*(_all(Counting(10), thread) for _ in range(2)))
    assert both == [list(range(10))] * 2


async def _all(work: Counting, thread: ThreadPoolExecutor) -> list[int]:
    return [item async for item in ahead(work, thread, 1)]

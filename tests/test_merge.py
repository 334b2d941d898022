"""merge: nothing lost, nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.merge import merge


async def stream(items: Iterable[int | Exception]) -> AsyncIterator[int]:
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield item


@given(st.lists(st.lists(st.integers(), max_size=8), max_size=4))
async def test_every_item_comes_out_once_and_each_stream_keeps_its_order(streams: list[list[int]]) -> None:
    tagged = [[(number << 40) + index for index, _ in enumerate(items)] for number, items in enumerate(streams)]
    out = [item async for item in merge(*(stream(items) for items in tagged))]
    assert sorted(out) == sorted(item for items in tagged for item in items)
    for number, items in enumerate(tagged):
        assert [item for item in out if item >> 40 == number] == items


async def test_an_error_is_raised_after_the_items_before_it() -> None:
    seen: list[int] = []

    async def collect() -> None:
        async for item in merge(stream([1, 2, ValueError("broken")])):
            seen.append(item)  # noqa: PERF401 - the items before the error are the point

    with pytest.raises(ValueError, match="broken"):
        await collect()
    assert seen == [1, 2]


async def test_closing_early_ends_the_streams() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with aclosing(merge(endless())) as merged:
        assert await anext(merged) == 1
    assert closed.is_set()

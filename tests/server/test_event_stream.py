"""Streams to readers that go away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio

from assistant.server.event_stream import with_pauses


async def test_a_reader_that_goes_away_is_told_to_the_events_before_they_are_closed() -> None:
    """Starlette ends a stream by a scope of anyio, which cancels again at each turn of the loop."""
    ended: list[str] = []

    async def events() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            ended.append("closed")

    with anyio.CancelScope() as scope:
        async with aclosing(with_pauses(events())) as paced:
            async for _ in paced:
                asyncio.get_running_loop().call_later(0.01, scope.cancel)
    assert ended == ["closed"]

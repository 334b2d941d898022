"""A turn's events as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from starlette.responses import StreamingResponse

from assistant.broadcast import RunningTurn
from assistant.events import AudioReady, TurnEvent, to_json
from assistant.server.command_answer import Played
from assistant.server.playing import Playing

Event = TypeVar("Event")

PING_S = 15.0
"""A comment line goes out after this much silence: proxies give up streams that say nothing, and models are slow."""


def event_stream(turn: RunningTurn, *, with_audio: bool, playing: Playing | None = None) -> StreamingResponse:
    """``event: KIND`` and ``data: {…}`` for each event from the first, and last ``event: outcome``.

    ``with_audio``: the speech stands in AudioReady as base64 PCM; else it is left out. ``playing``: the reply in a
    room, of which ``event: played`` tells.
    """

    async def blocks() -> AsyncIterator[bytes]:
        async with aclosing(with_pauses(_then(turn.events(), playing))) as events:
            async for event in events:
                match event:
                    case None:
                        yield b": still there\n\n"
                    case Played():
                        yield b"event: played\ndata: " + event.model_dump_json().encode() + b"\n\n"
                    case _:
                        yield _block(event, with_audio=with_audio)
        outcome = await turn.outcome()
        yield b"event: outcome\ndata: " + outcome.model_dump_json().encode() + b"\n\n"

    return StreamingResponse(blocks(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _then(
    events: AsyncGenerator[TurnEvent, None], playing: Playing | None
) -> AsyncGenerator[TurnEvent | Played, None]:
    async with aclosing(events):
        async for event in events:
            yield event
    if playing is not None:
        yield await playing.played()


def _block(event: TurnEvent, *, with_audio: bool) -> bytes:
    shown = event if with_audio or not isinstance(event, AudioReady) else replace(event, pcm=b"")
    return f"event: {event.kind}\ndata: ".encode() + to_json(shown) + b"\n\n"


async def with_pauses(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event | None, None]:
    """The events, and None for every PING_S without one."""
    async with aclosing(events):
        while True:
            coming = asyncio.create_task(_next(events))
            try:
                while not (await asyncio.wait({coming}, timeout=PING_S))[0]:
                    yield None
            finally:
                await _ended(coming)  # for a reader that goes away: a generator that waits cannot be closed
            event = coming.result()
            if event is None:
                return
            yield event


async def _ended(task: asyncio.Task[Event | None]) -> None:
    """Cancel it and wait for its end, however often whoever waits is cancelled meanwhile: anyio does so at each turn of
    the loop, and a generator that is closed while it still runs stays open."""
    task.cancel()
    told: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            told = error
    if told is not None:
        raise told


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)

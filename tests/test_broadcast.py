"""A turn is owned by the app: doors come late, read slowly and go away, and the turn does not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from assistant.broadcast import RunningTurn
from assistant.events import (
    ModelDelta,
    ReplySentence,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)

END = TurnFinished(turn_id="t", reply="Yes.", spoken="Yes.", matched="none")


class Script:
    """A source that goes on when it is let go."""

    def __init__(self, *events: TurnEvent) -> None:
        self.events = events
        self.gate = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[TurnEvent]:
        yield self.events[0]
        await self.gate.wait()
        for event in self.events[1:]:
            yield event


async def test_every_subscriber_gets_every_event_whenever_it_comes() -> None:
    script = Script(Transcribed(text="hi", turn_id="t"), ReplySentence(text="Yes.", spoken="Yes.", turn_id="t"), END)
    turn = RunningTurn("t", script.__aiter__())
    early = asyncio.create_task(_all(turn))
    await asyncio.sleep(0)
    script.gate.set()
    late_after_end = await turn.outcome()
    late = await _all(turn)
    assert await early == late == list(script.events)
    assert late_after_end.reply == "Yes."


async def test_a_subscriber_that_goes_away_does_not_end_the_turn() -> None:
    script = Script(Transcribed(text="hi"), END)
    turn = RunningTurn("t", script.__aiter__())
    async with aclosing(turn.events()) as events:
        async for _ in events:
            break
    script.gate.set()
    assert (await turn.outcome()).matched == "none"
    assert turn.over


async def test_an_interrupted_turn_closes_its_stream_and_keeps_what_was_said() -> None:
    script = Script(Transcribed(text="hi", turn_id="t"), END)
    turn = RunningTurn("t", script.__aiter__())
    async with aclosing(turn.events()) as events:
        assert isinstance(await anext(events), Transcribed)
        await turn.interrupt("the door was closed")
        rest = [event async for event in events]
    assert isinstance(rest[0], TurnInterrupted)
    assert isinstance(rest[1], TurnFailed)
    assert rest[1].code == "interrupted"
    assert (await turn.outcome()).transcript == "hi"


async def test_the_end_is_reported_once_with_all_events() -> None:
    ends: list[Sequence[TurnEvent]] = []
    script = Script(Transcribed(text="hi"), ModelDelta(text="a"), END)
    turn = RunningTurn("t", script.__aiter__(), on_end=ends.append)
    script.gate.set()
    await turn.outcome()
    await turn.interrupt("too late")
    assert ends == [script.events]


async def _all(turn: RunningTurn) -> list[TurnEvent]:
    return [event async for event in turn.events()]

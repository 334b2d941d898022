"""A turn that the app owns, and the doors that listen to it.

The turn runs in a task of its own. A door subscribes, gets every event from the first one, and can neither stall the
turn (events are kept in a list that each subscriber reads at its own pace) nor cancel it by going away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from assistant.errors import Stage
from assistant.events import AudioReady, TurnEvent, TurnFailed, TurnFinished, TurnInterrupted
from assistant.outcome import TurnOutcome
from assistant.phrases import phrase


class RunningTurn:
    """One turn under way or over. Made inside a running event loop."""

    def __init__(
        self,
        turn_id: str,
        source: AsyncIterator[TurnEvent],
        *,
        on_end: Callable[[Sequence[TurnEvent]], None] | None = None,
    ) -> None:
        self.turn_id = turn_id
        self._log: list[TurnEvent] = []
        self._grown = asyncio.Event()
        self._on_end = on_end
        self._task = asyncio.create_task(self._run(source), name=f"turn-{turn_id}")

    @property
    def over(self) -> bool:
        """Whether the last event is there."""
        return bool(self._log) and isinstance(self._log[-1], TurnFinished | TurnFailed)

    @property
    def audio_bytes(self) -> int:
        """Size of the speech that the events hold."""
        return sum(len(event.pcm) for event in self._log if isinstance(event, AudioReady))

    async def events(self) -> AsyncGenerator[TurnEvent, None]:
        """Every event from the first to the last; any number of subscribers, at any time."""
        position = 0
        while True:
            grown = self._grown
            while position < len(self._log):
                yield self._log[position]
                position += 1
            if self.over:
                return
            await grown.wait()

    @property
    def so_far(self) -> TurnOutcome:
        """What it has come to by now."""
        return TurnOutcome.from_events(self._log)

    async def outcome(self) -> TurnOutcome:
        """Wait for the end and fold the events."""
        async with aclosing(self.events()) as events:
            return TurnOutcome.from_events([event async for event in events])

    async def interrupt(self, reason: str) -> None:
        """End the turn early: what was said stays said, TurnInterrupted and TurnFailed close the stream."""
        if not self.over:
            self._task.cancel(reason)
            await asyncio.wait([self._task])

    async def _run(self, source: AsyncIterator[TurnEvent]) -> None:
        try:
            async for event in source:
                self._publish(event)
        except asyncio.CancelledError as cancelled:
            reason = str(cancelled.args[0]) if cancelled.args else "interrupted"
            self._close(TurnInterrupted(turn_id=self.turn_id, at_ms=self._last_ms, reason=reason))
        finally:
            if self._on_end is not None:
                self._on_end(tuple(self._log))

    def _close(self, interruption: TurnInterrupted) -> None:
        self._publish(interruption)
        self._publish(
            TurnFailed(
                turn_id=self.turn_id,
                at_ms=interruption.at_ms,
                stage=Stage.DECISION,
                code="interrupted",
                spoken=phrase("interrupted"),
                detail=f"The turn was interrupted: {interruption.reason}.",
            )
        )

    @property
    def _last_ms(self) -> float:
        return self._log[-1].at_ms if self._log else 0.0

    def _publish(self, event: TurnEvent) -> None:
        self._log.append(event)
        self._grown.set()
        self._grown = asyncio.Event()

"""The turn's clock: stamps events with the turn's id and time, and remembers enough of them for the timings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from assistant.errors import JarvisError, Stage
from assistant.events import AudioReady, Transcribed, TurnEvent, TurnFailed, TurnFinished
from assistant.outcome import TurnOutcome, timings
from assistant.ports import Foresight

E = TypeVar("E", bound=TurnEvent)


@dataclass(slots=True)
class Timeline:
    """Of one turn. ``clock``: seconds that only grow; ``foresight``: what was found out before the end was certain;
    ``pin``: was said, and stands in no event."""

    turn_id: str
    clock: Callable[[], float]
    started: float = field(init=False)
    log: list[TurnEvent] = field(default_factory=list)
    foresight: Foresight | None = None
    pin: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def text(self) -> str:
        """The transcript."""
        return next((e.text for e in reversed(self.log) if isinstance(e, Transcribed)), "")

    def stamp(self, event: E) -> E:
        """The event with the turn's id and the milliseconds since it began."""
        stamped = replace(event, turn_id=self.turn_id, at_ms=round((self.clock() - self.started) * 1000, 2))
        self.log.append(replace(stamped, pcm=b"") if isinstance(stamped, AudioReady) else stamped)
        return stamped

    def finished(self) -> TurnFinished:
        """The last event of a turn that was answered."""
        outcome = TurnOutcome.from_events(self.log)
        event = self.stamp(TurnFinished(reply=outcome.reply, spoken=outcome.spoken, matched=outcome.matched))
        return replace(event, timings_ms=timings(self.log).model_dump())

    def failed(self, error: JarvisError, stage: Stage, spoken: str) -> TurnFailed:
        """The last event of a turn that was not."""
        event = self.stamp(
            TurnFailed(stage=stage, code=error.code, spoken=spoken, detail=error.detail, mend=error.mend)
        )
        return replace(event, timings_ms=timings(self.log).model_dump())

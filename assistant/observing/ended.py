"""What observers are told when a turn is over, and what of its time the language model took. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.events import (
    ConfirmationAsked,
    ModelDelta,
    Narrowed,
    Phrased,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from assistant.outcome import Timings, timings
from assistant.ports import Samples
from tools.contract import Caller

Outcome = Literal["answered", "asked", "ignored", "interrupted", "failed"]
"""``asked``: it ended with a question that wants a yes; ``ignored``: nobody had said anything to us."""

QUIET_CODES = frozenset({"nothing_heard", "own_voice", "no_wake_word"})
"""Ends of turns in which nothing was said to us: no failures, and told to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTurn:
    """``at``: when it ended (Unix seconds); ``audio``: what was heard in it, where that is recorded."""

    events: Sequence[TurnEvent]
    caller: Caller
    at: float
    audio: Samples | None = field(default=None, repr=False)

    @property
    def turn_id(self) -> str:
        """Empty where it ended before its first event."""
        return next((event.turn_id for event in self.events if event.turn_id), "")

    @property
    def failure(self) -> TurnFailed | None:
        """Its last event, where that is a failure."""
        return next((event for event in self.events if isinstance(event, TurnFailed)), None)

    @property
    def outcome(self) -> Outcome:
        """What it came to, in one word."""
        failure = self.failure
        if failure is not None:
            if failure.code == "interrupted":
                return "interrupted"
            return "ignored" if failure.code in QUIET_CODES and not failure.spoken else "failed"
        if any(isinstance(event, ConfirmationAsked) for event in self.events):
            return "asked"
        return "answered" if any(isinstance(event, TurnFinished) for event in self.events) else "failed"

    @property
    def timings_ms(self) -> Timings:
        """As docs/json-output.md has them."""
        return timings(self.events)

    @property
    def total_ms(self) -> float | None:
        """From when it was spoken to (the wake word, where it waited for one) to its end."""
        total = self.timings_ms.total
        woken = next((event.at_ms for event in self.events if isinstance(event, WakeDetected)), 0.0)
        return round(max(total - woken, 0.0), 1) if total is not None else None

    @property
    def model_ms(self) -> float | None:
        """Time that the turn waited for the language model; None where it asked none."""
        return model_ms(self.events)


def model_ms(events: Iterable[TurnEvent]) -> float | None:
    """From whatever came before the model (the transcript, the narrowing, a tool's answer) to the call or the words
    that came of it, all rounds together, and what phrasing took; None where no model was asked."""
    total, since, asked = 0.0, None, False
    for event in events:
        match event:
            case Transcribed() | Narrowed() | ToolReturned():
                since = event.at_ms
            case ToolCalled(source="model") | ModelDelta():
                asked = True
                if since is not None:
                    total += max(event.at_ms - since, 0.0)
                since = event.at_ms if isinstance(event, ModelDelta) else None
            case Phrased():
                asked = True
                total += event.took_ms
    return round(total, 1) if asked else None

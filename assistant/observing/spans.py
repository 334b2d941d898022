"""A turn as spans: one for the turn, and below it one for each stage and each tool call. Pure.

Names and attributes hold what metrics hold (door, stage, tool, level, result, code) and the turn's id, and never what
was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.events import AudioReady, SpeechEnded, SpeechStarted, ToolCalled, ToolReturned, Transcribed, TurnEvent
from assistant.observing.ended import EndedTurn
from assistant.observing.labels import OTHER
from assistant.outcome import matched_by

Value = str | bool | float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanData:
    """Milliseconds since the turn began; ``failed``: code of the failure, empty where it did not fail."""

    name: str
    start_ms: float
    end_ms: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSpans:
    """The turn's own span, and those below it in the order in which they began."""

    turn: SpanData
    stages: tuple[SpanData, ...]


def spans_of(ended: EndedTurn) -> TurnSpans:
    """Of a turn that is over. No span ends before it begins, begins before the turn or ends after it."""
    end_ms = max((event.at_ms for event in ended.events), default=0.0)
    failure = ended.failure
    attributes: dict[str, Value] = {
        "jarvis.turn_id": ended.turn_id,
        "jarvis.door": ended.caller.door.value,
        "jarvis.matched": matched_by(ended.events),
        "jarvis.outcome": ended.outcome,
    }
    if failure is not None:
        attributes |= {"jarvis.stage": failure.stage.value, "jarvis.code": failure.code}
    failed = failure.code if failure is not None and ended.outcome == "failed" else ""
    turn = SpanData(name="turn", start_ms=0.0, end_ms=end_ms, attributes=attributes, failed=failed)
    stages = [_within(one, end_ms) for one in _stages(ended.events)]
    return TurnSpans(turn=turn, stages=tuple(sorted(stages, key=lambda one: one.start_ms)))


def _stages(events: Sequence[TurnEvent]) -> Iterator[SpanData]:
    yield from _ears(events)
    yield from _decision(events)
    yield from _tools(events)
    sounds = [event for event in events if isinstance(event, AudioReady)]
    if sounds:
        yield SpanData(name="speech", start_ms=sounds[0].at_ms, end_ms=sounds[-1].at_ms)


def _ears(events: Sequence[TurnEvent]) -> Iterator[SpanData]:
    started = next((event for event in events if isinstance(event, SpeechStarted)), None)
    ended = next((event for event in events if isinstance(event, SpeechEnded)), None)
    heard = next((event for event in events if isinstance(event, Transcribed)), None)
    if started is not None and ended is not None:
        reason: dict[str, Value] = {"jarvis.reason": ended.reason}
        yield SpanData(name="utterance", start_ms=started.at_ms, end_ms=ended.at_ms, attributes=reason)
    if heard is not None and heard.engine != "typed":
        yield SpanData(name="transcript", start_ms=heard.at_ms - heard.took_ms, end_ms=heard.at_ms)


def _decision(events: Sequence[TurnEvent]) -> Iterator[SpanData]:
    """From the transcript to the first call, or to the end of what was decided without one."""
    heard = next((event for event in events if isinstance(event, Transcribed)), None)
    if heard is None:
        return
    after = [event for event in events if event.at_ms >= heard.at_ms and event is not heard]
    until = next((event for event in after if isinstance(event, ToolCalled) or event.kind == "reply_sentence"), None)
    if until is not None:
        yield SpanData(name="decision", start_ms=heard.at_ms, end_ms=until.at_ms)


def _tools(events: Sequence[TurnEvent]) -> Iterator[SpanData]:
    for event in events:
        if isinstance(event, ToolReturned):
            code = event.result.get("error") if not event.ok else ""
            tool = event.tool if event.level is not None else OTHER  # what was never planned may be a model's invention
            attributes: dict[str, Value] = {"jarvis.tool": tool, "jarvis.ok": event.ok}
            if event.level is not None:
                attributes["jarvis.level"] = event.level.value
            yield SpanData(
                name="tool",
                start_ms=event.at_ms - event.took_ms,
                end_ms=event.at_ms,
                attributes=attributes,
                failed=code if isinstance(code, str) else "",
            )


def _within(span: SpanData, end_ms: float) -> SpanData:
    start = min(max(span.start_ms, 0.0), end_ms)
    end = min(max(span.end_ms, start), end_ms)
    return SpanData(name=span.name, start_ms=start, end_ms=end, attributes=span.attributes, failed=span.failed)

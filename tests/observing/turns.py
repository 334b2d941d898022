"""Turns that are over, to be observed."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import Stage
from assistant.events import (
    AudioReady,
    ModelDelta,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from assistant.observing.ended import EndedTurn
from tools.contract import Caller, Door, Level

SECRET = "canary-93f1 what was said"
"""Stands wherever content can stand, and may come out nowhere."""

ENDED_AT = 1_800_000_000.0


def ended(*events: TurnEvent, door: Door = Door.HTTP) -> EndedTurn:
    """A turn with these events."""
    return EndedTurn(events=events, caller=Caller(name=SECRET, door=door), at=ENDED_AT)


def spoken_turn(*, tool: str = "check_services", ok: bool = True) -> Sequence[TurnEvent]:
    """Heard after five seconds of waiting, decided by the model in 0.4 s, looked at in 0.25 s, answered aloud."""
    result = {"data": SECRET} if ok else {"error": "unknown_tool", "detail": SECRET}
    return (
        WakeDetected(turn_id="t1", at_ms=5_000, word="hey_jarvis", score=0.9, audio_ms=5_000),
        SpeechStarted(turn_id="t1", at_ms=5_200, audio_ms=5_200),
        SpeechEnded(turn_id="t1", at_ms=6_500, audio_ms=6_500, speech_end_ms=6_300, reason="silence"),
        Transcribed(turn_id="t1", at_ms=6_600, text=SECRET, engine="whisper", took_ms=150),
        ToolCalled(turn_id="t1", at_ms=7_000, tool=tool, arguments={"service": SECRET}, source="model"),
        ToolReturned(
            turn_id="t1", at_ms=7_250, tool=tool, arguments={"service": SECRET}, ok=ok, result=result,
            level=Level.READ if ok else None, spoken=SECRET, took_ms=250,
        ),
        ReplySentence(turn_id="t1", at_ms=7_260, text=SECRET, spoken=SECRET),
        AudioReady(turn_id="t1", at_ms=7_400, pcm=b"\0\0", sample_rate_hz=16_000, first=True),
        TurnFinished(turn_id="t1", at_ms=7_500, reply=SECRET, spoken=SECRET, matched="model"),
    )  # fmt: skip


def typed_turn() -> Sequence[TurnEvent]:
    """Answered by a template in eight milliseconds."""
    return (
        Transcribed(turn_id="t2", at_ms=0.1, text=SECRET),
        SentenceMatched(turn_id="t2", at_ms=2, template=SECRET, tool="check_services"),
        ToolCalled(turn_id="t2", at_ms=2, tool="check_services", arguments={}, source="sentence"),
        ToolReturned(
            turn_id="t2", at_ms=7, tool="check_services", arguments={}, ok=True, level=Level.READ, spoken=SECRET,
            result={}, took_ms=5,
        ),
        ReplySentence(turn_id="t2", at_ms=7.5, text=SECRET, spoken=SECRET),
        TurnFinished(turn_id="t2", at_ms=8, reply=SECRET, spoken=SECRET, matched="sentence"),
    )  # fmt: skip


def failed_turn(stage: Stage, code: str, *, spoken: str = "It failed.", woken: bool = False) -> Sequence[TurnEvent]:
    """One that came to nothing."""
    wake = [WakeDetected(turn_id="t3", at_ms=1, word="hey_jarvis", score=0.9, audio_ms=1)] if woken else []
    return (*wake, TurnFailed(turn_id="t3", at_ms=900, stage=stage, code=code, spoken=spoken, detail=SECRET))


def chatty_turn() -> Sequence[TurnEvent]:
    """The model's own words: the first after 300 ms, the last after 800."""
    return (
        Transcribed(turn_id="t4", at_ms=100, text=SECRET),
        ModelDelta(turn_id="t4", at_ms=400, text=SECRET),
        ModelDelta(turn_id="t4", at_ms=900, text=SECRET),
        ReplySentence(turn_id="t4", at_ms=901, text=SECRET, spoken=SECRET),
        TurnFinished(turn_id="t4", at_ms=902, reply=SECRET, spoken=SECRET, matched="model"),
    )

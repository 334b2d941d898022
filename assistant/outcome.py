"""What a turn came to: the one documented object of ``--json``, ``POST /command`` and the traces.

Built from the turn's events and nothing else, so that every door says the same. ``docs/json-output.md`` is its page.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import Stage
from assistant.events import (
    AudioReady,
    ConfirmationAsked,
    Matched,
    ModelDelta,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    ToolCalled,
    ToolReturned,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    WakeDetected,
)
from tools.contract import JsonObject, Level


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolUse(_Frozen):
    """One tool call of the turn and what came back."""

    name: str
    arguments: JsonObject = Field(description="Canonical names once resolved, else as they came.")
    ok: bool
    level: Level | None = Field(description="read, operate or destructive; null when the call was never planned.")
    result: JsonObject = Field(description="The tool's spoken sentence, data and findings, or the error.")


class Timings(_Frozen):
    """Milliseconds; null for a stage that the turn did not pass."""

    wake: float | None = Field(default=None, description="Position in the audio at which the wake word was heard.")
    endpoint: float | None = Field(
        default=None, description="Audio from the last speech to the decision that the utterance had ended."
    )
    transcript: float | None = Field(default=None, description="Time that speech recognition took.")
    decision: float | None = Field(default=None, description="From the transcript to the first tool call or sentence.")
    tools: float | None = Field(default=None, description="Time spent in tools, all calls together.")
    first_audio: float | None = Field(
        default=None,
        description="From the last speech (in a whole clip: from its end) to the first sound of the reply.",
    )
    total: float | None = Field(default=None, description="From the start of the turn to its end.")


class TurnError(_Frozen):
    """Why the turn failed."""

    stage: Stage
    code: str
    spoken: str
    detail: str
    mend: str


class OpenConfirmation(_Frozen):
    """The call that waits for a yes in the next utterance of the conversation."""

    tool: str
    arguments: JsonObject
    expires_s: float = Field(description="Seconds in which a yes counts.")


class TurnOutcome(_Frozen):
    """The documented object."""

    turn_id: str
    transcript: str = Field(description="What was said, wake phrase taken off; typed text as it came.")
    reply: str = Field(description="The answer for the screen.")
    spoken: str = Field(description="The answer as the synthesizer says it.")
    matched: Matched = Field(
        description="Who decided: a sentence template, clear signals, the model, a yes, or nobody."
    )
    tools: tuple[ToolUse, ...] = ()
    confirmation: OpenConfirmation | None = Field(default=None, description="What waits for a yes.")
    timings_ms: Timings = Timings()
    error: TurnError | None = None

    @classmethod
    def from_events(cls, events: Iterable[TurnEvent]) -> TurnOutcome:
        """Fold a turn's events, complete or cut off, into its outcome."""
        log = tuple(events)
        sentences = [e for e in log if isinstance(e, ReplySentence)]
        failed = next((e for e in log if isinstance(e, TurnFailed)), None)
        return cls(
            turn_id=next((e.turn_id for e in log if e.turn_id), ""),
            transcript=next((e.text for e in log if isinstance(e, Transcribed)), ""),
            reply=" ".join(e.text for e in sentences) or (failed.spoken if failed else ""),
            spoken=" ".join(e.spoken for e in sentences if e.spoken) or (failed.spoken if failed else ""),
            matched=matched_by(log),
            tools=tuple(
                ToolUse(name=e.tool, arguments=e.arguments, ok=e.ok, level=e.level, result=e.result)
                for e in log
                if isinstance(e, ToolReturned)
            ),
            confirmation=next(
                (
                    OpenConfirmation(tool=e.tool, arguments=e.arguments, expires_s=e.expires_s)
                    for e in log
                    if isinstance(e, ConfirmationAsked)
                ),
                None,
            ),
            timings_ms=timings(log),
            error=TurnError(
                stage=failed.stage, code=failed.code, spoken=failed.spoken, detail=failed.detail, mend=failed.mend
            )
            if failed
            else None,
        )


def matched_by(events: Iterable[TurnEvent]) -> Matched:
    """Who decided what to do."""
    for event in events:
        if isinstance(event, SentenceMatched):
            return "sentence"
        if isinstance(event, ToolCalled) and event.source in ("signals", "confirmation"):
            return "signals" if event.source == "signals" else "confirmation"
        if isinstance(event, ModelDelta) or (isinstance(event, ToolCalled) and event.source == "model"):
            return "model"
    return "none"


def timings(events: Iterable[TurnEvent]) -> Timings:
    """The timings of a turn, complete or not, from its events' stamps and own measurements."""
    log = tuple(events)
    wake = next((e for e in log if isinstance(e, WakeDetected)), None)
    ended = next((e for e in log if isinstance(e, SpeechEnded)), None)
    heard = next((e for e in log if isinstance(e, Transcribed)), None)
    decided = next((e for e in log if isinstance(e, ToolCalled | ReplySentence | ModelDelta)), None)
    returned = [e.took_ms for e in log if isinstance(e, ToolReturned)]
    audio = next((e for e in log if isinstance(e, AudioReady)), None)
    last = log[-1] if log and isinstance(log[-1], TurnFinished | TurnFailed) else None
    utterance_end = ended or heard
    waited_ms = ended.audio_ms - ended.speech_end_ms if ended and ended.reason == "silence" else 0.0
    return Timings(
        wake=_ms(wake.audio_ms) if wake else None,
        endpoint=_ms(ended.audio_ms - ended.speech_end_ms) if ended else None,
        transcript=_ms(heard.took_ms) if heard and heard.engine != "typed" else None,
        decision=_ms(decided.at_ms - heard.at_ms) if decided and heard else None,
        tools=_ms(sum(returned)) if returned else None,
        first_audio=_ms(audio.at_ms - utterance_end.at_ms + waited_ms) if audio and utterance_end else None,
        total=_ms(last.at_ms) if last else None,
    )


def _ms(value: float) -> float:
    return round(max(value, 0.0), 1)

"""Turn events: the one stream that every door, trace, metric and test reads.

Each is a frozen dataclass with a ``kind`` (the discriminator of the JSON form), the ``turn_id`` it belongs to and
``at_ms``, milliseconds since the turn began on a monotonic clock. Stages build events without the last two;
``run_turn`` stamps them. ``to_json`` and ``from_json`` round-trip every event (property-tested).
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, TypeAdapter
from pydantic.dataclasses import dataclass

from assistant.errors import Stage
from tools.contract import JsonObject, Level

_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class _Event:
    turn_id: str = ""
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class WakeDetected(_Event):
    """The wake word was heard; ``audio_ms`` is the position in the audio, ``score`` is 0–1."""

    word: str
    score: float
    audio_ms: float
    kind: Literal["wake_detected"] = "wake_detected"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class SpeechStarted(_Event):
    """Speech began at ``audio_ms``."""

    audio_ms: float
    kind: Literal["speech_started"] = "speech_started"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class SpeechEnded(_Event):
    """Endpointing decided at ``audio_ms`` that the utterance is over; the last speech was at ``speech_end_ms``."""

    audio_ms: float
    speech_end_ms: float
    reason: Literal["silence", "max_length", "end_of_audio"]
    kind: Literal["speech_ended"] = "speech_ended"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class PartialTranscript(_Event):
    text: str
    kind: Literal["partial_transcript"] = "partial_transcript"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class Transcribed(_Event):
    """The transcript, wake phrase taken off. Typed utterances have ``engine="typed"`` and ``took_ms=0``."""

    text: str
    engine: str = "typed"
    language: str = "en"
    took_ms: float = 0.0
    kind: Literal["transcribed"] = "transcribed"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class SentenceMatched(_Event):
    """A sentence template fits: this call, without asking a model."""

    template: str
    tool: str
    arguments: JsonObject = field(default_factory=dict)
    took_ms: float = 0.0
    kind: Literal["sentence_matched"] = "sentence_matched"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class Narrowed(_Event):
    """The signals left these calls, best first; ``decided``: beyond doubt, so no model is asked.

    ``signals``: what was found (speech, names, time), the tools' scores, and which were excluded and why.
    """

    decided: bool
    candidates: tuple[JsonObject, ...] = ()
    signals: JsonObject = field(default_factory=dict)
    took_ms: float = 0.0
    kind: Literal["narrowed"] = "narrowed"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class FellBack(_Event):
    """The chat model that should have answered did not: ``model`` answered in its place, or (empty) none did."""

    instead_of: str
    model: str
    code: str
    detail: str
    kind: Literal["fell_back"] = "fell_back"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class ModelDelta(_Event):
    """A streamed text fragment of the model's answer."""

    text: str
    kind: Literal["model_delta"] = "model_delta"


ToolSource = Literal["sentence", "signals", "model", "confirmation"]
"""Who decided on a call: a template, clear signals, the model, or the person's yes."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class ToolCalled(_Event):
    tool: str
    arguments: JsonObject
    source: ToolSource
    kind: Literal["tool_called"] = "tool_called"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class ToolReturned(_Event):
    """What came back; ``arguments`` are canonical, ``result`` is the tool's data (or the error)."""

    tool: str
    arguments: JsonObject
    ok: bool
    level: Level | None
    spoken: str
    result: JsonObject
    took_ms: float = 0.0
    kind: Literal["tool_returned"] = "tool_returned"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class Phrased(_Event):
    """The model put several results into words of its own. ``spoken``: all of it stands in them, so that it is said;
    else ``reason`` is why not, and the tools' own sentences are said instead."""

    spoken: bool
    reason: str = ""
    took_ms: float = 0.0
    kind: Literal["phrased"] = "phrased"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class ConfirmationAsked(_Event):
    """The turn ends with a question; the next utterance of the conversation answers it, within ``expires_s``."""

    tool: str
    arguments: JsonObject
    spoken: str
    expires_s: float
    kind: Literal["confirmation_asked"] = "confirmation_asked"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class ReplySentence(_Event):
    """One sentence of the reply: ``text`` for the screen, ``spoken`` for the synthesizer."""

    text: str
    spoken: str
    kind: Literal["reply_sentence"] = "reply_sentence"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class AudioReady(_Event):
    """A chunk of reply speech: mono int16 little-endian PCM at ``sample_rate_hz``; ``first`` marks the first one."""

    pcm: bytes
    sample_rate_hz: int
    first: bool = False
    kind: Literal["audio_ready"] = "audio_ready"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class TurnInterrupted(_Event):
    reason: str
    kind: Literal["turn_interrupted"] = "turn_interrupted"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class Announcement(_Event):
    text: str
    kind: Literal["announcement"] = "announcement"


Matched = Literal["sentence", "signals", "model", "confirmation", "none"]


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class TurnFinished(_Event):
    """The turn is over and was answered. ``timings_ms`` as documented in ``docs/json-output.md``."""

    reply: str
    spoken: str
    matched: Matched
    timings_ms: dict[str, float | None] = field(default_factory=dict)
    kind: Literal["turn_finished"] = "turn_finished"


@dataclass(frozen=True, slots=True, kw_only=True, config=_config)
class TurnFailed(_Event):
    """The turn is over and failed at ``stage``; ``spoken`` was (or should be) said, ``detail`` is for the screen."""

    stage: Stage
    code: str
    spoken: str
    detail: str = ""
    mend: str = ""
    timings_ms: dict[str, float | None] = field(default_factory=dict)
    kind: Literal["turn_failed"] = "turn_failed"


TurnEvent = Annotated[
    WakeDetected
    | SpeechStarted
    | SpeechEnded
    | PartialTranscript
    | Transcribed
    | SentenceMatched
    | Narrowed
    | FellBack
    | ModelDelta
    | ToolCalled
    | ToolReturned
    | Phrased
    | ConfirmationAsked
    | ReplySentence
    | AudioReady
    | TurnInterrupted
    | Announcement
    | TurnFinished
    | TurnFailed,
    Discriminator("kind"),
]

_adapter: TypeAdapter[Any] = TypeAdapter(TurnEvent)


def to_json(event: TurnEvent) -> bytes:
    """The event as one JSON object (UTF-8); PCM is base64."""
    return _adapter.dump_json(event)


def from_json(data: bytes | str) -> TurnEvent:
    """The event that ``to_json`` wrote. Raises ``pydantic.ValidationError`` on anything else."""
    event: TurnEvent = _adapter.validate_json(data)
    return event

"""What ``jarvis bench voice`` found: the one documented object of ``--json`` (docs/voice-benchmark.md). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.bench.figures import percentile

Part = Literal["turns", "model", "stt", "wake", "silence", "idle", "home_assistant"]

Ending = Literal["answered", "not woken", "nothing heard", "failed", "timed out"]


class Frozen(BaseModel):
    """Base of the report's objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(Frozen):
    """Milliseconds over ``n`` measurements; percentiles by nearest rank."""

    n: int
    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread | None:
        """None where nothing was measured."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        p50, p95, most = (round(percentile(known, rank), 1) for rank in (0.5, 0.95, 1))
        return cls(n=len(known), p50=p50, p95=p95, max=most)


class Load(Frozen):
    """What else the machine did: a benchmark on a busy one says little about times."""

    before: float | None = Field(description="Processes that ran or waited for a core, one-minute average; or null.")
    after: float | None
    late_ms: float | None = Field(default=None, description="The most by which a chunk of audio was fed too late.")
    full_window_ms: float | None = Field(
        default=None,
        description="Whisper's time for the full 30 s window just before, alone; null where it is no Whisper.",
    )


class Turn(Frozen):
    """One spoken utterance. Times are milliseconds of the wall clock from the true end of speech."""

    id: str
    kind: str
    synthesizer: str
    voice: str
    said: str = Field(description="Without the wake phrase.")
    heard: str = Field(default="", description="The transcript.")
    ending: Ending
    error: str = Field(default="", description="Code of the failure.")
    decided_by: str = Field(default="none", description="sentence, signals, model or none.")
    endpoint_ms: float | None = Field(default=None, description="Until the utterance was taken for finished.")
    transcript_ms: float | None = None
    decision_ms: float | None = Field(default=None, description="Until the first tool call or sentence.")
    first_audio_ms: float | None = Field(default=None, description="Until the first audio of the reply.")
    cut_off: bool = Field(default=False, description="Taken for finished before it was.")
    speech_end_ms: float = Field(description="Where speech truly ends in the clip.")
    ended_at_ms: float | None = Field(default=None, description="How much of the clip was heard when it was decided.")
    words: int = Field(default=0, description="Words said.")
    word_errors: int = 0
    expected: tuple[str, ...] | None = Field(default=None, description="Calls that the words mean; null: no template.")
    called: tuple[str, ...] = ()
    right: bool | None = Field(default=None, description="Whether these are the same; null: not known.")
    late_ms: float = 0.0


class TurnRow(Frozen):
    """A group of turns. Times are those of turns that were not cut off."""

    group: str
    turns: int
    not_woken: int = Field(description="The wake word was missed.")
    heard: int = Field(description="Turns in which endpointing decided.")
    cut_off: int
    cut_off_share: float | None = Field(description="Of those heard.")
    failed: int = Field(description="Heard, and not answered.")
    timed_out: int
    endpoint: Spread | None
    transcript: Spread | None
    decision: Spread | None
    first_audio: Spread | None
    wer: float | None = Field(description="Word errors over words said, of those heard.")
    right: int
    judged: int = Field(description="Turns whose right calls are known.")


class TurnTable(Frozen):
    """Turns of one engine."""

    engine: str = Field(description="Who was allowed to decide, or the model that did.")
    rows: tuple[TurnRow, ...]
    turns: tuple[Turn, ...]
    load: Load


class SttGroup(Frozen):
    """The clips of one synthesizer, or of recorded people."""

    name: str
    clips: int
    wer: float
    name_accuracy: float | None


class SttRow(Frozen):
    """One way to transcribe, over the same clips in turn."""

    setting: str
    clips: int
    words: int = Field(description="Words said, the wake phrase not counted.")
    wer: float = Field(description="Word errors over words said.")
    median_ms: float
    p95_ms: float
    time_ratio: float = Field(description="Time over all clips, as a share of the first row's.")
    fell_back: dict[str, int] = Field(description="Why the full window was needed after the short one, and how often.")
    name_clips: int = Field(description="Clips in which a name of the house is said.")
    name_accuracy: float | None = Field(description="Of those, where the resolver finds the names said and no other.")
    names_wrong: int = Field(description="Of those, where it finds another one.")
    voices: int = Field(description="Voices that say names.")
    groups: tuple[SttGroup, ...]


class SttTable(Frozen):
    """Speech recognition."""

    rows: tuple[SttRow, ...]
    load: Load


class WakeRow(Frozen):
    """Utterances that begin with the wake phrase, in one kind of noise. ``stock``: openWakeWord itself at 0.5."""

    noise: str
    snr_db: float | None = Field(description="Speech over noise; null: as the clip is.")
    clips: int
    missed: int
    missed_stock: int
    latency: Spread | None = Field(description="From the end of the wake phrase, in the audio.")


class FalseAcceptRow(Frozen):
    """Audio in which nobody says the wake phrase. Bounds are one-sided, 95 %, Poisson."""

    audio: str
    clips: int
    hours: float
    accepts: int
    at_most_per_hour: float | None
    accepts_stock: int
    at_most_per_hour_stock: float | None


class WakeTable(Frozen):
    """The wake word."""

    rows: tuple[WakeRow, ...]
    false_accepts: tuple[FalseAcceptRow, ...]
    load: Load


class SilenceRow(Frozen):
    """Clips in which nobody speaks: as an utterance, and right after the wake phrase."""

    noise: str
    clips: int
    texts: int = Field(description="Turns with a text, without the wake phrase.")
    after_wake: int = Field(description="Clips after the wake phrase, where that was heard.")
    texts_after_wake: int


class SilenceTable(Frozen):
    """Where nobody speaks."""

    rows: tuple[SilenceRow, ...]
    texts: tuple[str, ...] = Field(description="What was heard, with the clip's id.")
    load: Load


class Idle(Frozen):
    """A process with ears and mouth and no chat model, listening to a quiet room."""

    seconds: float
    cpu_percent: float = Field(description="Of one core.")
    rss_mb: float = Field(description="Resident, shared pages included; 1 MB is 10^6 bytes.")
    pss_mb: float | None = Field(description="Shared pages by share; null where /proc does not say.")
    peak_mb: float | None = Field(description="The most that was resident, the turn before included.")
    load: Load


class AssistRow(Frozen):
    """Times from the true end of speech, of the clips that both answered."""

    who: str
    clips: int = Field(description="Given to both: commands of which it is seen where the wake phrase ends.")
    answered_by_both: int
    endpoint: Spread | None
    transcript: Spread | None
    decision: Spread | None
    first_audio: Spread | None


class AssistTurn(Frozen):
    """One clip through Home Assistant's pipeline; times as in a turn."""

    id: str
    heard: str
    reply: str
    error: str = Field(description="Its own code and message; empty: it answered.")
    endpoint_ms: float | None
    transcript_ms: float | None
    decision_ms: float | None
    first_audio_ms: float | None


class AssistTable(Frozen):
    """Beside a Home Assistant Assist pipeline, which gets the same clips without the wake phrase."""

    rows: tuple[AssistRow, ...]
    ratio: float | None = Field(description="Medians of the first audio: Jarvis's over Home Assistant's.")
    turns: tuple[AssistTurn, ...]
    load: Load


class Measure(Frozen):
    """One of the figures that are promised, and what it is."""

    part: Part
    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = Field(description="Whether the limit is the least that is wanted, not the most.")
    met: bool


class Conditions(Frozen):
    """What was measured, and where."""

    version: str
    python: str
    platform: str
    cores: int
    clips: int = Field(description="Clips in the folder.")
    voices: int = Field(description="Synthetic voices among them.")
    short: bool
    transcriber: str
    endpointing: str
    synthesizer: str


class VoiceReport(Frozen):
    """The whole. A part that was not asked for is null."""

    conditions: Conditions
    turns: TurnTable | None = None
    model: TurnTable | None = None
    stt: SttTable | None = None
    wake: WakeTable | None = None
    silence: SilenceTable | None = None
    idle: Idle | None = None
    home_assistant: AssistTable | None = None
    measures: tuple[Measure, ...] = ()

    @property
    def missed(self) -> tuple[Measure, ...]:
        """Measures that were not met."""
        return tuple(measure for measure in self.measures if not measure.met)

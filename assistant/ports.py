"""The narrow seams between the turn and everything that has hardware, a network or a model behind it.

Audio inside the assistant is always mono int16 at 16 kHz (``SAMPLE_RATE_HZ``) until it is speech to play, which has
the synthesizer's own rate. Each port has a small fake in ``tests/fakes.py``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.events import (
    ConfirmationAsked,
    FellBack,
    ModelDelta,
    Narrowed,
    Phrased,
    ReplySentence,
    SentenceMatched,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    ToolReturned,
    WakeDetected,
)
from tools.contract import Caller, CallOutcome, JsonObject

if TYPE_CHECKING:
    from assistant.conversation import Conversation

SAMPLE_RATE_HZ = 16_000
CHUNK_SAMPLES = 1_280
"""80 ms, what openWakeWord reads at once."""

Samples = NDArray[np.int16]
"""Mono int16 PCM at 16 kHz, shape (n,)."""


# ── ears ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class AudioSource(Protocol):
    """Audio as it comes: microphone, clip, network. ``endless``: it goes on until somebody stops listening; ``paced``:
    it comes at the pace of speech, else as fast as it is read."""

    endless: bool
    paced: bool

    def chunks(self) -> AsyncIterator[Samples]:
        """Yield chunks of CHUNK_SAMPLES (the last one may be shorter). Raises AudioError."""
        ...


@dataclass(frozen=True, slots=True)
class Detection:
    word: str
    score: float


class WakeWordDetector(Protocol):
    def process(self, chunk: Samples) -> Detection | None:
        """Feed CHUNK_SAMPLES; a detection at most once per refractory period. Raises WakeWordError."""
        ...

    def listen_for_stop(self, listen: bool) -> None:
        """Whether the word "stop" is a detection, too (``word="stop"``)."""
        ...


@dataclass(frozen=True, slots=True)
class Woken:
    """A detection, and the audio up to it."""

    detection: Detection
    pre_roll: Samples


class VoiceActivityDetector(Protocol):
    """Stateful, one per stream."""

    frame_samples: int

    def probability(self, frame: Samples) -> float:
        """Speech probability 0–1 of one frame of ``frame_samples``. Raises EndpointingError."""
        ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """One endpointed stretch of speech; ``audio_end_ms`` is where it ends in the source."""

    audio: Samples
    wake_heard: bool
    audio_end_ms: float
    began_at: float = 0.0
    """When it began to be spoken, in seconds of the event loop's clock; 0 where nobody looked."""


class Words(Enum):
    """What the words before a pause are worth to endpointing."""

    NONE = "none"
    """There are none, or none but the wake phrase."""
    WHOLE = "whole"
    """A sentence template reads all of them."""
    BROKEN_OFF = "broken_off"
    """They end where no sentence ends: "turn off the"."""
    DICTATED = "dictated"
    """They end in words of the person's own that may be all of it: "remind me to take out the trash"."""
    OPEN = "open"
    """Anything else."""


class Paused:
    """Silence has begun: this may be the whole utterance, or the person goes on (Resumed) and it was not.

    ``brief``: so far only the wake word has been heard, and what else was said in the same breath. A reader that
    transcribes it says so (``words_follow``) and then what the words are worth (``tell``); the listener waits for that.
    """

    def __init__(self, utterance: Utterance, *, brief: bool = False, on_words: Callable[[Words | None], None]) -> None:
        """``on_words``: called with None when words follow, then with what they are worth."""
        self.utterance = utterance
        self.brief = brief
        self._on_words = on_words

    def words_follow(self) -> None:
        """The reader is going to ``tell``."""
        self._on_words(None)

    def tell(self, words: Words) -> None:
        """What the words are worth. May come late, then it changes nothing."""
        self._on_words(words)


@dataclass(frozen=True, slots=True)
class Resumed:
    """The person goes on speaking at ``at_ms``; what was made of the pause is worth nothing."""

    at_ms: float


HearingEvent = WakeDetected | SpeechStarted | SpeechEnded
Hearing = HearingEvent | Paused | Resumed | Utterance


class EndOfTurn(Protocol):
    """Hears whether a person has finished."""

    def probability(self, audio: Samples) -> float:
        """Probability 0–1 that the turn is complete with this audio, which ends at the pause. Blocking, some tens of
        milliseconds. Raises EndpointingError."""
        ...


class Listener(Protocol):
    """Wake word and endpointing over one source; the same object serves turn after turn."""

    def hear(
        self,
        source: AudioSource,
        *,
        wake: bool,
        woken: Woken | None = None,
        start_within_s: float | None = None,
    ) -> AsyncGenerator[Hearing, None]:
        """Yield what is heard and end after one Utterance.

        ``wake``: wait for a wake word first; ``woken``: it has been heard already, while the assistant was speaking;
        ``start_within_s``: time to start speaking, where it is not the configured one. Raises AudioError,
        WakeWordError, EndpointingError.
        """
        ...

    def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        """Wake words, and "stop", while the assistant is speaking; goes on until it is closed. Raises AudioError,
        WakeWordError."""
        ...

    def was_false(self) -> None:
        """Nothing was said after the last wake word: it was none."""
        ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """What STT returns; ``text`` is empty when nothing was said."""

    text: str
    language: str
    engine: str
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    window_s: float = 0.0
    """Length of the encoder's window; 0 where the engine does not say."""
    fell_back: str = ""
    """Why the full window was needed after the short one; empty: it was not."""


class Transcriber(Protocol):
    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        """``woken``: the wake phrase was heard in it, before what is wanted. Raises TranscriptionError."""
        ...


# ── mouth ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Mono int16 little-endian PCM."""

    pcm: bytes
    sample_rate_hz: int


class Synthesizer(Protocol):
    def synthesize(self, text: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speech for one sentence; closing it ends the work. Raises SynthesisError."""
        ...


class Player(Protocol):
    async def play(self, chunk: SpeechChunk) -> None:
        """Queue the chunk for the loudspeaker; returns when it is accepted. Raises PlaybackError."""
        ...

    async def drain(self) -> None:
        """Wait until all that was queued has been played."""
        ...

    def stop(self) -> None:
        """Be silent now; what was queued is forgotten."""
        ...


Cue = Literal["listening", "your_turn", "failed", "stopped", "ringing"]
"""Sounds that say what is going on: woken; your answer, please; it failed; it is silent now; a timer is done."""


class Cues(Protocol):
    async def play(self, cue: Cue) -> None:
        """Queue the sound for the loudspeaker. Raises PlaybackError."""
        ...


# ── brain ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ToolCallRequest:
    """A call that a model wants; ``arguments`` is None when they could not be read as a JSON object."""

    id: str
    name: str
    arguments: JsonObject | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The end of one answer of the model: text, or calls, never silently both lost."""

    text: str
    tool_calls: tuple[ToolCallRequest, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
    fallen: FellBack | None = None
    """Which model should have answered, when another had to."""
    tokens_cached: int | None = None
    """Of ``tokens_in``, what the server had in its prompt cache; None where it does not say."""


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """A tool as the model sees it: JSON schema without ``title`` keys."""

    name: str
    description: str
    input_schema: JsonObject
    read_only: bool = True

    def as_openai(self) -> JsonObject:
        """OpenAI's function form."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.input_schema},
        }


class ChatModel(Protocol):
    @property
    def name(self) -> str:
        """Of the model, for people."""
        ...

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolDescription],
        *,
        seed: int | None = None,
        temperature: float = 0.0,
        schema: JsonObject | None = None,
    ) -> AsyncGenerator[ModelDelta | ModelReply, None]:
        """Stream deltas and end with exactly one ModelReply. With a ``schema`` there need be no deltas. Raises
        ChatError."""
        ...

    async def warm(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolDescription]) -> None:
        """Put the constant prefix into the KV cache. Raises ChatError."""
        ...


class DeviceName(NamedTuple):
    """``kind``: light, switch, cover, entrance, lock, sensor, …"""

    name: str
    area: str
    kind: str


@dataclass(frozen=True, slots=True)
class Names:
    """The live names with their aliases, per kind (``service``, ``job``, …), as ``jarvis://names`` has them."""

    by_kind: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    devices: tuple[DeviceName, ...] = ()
    """Lights and devices of the home; a name may stand in several areas."""


class Toolbox(Protocol):
    """The tools, reached over MCP."""

    async def tools(self) -> tuple[ToolDescription, ...]:
        """In a fixed order. Raises ToolboxError."""
        ...

    async def names(self) -> Names:
        """Raises ToolboxError."""
        ...

    async def call(self, name: str, arguments: JsonObject, caller: Caller) -> CallOutcome:
        """Plan → policy → execute, in the server. A refusal is an outcome; ToolboxError is a sick server."""
        ...


class Embedder(Protocol):
    """Sentences as vectors whose dot product is their likeness."""

    @property
    def name(self) -> str:
        """Of the model: other vectors, other name."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), n). Blocking, some milliseconds. Raises ModelFilesError."""
        ...


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call that an utterance asks for, names as they were said or canonical."""

    tool: str
    arguments: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentenceMatch:
    """What templates read out of an utterance: a call and perhaps ``more`` after it, or only an ``answer`` to say."""

    template: str
    tool: str = ""
    arguments: JsonObject = field(default_factory=dict)
    more: tuple[WantedCall, ...] = ()
    answer: str = ""

    @property
    def calls(self) -> tuple[WantedCall, ...]:
        """In the order in which they were asked for."""
        return (WantedCall(self.tool, self.arguments), *self.more) if self.tool else ()


class SentenceMatcher(Protocol):
    def match(self, text: str, last: WantedCall | None = None) -> SentenceMatch | None:
        """The calls that templates read out of ``text``; None is always allowed, a wrong call never is.

        ``last``: the call that this conversation made last, which "it" and "that one" refer to.
        """
        ...


ReplyEvent = (
    SentenceMatched
    | Narrowed
    | FellBack
    | ModelDelta
    | ToolCalled
    | ToolReturned
    | Phrased
    | ConfirmationAsked
    | ReplySentence
)
"""What the reply stage yields."""

Engine = Literal["sentences", "model", "both", "bare"]
"""Who may decide: sentence templates only; narrowing and the model; templates first and then these; or, to compare
with, the bare model with all tools and nothing before it."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The outcome of a call that was made before it was certain to be wanted."""

    outcome: CallOutcome
    took_ms: float


class Ahead(Protocol):
    """Work that is under way for an utterance before it is certain to be one, and that nothing depends on."""

    def drop(self) -> None:
        """Nobody needs it."""
        ...


@dataclass(frozen=True, slots=True)
class Foresight:
    """What has been found out about an utterance before it was certain to be one: its sentence match, calls that only
    read, and what the model takes it for. It is worth something for the same text in the same conversation only."""

    text: str
    words: Words
    looked: bool = False
    """Whether templates were asked; ``match`` None then means that none of them fits."""
    match: SentenceMatch | None = None
    calls: Mapping[int, Awaitable[Foreseen]] = field(default_factory=dict)
    """By position among the match's calls."""
    choice: Ahead | None = None
    """The model's choice among the calls that it could mean, which is made of nothing yet."""

    def drop(self) -> None:
        """The person went on speaking."""
        if self.choice is not None:
            self.choice.drop()


class Replier(Protocol):
    """Text in, reply out: sentence match, else model and tools."""

    async def foresee(self, text: str, conversation: Conversation, caller: Caller, engine: Engine) -> Foresight:
        """Look ahead, while it is not certain that ``text`` is all that is said. Changes nothing, anywhere. Raises
        ToolboxError."""
        ...

    def reply(
        self,
        text: str,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        foresight: Foresight | None = None,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield what happens and the reply's sentences. Raises ChatError, ToolboxError."""
        ...

"""The turn: what happens to an utterance, top to bottom.

    hear → transcribe → reply (sentence match, or model and tools) → speak

``run_turn`` yields the turn's events; every door, trace and test reads that one stream. Text doors skip the ears and
chat skips the mouth. Whatever fails names its stage, has a code, and is spoken; nothing else leaves this module.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeVar

from assistant.conversation import Conversation
from assistant.errors import InternalError, JarvisError, Stage, StageError, TranscriptionError
from assistant.events import (
    AudioReady,
    ReplySentence,
    Transcribed,
    TurnEvent,
    TurnFailed,
    TurnFinished,
)
from assistant.merge import Done, merge
from assistant.outcome import TurnOutcome, timings
from assistant.phrases import spoken_for
from assistant.ports import (
    AudioSource,
    Engine,
    Listener,
    Paused,
    Player,
    Replier,
    ReplyEvent,
    Resumed,
    SpeechChunk,
    Synthesizer,
    Transcriber,
    Utterance,
)
from assistant.text.transcript import clean_transcript
from tools.contract import Caller

log = logging.getLogger(__name__)
E = TypeVar("E", bound=TurnEvent)


@dataclass(frozen=True, slots=True)
class Stages:
    """What a turn runs on. A text door leaves out the ears, a silent one the mouth."""

    replier: Replier
    listener: Listener | None = None
    transcriber: Transcriber | None = None
    synthesizer: Synthesizer | None = None
    player: Player | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """One utterance and how it is to be treated.

    ``utterance`` is typed text or a source of audio; ``wake``: wait for the wake word first; ``engine``: who may
    decide; ``caller``: who asks, by which door.
    """

    turn_id: str
    utterance: str | AudioSource
    caller: Caller
    wake: bool = False
    engine: Engine = "both"


async def run_turn(
    request: TurnRequest, stages: Stages, conversation: Conversation, clock: Callable[[], float] = time.perf_counter
) -> AsyncGenerator[TurnEvent, None]:
    """Run one turn; the last event is TurnFinished or TurnFailed, and no exception but cancellation gets out."""
    turn = _Timeline(request.turn_id, clock)
    try:
        async with aclosing(_utterance_to_text(request, stages)) as heard:
            async for event in heard:
                yield turn.stamp(event)
        async with aclosing(_aloud(_reply(request, stages, conversation, turn.text), stages)) as answer:
            async for event in answer:
                yield turn.stamp(event)
    except JarvisError as error:
        async for event in _failure(error, stages, turn):
            yield event
    except Exception as error:  # the turn's edge: a bug is logged and said, not lost with its door
        log.exception("turn %s failed inside", request.turn_id)
        internal = InternalError("internal_error", f"{type(error).__name__} inside the turn; the log has the rest.")
        async for event in _failure(internal, stages, turn):
            yield event
    else:
        yield turn.finished()


async def _utterance_to_text(request: TurnRequest, stages: Stages) -> AsyncGenerator[TurnEvent, None]:
    """Typed text as it is; audio through the ears and Whisper. Ends with Transcribed."""
    if isinstance(request.utterance, str):
        yield Transcribed(text=request.utterance.strip())
        return
    if stages.listener is None or stages.transcriber is None:
        raise TranscriptionError("no_ears", "This door was opened without speech recognition.")
    async with aclosing(stages.listener.hear(request.utterance, wake=request.wake)) as hearing:
        async for heard in hearing:
            if isinstance(heard, Utterance):
                yield await _transcribe(heard, stages.transcriber)
            elif not isinstance(heard, Paused | Resumed):
                yield heard


async def _transcribe(utterance: Utterance, transcriber: Transcriber) -> Transcribed:
    started = time.perf_counter()
    transcript = await transcriber.transcribe(utterance.audio)
    text = clean_transcript(transcript.text)
    if not text:
        raise TranscriptionError("nothing_heard", "There was sound, but no words in it.")
    took_ms = (time.perf_counter() - started) * 1000
    return Transcribed(text=text, engine=transcript.engine, language=transcript.language, took_ms=took_ms)


def _reply(
    request: TurnRequest, stages: Stages, conversation: Conversation, text: str
) -> AsyncGenerator[ReplyEvent, None]:
    caller = request.caller.model_copy(update={"turn_id": request.turn_id})
    return stages.replier.reply(text, conversation, caller, request.engine)


async def _aloud(
    reply: AsyncGenerator[ReplyEvent, None], stages: Stages
) -> AsyncGenerator[ReplyEvent | AudioReady, None]:
    """The reply's events as they come and, beside them, the speech of each sentence while the next is being found."""
    if stages.synthesizer is None:
        async with aclosing(reply):
            async for silent in reply:
                yield silent
        return
    sentences: asyncio.Queue[str | Done] = asyncio.Queue()
    failures: list[JarvisError] = []

    async def thinking() -> AsyncIterator[ReplyEvent | AudioReady]:
        try:
            async with aclosing(reply):
                async for event in reply:
                    yield event
                    if isinstance(event, ReplySentence):
                        sentences.put_nowait(event.spoken)
        except JarvisError as error:
            failures.append(error)
        finally:
            sentences.put_nowait(Done.DONE)

    async with aclosing(merge(thinking(), _speak(sentences, stages))) as both:
        async for event in both:
            yield event
    for failure in failures:  # raised only now, so that what was found before it has been said in full
        raise failure


async def _speak(sentences: asyncio.Queue[str | Done], stages: Stages) -> AsyncIterator[ReplyEvent | AudioReady]:
    """Synthesize sentence by sentence; play each chunk where there is a player."""
    first = True
    while (sentence := await sentences.get()) is not Done.DONE:
        async for chunk in _synthesized(str(sentence), stages):
            yield AudioReady(pcm=chunk.pcm, sample_rate_hz=chunk.sample_rate_hz, first=first)
            first = False
    if stages.player is not None:
        await stages.player.drain()


async def _synthesized(sentence: str, stages: Stages) -> AsyncIterator[SpeechChunk]:
    if stages.synthesizer is None or not sentence.strip():
        return
    async for chunk in stages.synthesizer.synthesize(sentence):
        if stages.player is not None:
            await stages.player.play(chunk)
        yield chunk


async def _failure(error: JarvisError, stages: Stages, turn: _Timeline) -> AsyncIterator[TurnEvent]:
    """Say what failed, where there is a mouth left to say it with, then close the turn."""
    stage = error.stage if isinstance(error, StageError) else Stage.DECISION
    spoken = spoken_for(error)
    if stage not in (Stage.SYNTHESIS, Stage.PLAYBACK):
        try:
            first = True
            async for chunk in _synthesized(spoken, stages):
                yield turn.stamp(AudioReady(pcm=chunk.pcm, sample_rate_hz=chunk.sample_rate_hz, first=first))
                first = False
            if stages.player is not None:
                await stages.player.drain()
        except StageError as mute:
            log.warning("the failure could not be spoken: %s", mute.code)
    yield turn.failed(error, stage, spoken)


@dataclass(slots=True)
class _Timeline:
    """Stamps events with the turn's id and time, and remembers enough of them for the timings."""

    turn_id: str
    clock: Callable[[], float]
    started: float = field(init=False)
    log: list[TurnEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def text(self) -> str:
        return next((e.text for e in reversed(self.log) if isinstance(e, Transcribed)), "")

    def stamp(self, event: E) -> E:
        stamped = replace(event, turn_id=self.turn_id, at_ms=round((self.clock() - self.started) * 1000, 2))
        self.log.append(replace(stamped, pcm=b"") if isinstance(stamped, AudioReady) else stamped)
        return stamped

    def finished(self) -> TurnFinished:
        outcome = TurnOutcome.from_events(self.log)
        event = self.stamp(TurnFinished(reply=outcome.reply, spoken=outcome.spoken, matched=outcome.matched))
        return replace(event, timings_ms=timings(self.log).model_dump())

    def failed(self, error: JarvisError, stage: Stage, spoken: str) -> TurnFailed:
        event = self.stamp(
            TurnFailed(stage=stage, code=error.code, spoken=spoken, detail=error.detail, mend=error.mend)
        )
        return replace(event, timings_ms=timings(self.log).model_dump())

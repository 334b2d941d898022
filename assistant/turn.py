"""The turn: what happens to an utterance, top to bottom.

    hear → transcribe → reply (sentence match, or model and tools) → speak

``run_turn`` yields the turn's events; every door, trace and test reads that one stream. Text doors skip the ears and
chat skips the mouth. Whatever fails names its stage, has a code, and is spoken; nothing else leaves this module.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from assistant.conversation import Conversation
from assistant.draft import Draft
from assistant.errors import InternalError, JarvisError, Stage, StageError, TranscriptionError
from assistant.events import PartialTranscript, Transcribed, TurnEvent, WakeDetected
from assistant.own_voice import OwnVoice
from assistant.phrases import spoken_for
from assistant.pin_answers import take_pin
from assistant.ports import (
    AudioSource,
    Cue,
    Cues,
    Engine,
    Foresight,
    Listener,
    Paused,
    Player,
    Replier,
    ReplyEvent,
    Resumed,
    Synthesizer,
    Transcriber,
    Utterance,
    Woken,
    Words,
)
from assistant.speaking import aloud, say
from assistant.text.spoken_pin import LEAST_DIGITS
from assistant.text.wake_phrase import DEFAULT_WAKE_WORDS
from assistant.timeline import Timeline
from tools.contract import Caller

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stages:
    """What a turn runs on. A text door leaves out the ears, a silent one the mouth.

    ``cues``: short sounds beside the speech; ``own_voice``: what the assistant said lately, so that it is not answered;
    ``wake_words``: by name, as their phrases are taken off the transcript.
    """

    replier: Replier
    listener: Listener | None = None
    transcriber: Transcriber | None = None
    synthesizer: Synthesizer | None = None
    player: Player | None = None
    cues: Cues | None = None
    own_voice: OwnVoice | None = None
    wake_words: Sequence[str] = DEFAULT_WAKE_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """One utterance and how it is to be treated.

    ``utterance`` is typed text or a source of audio; ``wake``: wait for the wake word first; ``woken``: it was heard
    already; ``follow_up_s``: the answer to a question, so many seconds long awaited, and no failure when there is none;
    ``engine``: who may decide; ``caller``: who asks, by which door; ``speculate``: work on what has been said while it
    is not certain that it is all; ``sentences``: how many of the reply are said aloud.
    """

    turn_id: str
    utterance: str | AudioSource
    caller: Caller
    wake: bool = False
    woken: Woken | None = None
    follow_up_s: float | None = None
    engine: Engine = "both"
    speculate: bool = True
    sentences: int = 2


async def run_turn(
    request: TurnRequest, stages: Stages, conversation: Conversation, clock: Callable[[], float] = time.perf_counter
) -> AsyncGenerator[TurnEvent, None]:
    """Run one turn; the last event is TurnFinished or TurnFailed, and no exception but cancellation gets out."""
    turn = Timeline(request.turn_id, clock)
    try:
        async with aclosing(_utterance_to_text(request, stages, conversation, turn)) as heard:
            async for event in heard:
                yield turn.stamp(event)
        async with aclosing(aloud(_reply(request, stages, conversation, turn), stages, request.sentences)) as answer:
            async for event in answer:
                yield turn.stamp(event)
    except JarvisError as error:
        async for event in _failure(error, request, stages, turn):
            yield event
    except Exception as error:  # the turn's edge: a bug is logged and said, not lost with its door
        log.exception("turn %s failed inside", request.turn_id)
        internal = InternalError("internal_error", f"{type(error).__name__} inside the turn; the log has the rest.")
        async for event in _failure(internal, request, stages, turn):
            yield event
    else:
        yield turn.finished()


async def _utterance_to_text(
    request: TurnRequest, stages: Stages, conversation: Conversation, turn: Timeline
) -> AsyncGenerator[TurnEvent, None]:
    """Typed text as it is; audio through the ears and Whisper. Ends with Transcribed."""
    if isinstance(request.utterance, str):
        text, turn.pin = take_pin(request.utterance.strip(), conversation)
        yield Transcribed(text=text)
        return
    if stages.listener is None or stages.transcriber is None:
        raise TranscriptionError("no_ears", "This door was opened without speech recognition.")

    def draft_of(utterance: Utterance, pause: Paused | None = None) -> Draft:
        return Draft(utterance, transcriber, partial(_foresee, request, stages, conversation), pause, stages.wake_words)

    transcriber = stages.transcriber
    if request.follow_up_s is not None:
        await _cue(stages, "your_turn")
    hearing = stages.listener.hear(
        request.utterance, wake=request.wake, woken=request.woken, start_within_s=request.follow_up_s
    )
    draft: Draft | None = None
    try:
        async with aclosing(hearing):
            async for heard in hearing:
                match heard:
                    case Paused():
                        draft = draft_of(heard.utterance, heard) if request.speculate else None
                    case Resumed():
                        if draft is not None:
                            draft.drop()
                            if (so_far := draft.so_far()) and not conversation.awaits_pin:
                                yield PartialTranscript(text=so_far)
                        draft = None
                    case Utterance():
                        if draft is None or not draft.is_of(heard):
                            draft = draft_of(heard)
                        drafted = await draft.made()
                        draft = None
                        _check_own_voice(drafted.heard.text, heard, stages)
                        turn.foresight = drafted.foresight
                        text, turn.pin = take_pin(drafted.heard.text, conversation)
                        yield replace(drafted.heard, text=text)
                    case _:
                        yield heard
                        if isinstance(heard, WakeDetected):
                            await _cue(stages, "listening")
    finally:
        if draft is not None:
            draft.drop()


async def _foresee(request: TurnRequest, stages: Stages, conversation: Conversation, text: str) -> Foresight:
    """Of an answer with a PIN in it nothing is looked ahead: nobody else is to see it."""
    _, pin = take_pin(text, conversation)
    if pin is not None:
        return Foresight(text, Words.OPEN if len(pin) >= LEAST_DIGITS else Words.BROKEN_OFF)
    return await stages.replier.foresee(text, conversation, _caller(request), request.engine)


def _check_own_voice(text: str, utterance: Utterance, stages: Stages) -> None:
    """Raises TranscriptionError own_voice when the microphone has only heard the loudspeaker."""
    if stages.own_voice is not None and stages.own_voice.said(text, utterance.began_at):
        raise TranscriptionError("own_voice", "The microphone heard the assistant's own voice.")


async def _cue(stages: Stages, cue: Cue) -> None:
    if stages.cues is not None:
        await stages.cues.play(cue)


def _caller(request: TurnRequest) -> Caller:
    return request.caller.model_copy(update={"turn_id": request.turn_id})


def _reply(
    request: TurnRequest, stages: Stages, conversation: Conversation, turn: Timeline
) -> AsyncGenerator[ReplyEvent, None]:
    caller = _caller(request).model_copy(update={"pin": turn.pin})
    return stages.replier.reply(turn.text, conversation, caller, request.engine, turn.foresight)


async def _failure(
    error: JarvisError, request: TurnRequest, stages: Stages, turn: Timeline
) -> AsyncIterator[TurnEvent]:
    """Say what failed, where there is a mouth left to say it with, then close the turn."""
    stage = error.stage if isinstance(error, StageError) else Stage.DECISION
    no_failure = error.code == "own_voice" or (error.code == "nothing_heard" and request.follow_up_s is not None)
    spoken = "" if no_failure else spoken_for(error)
    if error.code == "nothing_heard" and stages.listener is not None and (request.wake or request.woken):
        stages.listener.was_false()
    if spoken and stage not in (Stage.SYNTHESIS, Stage.PLAYBACK):
        try:
            await _cue(stages, "failed")
            async for audio in say(spoken, stages):
                yield turn.stamp(audio)
        except StageError as mute:
            log.warning("the failure could not be spoken: %s", mute.code)
    yield turn.failed(error, stage, spoken)

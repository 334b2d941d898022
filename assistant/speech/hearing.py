"""One utterance: from the wake word, or from the first sound, to its end.

Chunks go through the VAD into the endpointer. At the first silence three things begin at once: the reader may
transcribe what there is so far (``Paused``), the turn model judges its sound, and listening goes on. Each is weighed as
soon as it comes; the words have a say even where the sound is sure, since nothing can be answered without them anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from assistant.errors import EndpointingError
from assistant.events import SpeechEnded, SpeechStarted
from assistant.ports import (
    EndOfTurn,
    Hearing,
    Paused,
    Resumed,
    Samples,
    Utterance,
    VoiceActivityDetector,
    WakeWordDetector,
    Words,
)
from assistant.speech.endpointing import (
    AskAgain,
    Decision,
    Ended,
    Endpointer,
    NothingSaid,
    PauseBegan,
    Started,
    WentOn,
)
from assistant.speech.frames import Frame, Frames
from assistant.speech.stream import Stream, to_samples

WAKE_TAIL_MS = 160.0
"""Speech this soon after the detection may still be the wake word's own end."""

BRIEF_MS = 400.0
"""Silence after the wake word after which it is asked whether all was said in one breath ("hey jarvis stop")."""

JUDGED_SILENCE_MS = 200.0
"""Silence at the end of what the turn model hears, as in its training (pipecat asks after 0.2 s); what there is not yet
is filled up."""

WORDS_TIMEOUT_S = 30.0
"""Longest wait for words that were announced, where audio comes faster than speech and has to wait for them."""


@dataclass(frozen=True, slots=True)
class Ears:
    """What listens. ``turn_model`` None: silence alone decides; ``wake_word`` None: none in this stream.

    ``run`` and ``judge`` take work off the event loop, each to a thread of its own.
    """

    vad: VoiceActivityDetector
    turn_model: EndOfTurn | None
    wake_word: WakeWordDetector | None
    run: Callable[[Callable[[], list[Frame]]], Awaitable[list[Frame]]]
    judge: Callable[[Callable[[], float]], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a hearing begins. ``at_ms``: position in the stream; ``woken``: right after a wake word; ``whole``: a clip
    that is one utterance to its end, whatever its pauses; ``paced``: the source comes at the pace of speech."""

    at_ms: float
    woken: bool
    whole: bool
    paced: bool


class OneHearing:
    """One call of :meth:`events`."""

    def __init__(self, stream: Stream, ears: Ears, endpointer: Endpointer, beginning: Beginning) -> None:
        self._stream = stream
        self._ears = ears
        self._endpointer = endpointer
        self._beginning = beginning
        self._frames = Frames(ears.vad, beginning.at_ms, deaf_ms=WAKE_TAIL_MS if beginning.woken else 0.0)
        self._out: asyncio.Queue[Hearing | BaseException] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._judging: set[asyncio.Task[None]] = set()
        self._began_ms: float | None = None
        self._pause: Paused | None = None
        self._pause_ms = 0.0
        self._words: Words | None = None
        self._told = asyncio.Event()
        self._awaited = False
        self._over = False
        self._brief_asked = not beginning.woken

    async def events(self) -> AsyncGenerator[Hearing, None]:
        """Yield what is heard, the Utterance last. Raises AudioError, EndpointingError nothing_heard."""
        self._start(self._listen())
        try:
            while True:
                item = await self._out.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
                self._out.task_done()  # by now the reader has dealt with it
                if isinstance(item, Utterance):
                    return
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            for task in tuple(self._tasks):
                with suppress(asyncio.CancelledError):
                    await task

    # ── listening ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        while (chunk := await self._stream.next()) is not None:
            frames = await self._ears.run(partial(self._frames.of, chunk))
            fed = self._start(self._feed_wake_word(chunk))
            for frame in frames:
                self._frame(frame)
            self._ask_whether_brief()
            await fed
            if not self._beginning.paced:
                await self._settle()
        await self._finish()

    async def _feed_wake_word(self, chunk: Samples) -> None:
        """Without pause, because its features are a stream; but nobody waits for it, so the frames come first."""
        if (wake_word := self._ears.wake_word) is not None:
            await self._ears.run(partial(_fed, wake_word, chunk))

    def _frame(self, frame: Frame) -> None:
        decision = None if self._over else self._endpointer.frame(*frame)
        if decision is not None:
            self._take(decision)

    def _take(self, decision: Decision) -> None:
        match decision:
            case Started(at_ms=at_ms):
                self._began_ms = at_ms
                self._pause, self._awaited, self._brief_asked = None, False, True
                self._stream.stop_forgetting()
                self._out.put_nowait(SpeechStarted(audio_ms=at_ms))
            case PauseBegan(speech_end_ms=end_ms) if not self._beginning.whole:
                self._ask_for_words(end_ms, brief=False)
                self._ask_turn_model(end_ms)
            case AskAgain(speech_end_ms=end_ms) if not self._beginning.whole:
                self._ask_turn_model(end_ms)
            case WentOn(at_ms=at_ms) if not self._beginning.whole:
                self._pause, self._awaited = None, False
                self._out.put_nowait(Resumed(at_ms))
            case Ended():
                self._end(decision)
            case NothingSaid(at_ms=at_ms):
                self._out.put_nowait(_nothing(at_ms))
            case _:
                pass

    def _end(self, ended: Ended) -> None:
        self._out.put_nowait(SpeechEnded(audio_ms=ended.at_ms, speech_end_ms=ended.speech_end_ms, reason=ended.reason))
        self._out.put_nowait(self._utterance(ended.speech_end_ms))
        self._over = True

    async def _finish(self) -> None:
        """The source has ended."""
        await self._settle()
        last = self._endpointer.finish(self._stream.heard_ms)
        if last is not None and not self._over:
            self._take(last)

    # ── the pause and its witnesses ───────────────────────────────────────────────────────────────────────────────

    def _ask_for_words(self, speech_end_ms: float, *, brief: bool) -> None:
        self._pause_ms, self._words, self._awaited = speech_end_ms, None, False
        self._told.clear()
        utterance = self._utterance(speech_end_ms)
        pause = Paused(utterance, brief=brief, on_words=lambda words: self._tell(pause, words))
        self._pause = pause
        self._out.put_nowait(pause)

    def _ask_whether_brief(self) -> None:
        if self._brief_asked or self._stream.heard_ms < self._beginning.at_ms + BRIEF_MS:
            return
        self._brief_asked = True
        self._ask_for_words(self._beginning.at_ms, brief=True)

    def _ask_turn_model(self, speech_end_ms: float) -> None:
        if self._ears.turn_model is not None:
            heard = self._stream.between(self._began_ms if not self._beginning.woken else None, self._stream.heard_ms)
            missing = max(to_samples(JUDGED_SILENCE_MS - (self._stream.heard_ms - speech_end_ms)), 0)
            audio = np.concatenate([heard, np.zeros(missing, dtype=np.int16)])
            judging = self._start(self._judge(self._ears.turn_model, audio, speech_end_ms))
            self._judging.add(judging)
            judging.add_done_callback(self._judging.discard)

    async def _judge(self, turn_model: EndOfTurn, audio: Samples, speech_end_ms: float) -> None:
        probability = await self._ears.judge(partial(turn_model.probability, audio))
        self._endpointer.judged(speech_end_ms, probability)
        self._look_again()

    def _tell(self, pause: Paused, words: Words | None) -> None:
        if pause is not self._pause or self._words is not None or self._over:
            return
        self._words = words
        if words is None:
            self._awaited = True
            if pause.brief:  # only words can tell whether anything was said, so without them there is no pause
                self._endpointer.pause_at(self._pause_ms)
                self._ask_turn_model(self._pause_ms)
            self._endpointer.words_follow(self._pause_ms)
            return
        self._awaited = False
        self._told.set()
        if words is Words.NONE:
            self._began_ms = None
        self._endpointer.told(self._pause_ms, words)
        self._look_again()

    def _look_again(self) -> None:
        """Something was said about the pause: is it over as of the audio's end?"""
        ended = None if self._over else self._endpointer.due(self._stream.heard_ms)
        if ended is not None:
            self._take(ended)

    async def _settle(self) -> None:
        """Where audio comes faster than speech nothing may run ahead of the witnesses."""
        await self._out.join()
        if self._judging:
            await asyncio.wait(self._judging)
        if self._awaited:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), WORDS_TIMEOUT_S)

    # ── odds and ends ─────────────────────────────────────────────────────────────────────────────────────────────

    def _utterance(self, speech_end_ms: float) -> Utterance:
        woken = self._beginning.woken
        found = self._stream.utterance(None if woken else self._began_ms, speech_end_ms, wake_heard=woken)
        began_ms = self._beginning.at_ms if self._began_ms is None else self._began_ms
        began_at = asyncio.get_running_loop().time() - (self._stream.heard_ms - began_ms) / 1000
        return replace(found, began_at=began_at)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended_task)
        return task

    def _ended_task(self, task: asyncio.Task[None]) -> None:
        """Whatever went wrong in it is raised where the reader waits."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._out.put_nowait(error)


def _fed(wake_word: WakeWordDetector, chunk: Samples) -> list[Frame]:
    """In the ears' thread. No frames."""
    wake_word.process(chunk)
    return []


def _nothing(at_ms: float) -> EndpointingError:
    return EndpointingError("nothing_heard", f"There was no speech in {at_ms / 1000:.1f} s of audio.")

"""The ears put together: wake word, then endpointing, over one stream of audio."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np

from assistant.config import EndpointSettings, WakeSettings
from assistant.errors import EndpointingError, WakeWordError
from assistant.events import SpeechEnded, SpeechStarted, WakeDetected
from assistant.ports import (
    SAMPLE_RATE_HZ,
    AudioSource,
    Hearing,
    Samples,
    Utterance,
    VoiceActivityDetector,
    WakeWordDetector,
)
from assistant.speech.endpointing import Decision, Ended, Endpointer, Started

T = TypeVar("T")

LEAD_MS = 300.0
"""Audio kept from before the first speech frame, so that no soft first consonant is lost."""

TAIL_MS = 200.0
"""Audio kept from after the last speech frame."""

WAKE_TAIL_MS = 160.0
"""Speech this soon after the detection may still be the wake word's own end."""

VAD_WARM_UP_MS = 512.0
"""Audio from before the detection that the VAD hears first: its state is worth nothing at the very beginning."""

NO_WAKE_KEPT_MS = 600.0
"""Audio kept while waiting for speech without a wake word: the lead and the frames that the VAD needs to be sure."""


class EarListener:
    """Implements Listener. The models run in one thread of its own, never in the event loop.

    With the wake word the utterance begins with the pre-roll: the whole phrase goes to Whisper, because the sentence
    may go on in the same breath; the phrase is taken off the transcript. A clip without a wake word is one utterance
    up to its end, pauses and all: whoever recorded it decided where it ends.
    """

    def __init__(
        self,
        make_wake_word: Callable[[], WakeWordDetector],
        make_vad: Callable[[], VoiceActivityDetector],
        wake: WakeSettings,
        endpoint: EndpointSettings,
    ) -> None:
        self._make_wake_word = make_wake_word
        self._make_vad = make_vad
        self._wake = wake
        self._endpoint = endpoint
        self._wake_word: WakeWordDetector | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ears")

    async def load(self) -> None:
        """Load the wake word model ahead of time. Raises WakeWordError."""
        await self._in_thread(self._loaded_wake_word)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def hear(
        self, source: AudioSource, *, wake: bool, start_within_s: float | None = None
    ) -> AsyncGenerator[Hearing, None]:
        """See the port. Raises WakeWordError no_wake_word, EndpointingError nothing_heard."""
        stream = _Stream(source, self._wake.pre_roll_s * 1000 if wake else NO_WAKE_KEPT_MS)
        from_ms = 0.0
        detector = await self._in_thread(partial(self._detector_for, source)) if wake else None
        if detector is not None:
            detection = await self._wait_for_wake_word(detector, stream)
            yield detection
            stream.stop_forgetting()
            from_ms = detection.audio_ms
        ear = _Ear(await self._in_thread(self._make_vad), self._endpointer(source, from_ms, wake=wake), from_ms)
        if wake:
            await self._in_thread(partial(ear.warm_up, stream.last(VAD_WARM_UP_MS)))
        began_ms = None
        while (chunk := await stream.next()) is not None:
            if detector is not None:
                await self._in_thread(partial(detector.process, chunk))  # without pause: its features are a stream
            for decision in await self._in_thread(partial(ear.feed, chunk)):
                if isinstance(decision, Started):
                    began_ms = decision.at_ms
                    stream.stop_forgetting()
                    yield SpeechStarted(audio_ms=decision.at_ms)
                elif isinstance(decision, Ended):
                    yield _ended(decision)
                    yield stream.utterance(None if wake else began_ms, decision.speech_end_ms, wake_heard=wake)
                    return
                else:
                    raise _nothing(decision.at_ms)
        last = ear.endpointer.finish(stream.heard_ms)
        if not isinstance(last, Ended):
            raise _nothing(stream.heard_ms)
        yield _ended(last)
        yield stream.utterance(None if wake else began_ms, last.speech_end_ms, wake_heard=wake)

    async def _wait_for_wake_word(self, detector: WakeWordDetector, stream: _Stream) -> WakeDetected:
        while (chunk := await stream.next()) is not None:
            detection = await self._in_thread(partial(detector.process, chunk))
            if detection is not None:
                return WakeDetected(word=detection.word, score=detection.score, audio_ms=stream.heard_ms)
        seconds = stream.heard_ms / 1000
        raise WakeWordError("no_wake_word", f"The audio ended after {seconds:.1f} s without the wake word.")

    def _endpointer(self, source: AudioSource, from_ms: float, *, wake: bool) -> Endpointer:
        settings = self._endpoint
        to_the_end = not wake and not source.endless
        return Endpointer(
            speech_probability=settings.speech_probability,
            silence_s=math.inf if to_the_end else settings.fixed_silence_s,
            max_utterance_s=math.inf if to_the_end else settings.max_utterance_s,
            start_timeout_s=None if to_the_end else settings.start_timeout_s,
            from_ms=from_ms,
        )

    def _loaded_wake_word(self) -> WakeWordDetector:
        if self._wake_word is None:
            self._wake_word = self._make_wake_word()
        return self._wake_word

    def _detector_for(self, source: AudioSource) -> WakeWordDetector:
        """The one that has heard this stream so far; a clip gets one that has heard nothing."""
        detector = self._loaded_wake_word()
        if not source.endless:
            self._wake_word = None
        return detector

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _Stream:
    """The source's chunks, with as much of the past as is wanted."""

    def __init__(self, source: AudioSource, kept_ms: float) -> None:
        self._chunks = source.chunks()
        self._keep: float = _samples(kept_ms)
        self._past: list[Samples] = []
        self._past_length = 0
        self._heard = 0

    @property
    def heard_ms(self) -> float:
        return self._heard * 1000 / SAMPLE_RATE_HZ

    def stop_forgetting(self) -> None:
        self._keep = math.inf

    async def next(self) -> Samples | None:
        """The next chunk, kept too; None at the end."""
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return None
        self._heard += len(chunk)
        self._past.append(chunk)
        self._past_length += len(chunk)
        while self._past_length - len(self._past[0]) - len(chunk) >= self._keep:  # the newest is not past yet
            self._past_length -= len(self._past.pop(0))
        return chunk

    def last(self, milliseconds: float) -> Samples:
        """The newest audio."""
        return _joined(self._past)[-_samples(milliseconds) :]

    def utterance(self, began_ms: float | None, speech_end_ms: float, *, wake_heard: bool) -> Utterance:
        """From the lead before ``began_ms`` (None: all that was kept) to the tail after the last speech."""
        past = _joined(self._past)
        kept_from = self._heard - len(past)
        begin = 0 if began_ms is None else max(_samples(began_ms - LEAD_MS) - kept_from, 0)
        end = min(_samples(speech_end_ms + TAIL_MS) - kept_from, len(past))
        return Utterance(past[begin:end], wake_heard=wake_heard, audio_end_ms=speech_end_ms)


class _Ear:
    """Cuts chunks into VAD frames and feeds the endpointer."""

    def __init__(self, vad: VoiceActivityDetector, endpointer: Endpointer, from_ms: float) -> None:
        self._vad = vad
        self._rest: Samples = np.zeros(0, dtype=np.int16)
        self._at = _samples(from_ms)
        self._deaf_until_ms = from_ms + WAKE_TAIL_MS if from_ms else 0.0
        self.endpointer = endpointer

    def warm_up(self, audio: Samples) -> None:
        size = self._vad.frame_samples
        for start in range(0, len(audio) - size + 1, size):
            self._vad.probability(audio[start : start + size])

    def feed(self, chunk: Samples) -> list[Decision]:
        audio, size = np.concatenate([self._rest, chunk]), self._vad.frame_samples
        decisions: list[Decision] = []
        while len(audio) >= size and not self.endpointer.over:
            probability = self._vad.probability(audio[:size])
            start_ms, end_ms = _ms(self._at), _ms(self._at + size)
            heard = probability if end_ms > self._deaf_until_ms else 0.0
            decision = self.endpointer.frame(start_ms, end_ms, heard)
            if decision is not None:
                decisions.append(decision)
            audio, self._at = audio[size:], self._at + size
        self._rest = audio
        return decisions


def _samples(milliseconds: float) -> int:
    return int(milliseconds * SAMPLE_RATE_HZ / 1000)


def _ms(samples: int) -> float:
    return samples * 1000 / SAMPLE_RATE_HZ


def _joined(pieces: list[Samples]) -> Samples:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)


def _ended(decision: Ended) -> SpeechEnded:
    return SpeechEnded(audio_ms=decision.at_ms, speech_end_ms=decision.speech_end_ms, reason=decision.reason)


def _nothing(at_ms: float) -> EndpointingError:
    return EndpointingError("nothing_heard", f"There was no speech in {at_ms / 1000:.1f} s of audio.")

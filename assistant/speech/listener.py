"""The ears put together: wake word, then one utterance, over one stream of audio."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from assistant.config import EndpointSettings, WakeSettings
from assistant.errors import WakeWordError
from assistant.events import WakeDetected
from assistant.ports import (
    AudioSource,
    Detection,
    EndOfTurn,
    Hearing,
    Samples,
    VoiceActivityDetector,
    WakeWordDetector,
    Woken,
)
from assistant.speech.endpointing import Endpointer, Patience
from assistant.speech.hearing import Beginning, Ears, OneHearing
from assistant.speech.stream import Stream

log = logging.getLogger(__name__)
T = TypeVar("T")

VAD_WARM_UP_MS = 512.0
"""Audio from before the detection that the VAD hears first: its state is worth nothing at the very beginning."""

NO_WAKE_KEPT_MS = 600.0
"""Audio kept while waiting for speech without a wake word: the lead and the frames that the VAD needs to be sure."""


class EarListener:
    """Implements Listener. Wake word and VAD run in one thread, the turn model in another, never in the event loop.

    With the wake word the utterance begins with the pre-roll: the whole phrase goes to Whisper, because the sentence
    may go on in the same breath; the phrase is taken off the transcript. A clip without a wake word is one utterance up
    to its end, pauses and all: whoever recorded it decided where it ends (ADR 10).
    """

    def __init__(
        self,
        make_wake_word: Callable[[], WakeWordDetector],
        make_vad: Callable[[], VoiceActivityDetector],
        wake: WakeSettings,
        endpoint: EndpointSettings,
        make_turn_model: Callable[[], EndOfTurn | None] | None = None,
        on_false_wake: Callable[[Woken], None] | None = None,
    ) -> None:
        self._make_wake_word = make_wake_word
        self._make_vad = make_vad
        self._make_turn_model = make_turn_model
        self._on_false_wake = on_false_wake
        self._wake = wake
        self._endpoint = endpoint
        self._wake_word: WakeWordDetector | None = None
        self._turn_model: EndOfTurn | None = None
        self._loading = threading.Lock()
        self._last_woken: Woken | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ears")
        self._judge_thread = ThreadPoolExecutor(1, thread_name_prefix="turn-model")

    async def load(self) -> None:
        """Load wake word and turn model ahead of time. Raises WakeWordError, EndpointingError."""
        await asyncio.gather(self._in_thread(self._loaded_wake_word), self._judge(self.turn_model))

    @property
    def threads(self) -> dict[str, Executor]:
        """For the watchdog."""
        return {"ears": self._thread, "turn model": self._judge_thread}

    def close(self) -> None:
        """End the threads."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._judge_thread.shutdown(wait=False, cancel_futures=True)

    async def hear(
        self,
        source: AudioSource,
        *,
        wake: bool,
        woken: Woken | None = None,
        start_within_s: float | None = None,
    ) -> AsyncGenerator[Hearing, None]:
        """See the port. Raises WakeWordError no_wake_word, EndpointingError nothing_heard."""
        spoken_to = wake or woken is not None
        stream = Stream(source, self._wake.pre_roll_s * 1000 if spoken_to else NO_WAKE_KEPT_MS)
        detector = await self._in_thread(partial(self._detector_for, source)) if spoken_to else None
        if detector is not None:
            if woken is None:
                woken = await self._wait_for_wake_word(detector, stream)
            else:
                stream.begin_with(woken.pre_roll)
            self._last_woken = woken
            found = woken.detection
            yield WakeDetected(word=found.word, score=found.score, audio_ms=stream.heard_ms)
            stream.stop_forgetting()
        whole = not spoken_to and not source.endless
        at_ms = stream.heard_ms
        vad = await self._in_thread(self._make_vad)
        if spoken_to:
            await self._in_thread(partial(_warm_up, vad, stream.last(VAD_WARM_UP_MS)))
        turn_model = None if whole else await self._judge(self.turn_model)
        ears = Ears(vad, turn_model, detector, self._in_thread, self._judge)
        beginning = Beginning(at_ms, woken=spoken_to, whole=whole, paced=source.paced)
        endpointer = self._endpointer(at_ms, whole=whole, judged=turn_model is not None, start_within_s=start_within_s)
        async with aclosing(OneHearing(stream, ears, endpointer, beginning).events()) as events:
            async for event in events:
                yield event

    async def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        """See the port."""
        stream = Stream(source, self._wake.pre_roll_s * 1000)
        detector = await self._in_thread(partial(self._detector_for, source))
        detector.listen_for_stop(True)
        try:
            while (chunk := await stream.next()) is not None:
                detection = await self._in_thread(partial(detector.process, chunk))
                if detection is not None:
                    yield Woken(detection, stream.past())
        finally:
            detector.listen_for_stop(False)

    def was_false(self) -> None:
        """Nothing was said after the last wake word: it was none."""
        if self._last_woken is not None and self._on_false_wake is not None:
            self._on_false_wake(self._last_woken)
        self._last_woken = None

    async def _wait_for_wake_word(self, detector: WakeWordDetector, stream: Stream) -> Woken:
        while (chunk := await stream.next()) is not None:
            detection: Detection | None = await self._in_thread(partial(detector.process, chunk))
            if detection is not None:
                return Woken(detection, stream.past())
        seconds = stream.heard_ms / 1000
        raise WakeWordError("no_wake_word", f"The audio ended after {seconds:.1f} s without the wake word.")

    def _endpointer(self, at_ms: float, *, whole: bool, judged: bool, start_within_s: float | None) -> Endpointer:
        settings = self._endpoint
        patience = Patience(
            finished_s=settings.silence_s,
            fixed_s=math.inf if whole else settings.fixed_silence_s,
            longest_s=settings.max_silence_s,
            turn_probability=settings.turn_probability,
            judged=judged,
        )
        return Endpointer(
            patience,
            speech_probability=settings.speech_probability,
            max_utterance_s=math.inf if whole else settings.max_utterance_s,
            start_timeout_s=None if whole else start_within_s or settings.start_timeout_s,
            from_ms=at_ms,
        )

    def _loaded_wake_word(self) -> WakeWordDetector:
        if self._wake_word is None:
            self._wake_word = self._make_wake_word()
        return self._wake_word

    def turn_model(self) -> EndOfTurn | None:
        """Loaded once, whoever asks: other ears may share it, since it remembers nothing. Blocking. Raises
        EndpointingError."""
        with self._loading:
            if self._turn_model is None and self._make_turn_model is not None:
                self._turn_model = self._make_turn_model()
            return self._turn_model

    def _detector_for(self, source: AudioSource) -> WakeWordDetector:
        """The one that has heard this stream so far; a clip gets one that has heard nothing."""
        detector = self._loaded_wake_word()
        if not source.endless:
            self._wake_word = None
        return detector

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _judge(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._judge_thread, work)


def _warm_up(vad: VoiceActivityDetector, audio: Samples) -> None:
    size = vad.frame_samples
    for start in range(0, len(audio) - size + 1, size):
        vad.probability(audio[start : start + size])

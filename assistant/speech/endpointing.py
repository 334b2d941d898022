"""Endpointing: when has an utterance begun, and when is it over? A pure state machine on virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

MIN_SPEECH_MS = 90.0
"""Speech shorter than this is a click: three VAD frames of 32 ms."""

HYSTERESIS = 0.15
"""Speech goes on until the probability falls this far below the threshold (silero's own post-processing)."""


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at ``at_ms``."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over as of ``at_ms``; the last speech was at ``speech_end_ms``."""

    at_ms: float
    speech_end_ms: float
    reason: Literal["silence", "max_length", "end_of_audio"]


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """No speech within the time to start."""

    at_ms: float


class _State(Enum):
    WAITING = 1
    SPEAKING = 2
    OVER = 3


Decision = Started | Ended | NothingSaid


class Endpointer:
    """Fed with frames in order; decides once that speech began and once that it is over.

    Times are milliseconds of the audio, of a frame's *end*. ``silence_s`` ends the utterance, ``max_utterance_s``
    bounds it, ``start_timeout_s`` bounds the wait for it (None: no bound, as in a clip).
    """

    def __init__(
        self,
        *,
        speech_probability: float,
        silence_s: float,
        max_utterance_s: float,
        start_timeout_s: float | None,
        from_ms: float = 0.0,
    ) -> None:
        self._threshold = speech_probability
        self._silence_ms = silence_s * 1000
        self._max_ms = max_utterance_s * 1000
        self._start_by_ms = from_ms + start_timeout_s * 1000 if start_timeout_s is not None else None
        self._state = _State.WAITING
        self._run_began: float | None = None
        self._started_ms = 0.0
        self._last_speech_ms = 0.0

    @property
    def over(self) -> bool:
        """Whether the last decision has been made."""
        return self._state is _State.OVER

    def frame(self, start_ms: float, end_ms: float, probability: float) -> Decision | None:
        """Feed one frame."""
        if self._state is _State.WAITING:
            return self._waiting(start_ms, end_ms, probability)
        if self._state is _State.SPEAKING:
            return self._speaking(end_ms, probability)
        return None

    def finish(self, at_ms: float) -> Ended | NothingSaid | None:
        """The audio is over."""
        if self._state is _State.OVER:
            return None
        speaking = self._state is _State.SPEAKING
        self._state = _State.OVER
        return Ended(at_ms, self._last_speech_ms, "end_of_audio") if speaking else NothingSaid(at_ms)

    def _waiting(self, start_ms: float, end_ms: float, probability: float) -> Started | NothingSaid | None:
        if probability >= self._threshold:
            if self._run_began is None:
                self._run_began = start_ms
            if end_ms - self._run_began >= MIN_SPEECH_MS:
                self._state = _State.SPEAKING
                self._started_ms, self._last_speech_ms = self._run_began, end_ms
                return Started(self._run_began)
            return None
        self._run_began = None
        if self._start_by_ms is not None and end_ms >= self._start_by_ms:
            self._state = _State.OVER
            return NothingSaid(end_ms)
        return None

    def _speaking(self, end_ms: float, probability: float) -> Ended | None:
        if probability >= self._threshold - HYSTERESIS:
            self._last_speech_ms = end_ms
        if end_ms - self._last_speech_ms >= self._silence_ms:
            self._state = _State.OVER
            return Ended(end_ms, self._last_speech_ms, "silence")
        if end_ms - self._started_ms >= self._max_ms:
            self._state = _State.OVER
            return Ended(end_ms, self._last_speech_ms, "max_length")
        return None

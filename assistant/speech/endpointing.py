"""Endpointing: when has an utterance begun, and when is it over? A pure state machine on virtual time.

Silence alone is a poor judge: people stop in the middle of a sentence for longer than they wait for an answer. So three
witnesses are heard: how long the silence is, how probable a finished turn is by its sound (smart-turn), and what the
words heard so far are worth (a whole command, or a sentence that breaks off). ``required_silence_s`` weighs them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from assistant.ports import Words

MIN_SPEECH_MS = 90.0
"""Speech shorter than this is a click: three VAD frames of 32 ms."""

RESUME_MS = 60.0
"""In a pause, speech is speech again after two frames: one alone is a click or the VAD's own flicker."""

HYSTERESIS = 0.15
"""Speech goes on until the probability falls this far below the threshold (silero's own post-processing)."""

HESITATION_S = 0.9
"""Longer than people hesitate in the middle of a sentence (0.8 s)."""

PAUSE_MS = 32.0
"""Silence after which the utterance may be over: one frame. Transcription starts on it. Two frames stop less often in
the middle of a word, which costs a run of Whisper each time, and every answer comes 32 ms later."""

ASK_AGAIN_S = (HESITATION_S, 1.7)
"""Silences after which the turn model is asked once more: it hears the longer silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Silences in seconds, by what the witnesses say.

    ``finished``: by its sound the turn is complete; ``fixed``: there is no turn model; ``longest``: whatever they say.
    """

    finished_s: float = 0.2
    fixed_s: float = 0.7
    longest_s: float = 3.0
    turn_probability: float = 0.5
    judged: bool = True


DOUBTFUL = 0.1
"""Probability of a finished turn below which it sounds unfinished; up to ``turn_probability`` it is doubtful."""

UNJUDGED = 3

BY_WORDS = {
    Words.WHOLE: (0.0, 0.3, 0.6, 0.0),
    Words.DICTATED: (0.6, HESITATION_S, 1.3, HESITATION_S),
    Words.OPEN: (HESITATION_S, 1.1, 1.5, HESITATION_S),
    Words.BROKEN_OFF: (1.3, math.inf, math.inf, 1.3),
}
NO_WORDS_S = (0.0, 1.0, math.inf)
"""Silences for what sounds finished, doubtful, unfinished, and for what nobody judges (UNJUDGED), by what the words
are worth; never less than ``finished_s``, never more than ``longest_s``."""

WORDS_LATE_S = 1.5
"""Silence after which words that were announced are no longer waited for."""


def required_silence_s(
    patience: Patience, probability: float | None, words: Words | None, *, awaited: bool = False
) -> float:
    """Seconds of silence after which the utterance is over.

    ``probability``: of a finished turn, None while nobody has judged the sound; ``words``: None while there is no
    transcript; ``awaited``: there is going to be one, and it is worth waiting for.
    """
    table = BY_WORDS.get(words or Words.NONE)
    late_s = WORDS_LATE_S if awaited and words is None else 0.0
    if not patience.judged:
        wanted = patience.fixed_s if table is None else max(table[UNJUDGED], patience.finished_s)
        return wanted if math.isinf(patience.fixed_s) else max(wanted, late_s)
    if probability is None:
        return patience.longest_s
    sounds = 0 if probability >= patience.turn_probability else 1 if probability >= DOUBTFUL else 2
    wanted = max((table or NO_WORDS_S)[sounds], patience.finished_s, late_s)
    return min(wanted, patience.longest_s)


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at ``at_ms``."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class PauseBegan:
    """Silence as of ``at_ms``; the last speech was at ``speech_end_ms``."""

    at_ms: float
    speech_end_ms: float


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The pause has grown: worth another judgement of its sound."""

    at_ms: float
    speech_end_ms: float


@dataclass(frozen=True, slots=True)
class WentOn:
    """The person speaks again as of ``at_ms``."""

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
    PAUSED = 3
    OVER = 4


Decision = Started | PauseBegan | AskAgain | WentOn | Ended | NothingSaid


class Endpointer:
    """Fed with frames in order; decides that speech began, paused, went on, and once that it is over.

    Times are milliseconds of the audio, of a frame's *end*. ``max_utterance_s`` bounds the utterance,
    ``start_timeout_s`` the wait for it (None: no bound, as in a clip). ``judged`` and ``told`` bring in the other two
    witnesses of the pause that is under way; what comes too late, about a pause that is no more, changes nothing.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        speech_probability: float,
        max_utterance_s: float,
        start_timeout_s: float | None,
        from_ms: float = 0.0,
    ) -> None:
        self._patience = patience
        self._threshold = speech_probability
        self._max_ms = max_utterance_s * 1000
        self._start_timeout_ms = (start_timeout_s or 0.0) * 1000
        self._start_by_ms = from_ms + self._start_timeout_ms if start_timeout_s is not None else None
        self._state = _State.WAITING
        self._run_began: float | None = None
        self._started_ms = 0.0
        self._last_speech_ms = 0.0
        self._probability: float | None = None
        self._words: Words | None = None
        self._awaited = False
        self._asked = 0

    @property
    def over(self) -> bool:
        """Whether the last decision has been made."""
        return self._state is _State.OVER

    def frame(self, start_ms: float, end_ms: float, probability: float) -> Decision | None:
        """Feed one frame."""
        if self._state is _State.WAITING:
            return self._waiting(start_ms, end_ms, probability)
        if self._state is _State.OVER:
            return None
        if end_ms - self._started_ms >= self._max_ms:
            return self._end(end_ms, "max_length")
        if self._state is _State.SPEAKING:
            return self._speaking(end_ms, probability)
        return self._paused(start_ms, end_ms, probability)

    def judged(self, speech_end_ms: float, probability: float) -> None:
        """By its sound the turn that paused at ``speech_end_ms`` is complete with this probability (0–1)."""
        if self._state is _State.PAUSED and speech_end_ms == self._last_speech_ms:
            self._probability = probability

    def pause_at(self, speech_end_ms: float) -> None:
        """No speech came after ``speech_end_ms``, but there may have been all of it before."""
        if self._state is _State.WAITING:
            self._started_ms = speech_end_ms
            self._begin_pause(speech_end_ms)

    def words_follow(self, speech_end_ms: float) -> None:
        """Somebody transcribes what was said before the pause at ``speech_end_ms``."""
        if self._state is _State.PAUSED and speech_end_ms == self._last_speech_ms:
            self._awaited = True

    def told(self, speech_end_ms: float, words: Words) -> None:
        """What the words before the pause at ``speech_end_ms`` are worth. None at all: that was a cough, or the wake
        word's own end, and the wait for speech begins again."""
        if self._state is not _State.PAUSED or speech_end_ms != self._last_speech_ms:
            return
        self._words = words
        if words is Words.NONE:
            self._state = _State.WAITING
            if self._start_by_ms is not None:
                self._start_by_ms = max(self._start_by_ms, speech_end_ms + self._start_timeout_ms)

    def due(self, at_ms: float) -> Ended | None:
        """The end, when what has been said about the pause since the last frame makes it be over as of ``at_ms``."""
        if self._state is not _State.PAUSED:
            return None
        required = required_silence_s(self._patience, self._probability, self._words, awaited=self._awaited)
        return self._end(at_ms, "silence") if at_ms - self._last_speech_ms >= required * 1000 else None

    def finish(self, at_ms: float) -> Ended | NothingSaid | None:
        """The audio is over."""
        if self._state is _State.OVER:
            return None
        if self._state is _State.WAITING:
            self._state = _State.OVER
            return NothingSaid(at_ms)
        return self._end(at_ms, "end_of_audio")

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

    def _speaking(self, end_ms: float, probability: float) -> PauseBegan | None:
        if probability >= self._threshold - HYSTERESIS:
            self._last_speech_ms = end_ms
        if end_ms - self._last_speech_ms < PAUSE_MS:
            return None
        self._begin_pause(self._last_speech_ms)
        return PauseBegan(end_ms, self._last_speech_ms)

    def _begin_pause(self, speech_end_ms: float) -> None:
        self._state, self._last_speech_ms, self._run_began = _State.PAUSED, speech_end_ms, None
        self._probability, self._words, self._awaited, self._asked = None, None, False, 0

    def _paused(self, start_ms: float, end_ms: float, probability: float) -> Decision | None:
        if probability >= self._threshold:
            if self._run_began is None:
                self._run_began = start_ms
            if end_ms - self._run_began >= RESUME_MS:
                self._state, self._last_speech_ms = _State.SPEAKING, end_ms
                return WentOn(self._run_began)
            return None
        self._run_began = None
        ended = self.due(end_ms)
        if ended is not None:
            return ended
        silence_s = (end_ms - self._last_speech_ms) / 1000
        if self._asked < len(ASK_AGAIN_S) and silence_s >= ASK_AGAIN_S[self._asked]:
            self._asked += 1
            return AskAgain(end_ms, self._last_speech_ms)
        return None

    def _end(self, at_ms: float, reason: Literal["silence", "max_length", "end_of_audio"]) -> Ended:
        self._state = _State.OVER
        return Ended(at_ms, self._last_speech_ms, reason)

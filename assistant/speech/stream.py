"""A source's chunks, with as much of the past as is wanted: the pre-roll, then the whole utterance."""

from __future__ import annotations

import math

import numpy as np

from assistant.ports import SAMPLE_RATE_HZ, AudioSource, Samples, Utterance

LEAD_MS = 300.0
"""Audio kept from before the first speech frame, so that no soft first consonant is lost."""

TAIL_MS = 200.0
"""Audio kept from after the last speech frame."""


class Stream:
    """One reader of one source. ``kept_ms``: how much of the past is remembered until ``stop_forgetting``."""

    def __init__(self, source: AudioSource, kept_ms: float) -> None:
        self._chunks = source.chunks()
        self._keep: float = to_samples(kept_ms)
        self._past: list[Samples] = []
        self._past_length = 0
        self._heard = 0

    @property
    def heard_ms(self) -> float:
        """Length of the audio so far."""
        return to_ms(self._heard)

    def stop_forgetting(self) -> None:
        """From now on all of it is the utterance."""
        self._keep = math.inf

    def begin_with(self, audio: Samples) -> None:
        """Audio that another reader took from the source before this one."""
        self._heard += len(audio)
        self._past.append(audio)
        self._past_length += len(audio)

    async def next(self) -> Samples | None:
        """The next chunk, kept too; None at the end. Raises AudioError."""
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return None
        self.begin_with(chunk)
        while self._past_length - len(self._past[0]) - len(chunk) >= self._keep:  # the newest is not past yet
            self._past_length -= len(self._past.pop(0))
        return chunk

    def last(self, milliseconds: float) -> Samples:
        """The newest audio."""
        return _joined(self._past)[-to_samples(milliseconds) :]

    def past(self) -> Samples:
        """All that is remembered."""
        return _joined(self._past)

    def between(self, began_ms: float | None, end_ms: float) -> Samples:
        """From the lead before ``began_ms`` (None: all that was kept) to ``end_ms``."""
        past = _joined(self._past)
        kept_from = self._heard - len(past)
        begin = 0 if began_ms is None else max(to_samples(began_ms - LEAD_MS) - kept_from, 0)
        return past[begin : min(to_samples(end_ms) - kept_from, len(past))]

    def utterance(self, began_ms: float | None, speech_end_ms: float, *, wake_heard: bool) -> Utterance:
        """From the lead before ``began_ms`` (None: all that was kept) to the tail after the last speech."""
        audio = self.between(began_ms, speech_end_ms + TAIL_MS)
        return Utterance(audio, wake_heard=wake_heard, audio_end_ms=speech_end_ms)


def to_samples(milliseconds: float) -> int:
    """At 16 kHz."""
    return int(milliseconds * SAMPLE_RATE_HZ / 1000)


def to_ms(samples: int) -> float:
    """At 16 kHz."""
    return samples * 1000 / SAMPLE_RATE_HZ


def _joined(pieces: list[Samples]) -> Samples:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

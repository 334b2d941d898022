"""What the assistant said lately, so that it does not answer its own voice. Pure but for the clock that it is given.

A microphone beside a loudspeaker hears the reply. What was heard while the loudspeaker was on, or right after, and
reads like what was being said is dropped; later only a whole sentence is, since people do repeat a word of a question.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, zip_longest

from rapidfuzz import fuzz

from assistant.ports import SpeechChunk
from assistant.text.spoken import to_spoken

REMEMBERED_S = 20.0
"""Longer ago than this no echo is any more."""

RINGING_S = 0.5
"""The loudspeaker's buffer and the room: speech that began so soon after it fell silent may be its own."""

LIKENESS = 80.0
"""Of 100, partial ratio of rapidfuzz: Whisper hears an echo with some words wrong."""

LONGER = 1.2
"""An echo is no longer than what was said, but for some letters heard wrong."""

WHOLE_WORDS = 5
"""So many words alike are an echo at any time."""

STOP = "stop"
_SOUNDS_LIKE_STOP = re.compile(r"\b\w*(?:st[aeou]+m?[pb]|[st]op)", re.IGNORECASE)


def sounds_like_stop(text: str) -> bool:
    """Whether somebody who says this says "stop", or something so near that a microphone beside the loudspeaker could
    take it for that: stopped, top, step, desktop."""
    return _SOUNDS_LIKE_STOP.search(text) is not None


@dataclass(slots=True)
class _Sentence:
    """Seconds of the clock. ``ends`` is None until a part of it has been queued."""

    words: str
    begins: float
    ends: float | None = None
    like_stop: list[tuple[float, float]] = field(default_factory=list)
    """Parts of it that the detector takes for "stop"."""


class OwnVoice:
    """``clock``: the event loop's, in seconds. ``reheard`` makes for each sentence what is asked of its pieces, in
    order and in a thread: could the detector take this for "stop"?

    Sentences are queued seconds before they are heard, so each is given the time at which its turn comes: that of the
    queue's end.
    """

    def __init__(
        self, clock: Callable[[], float], reheard: Callable[[], Callable[[SpeechChunk], bool]] | None = None
    ) -> None:
        self._clock = clock
        self.reheard = reheard
        self._sentences: deque[_Sentence] = deque(maxlen=16)
        self._speaking = False
        self._quiet_since = float("-inf")
        self._queued_until = float("-inf")

    def saying(self, sentence: str) -> None:
        """This sentence is being queued for the loudspeaker, after those before it."""
        self._speaking = True
        self._sentences.append(_Sentence(_plain(sentence), max(self._clock(), self._queued_until)))

    def queued(self, seconds: float) -> tuple[float, float]:
        """So much more of it is in the queue now. Returns from when to when that is heard."""
        begins = max(self._clock(), self._queued_until)
        self._queued_until = begins + seconds
        if self._sentences:
            self._sentences[-1].ends = self._queued_until
        return begins, self._queued_until

    def like_stop(self, heard: tuple[float, float]) -> None:
        """What is heard from then to then sounds like "stop" to the detector."""
        for sentence in self._sentences:
            if sentence.begins <= heard[0] and heard[1] <= (sentence.ends or heard[1]):
                sentence.like_stop.append(heard)

    def quiet(self) -> None:
        """The loudspeaker is silent again; what was queued is forgotten."""
        if not self._speaking:
            return
        now = self._clock()
        self._speaking, self._quiet_since, self._queued_until = False, now, now
        while self._sentences and self._sentences[-1].begins > now:
            self._sentences.pop()
        for sentence, ends in tuple(self._heard()):
            sentence.ends = min(ends, now)

    def is_saying(self, word: str) -> bool:
        """Whether a sentence that is being heard, or was until RINGING_S ago, has this word; of "stop": or one that
        sounds like it, to people or to the detector."""
        now = self._clock()
        for sentence, ends in self._heard():
            if not sentence.begins <= now <= ends + RINGING_S:
                continue
            if word != STOP and word in sentence.words.split():
                return True
            like = any(begin <= now <= end + RINGING_S for begin, end in sentence.like_stop)
            if word == STOP and (like or sounds_like_stop(sentence.words)):
                return True
        return False

    def since(self, at: float) -> str:
        """What has begun to be heard since then."""
        return " ".join(sentence.words for sentence, _ in self._heard() if at <= sentence.begins <= self._clock())

    def said(self, text: str, began_at: float) -> bool:
        """Whether ``text``, which began to be heard at ``began_at`` of the clock, is what was just said here."""
        now = self._clock()
        heard = _plain(text)
        lately = " ".join(
            sentence.words
            for sentence, _ in self._heard()
            if now - max(sentence.begins, self._quiet_since) < REMEMBERED_S
        )
        if not heard or not lately:
            return False
        during = self._speaking or began_at < self._quiet_since + RINGING_S
        if not during and len(heard.split()) < WHOLE_WORDS:
            return False
        return len(heard) <= len(lately) * LONGER and fuzz.partial_ratio(heard, lately) >= LIKENESS

    def _heard(self) -> Iterator[tuple[_Sentence, float]]:
        """Sentences, and when they end or ended: one of which nothing is queued yet with the next one, if ever."""
        for sentence, after in zip_longest(self._sentences, islice(self._sentences, 1, None)):
            open_end = after.begins if after is not None else float("inf")
            yield sentence, open_end if sentence.ends is None else sentence.ends


def _plain(text: str) -> str:
    """Words as they sound: Whisper writes figures and addresses where words were said."""
    return " ".join(re.sub(r"[^\w' ]+", " ", to_spoken(text).casefold()).split())

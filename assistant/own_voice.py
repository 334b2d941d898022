"""What the assistant said lately, so that it does not answer its own voice. Pure but for the clock that it is given.

A microphone beside a loudspeaker hears the reply. What was heard while the loudspeaker was on, or right after, and
reads like what was being said is dropped; later only a whole sentence is, since people do repeat a word of a question.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from rapidfuzz import fuzz

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
_SOUNDS_LIKE_STOP = re.compile(r"\b\w*(?:st[aeou]+[pb]|[st]op)", re.IGNORECASE)


def sounds_like_stop(text: str) -> bool:
    """Whether somebody who says this says "stop", or something so near that a microphone beside the loudspeaker could
    take it for that: stopped, top, step, desktop."""
    return _SOUNDS_LIKE_STOP.search(text) is not None


class OwnVoice:
    """``clock``: the event loop's, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sentences: deque[tuple[float, str]] = deque(maxlen=16)
        self._speaking = False
        self._quiet_since = float("-inf")

    def saying(self, sentence: str) -> None:
        """This sentence is being played from now on."""
        self._speaking = True
        self._sentences.append((self._clock(), _plain(sentence)))

    def quiet(self) -> None:
        """The loudspeaker is silent again."""
        if self._speaking:
            self._speaking, self._quiet_since = False, self._clock()

    def is_saying(self, word: str) -> bool:
        """Whether a sentence that is being played, or was until RINGING_S ago, has this word; of "stop": or one that
        sounds like it."""
        heard_since = self._clock() - RINGING_S
        ended = self._clock() if self._speaking else self._quiet_since
        for began, words in reversed(self._sentences):
            if ended < heard_since:
                return False
            if sounds_like_stop(words) if word == STOP else word in words.split():
                return True
            ended = began
        return False

    def since(self, at: float) -> str:
        """What has begun to be played since then."""
        return " ".join(words for began, words in self._sentences if began >= at)

    def said(self, text: str, began_at: float) -> bool:
        """Whether ``text``, which began to be heard at ``began_at`` of the clock, is what was just said here."""
        now = self._clock()
        heard = _plain(text)
        lately = " ".join(words for at, words in self._sentences if now - max(at, self._quiet_since) < REMEMBERED_S)
        if not heard or not lately:
            return False
        during = self._speaking or began_at < self._quiet_since + RINGING_S
        if not during and len(heard.split()) < WHOLE_WORDS:
            return False
        return len(heard) <= len(lately) * LONGER and fuzz.partial_ratio(heard, lately) >= LIKENESS


def _plain(text: str) -> str:
    """Words as they sound: Whisper writes figures and addresses where words were said."""
    return " ".join(re.sub(r"[^\w' ]+", " ", to_spoken(text).casefold()).split())

"""Several rooms hear the same wake word: the loudest answers, and only that one. Pure: time is given to it.

Detections of one wake word within ``within_s`` of the first are one phrase. How loud is meant relative to each room's
own noise (``loudness.py``), so that a sensitive microphone has no advantage. Nobody waits without a reason: a room that
is louder than every other one that is listening answers at once, because whoever comes later would lose to it anyway.
Only a louder room that has not detected the word yet is waited for, and no longer than ``within_s`` after the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WITHIN_S = 0.3
"""Of one phrase's detections in several rooms: sound takes 30 ms through a house, detectors step by 80 ms, and Wi-Fi
delays by some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A wake word in a room. ``loudness_db``: of the phrase over the room's noise; None: nobody measured it (the
    satellite detected it itself); ``at_s``: when its sound came, on a clock that all rooms share: a busy machine may be
    late to hear one room and not the other."""

    place: str
    word: str
    at_s: float
    score: float = 1.0
    loudness_db: float | None = None

    @property
    def rank(self) -> tuple[float, float, float, str]:
        """Higher answers: the loudest; then the surer; then the earlier. What was not measured counts as loud: who is
        nearest is usually first."""
        loudness = float("inf") if self.loudness_db is None else self.loudness_db
        return (loudness, self.score, -self.at_s, self.place)


class Phrase:
    """One phrase, heard in one room or in several."""

    def __init__(self, began_s: float, within_s: float, now_s: float) -> None:
        self._began_s = began_s
        self._within_s = within_s
        self.due_s = now_s + within_s
        """When it is decided at the latest."""
        self._members: dict[str, Heard] = {}
        self._awaited: set[str] = set()
        self.winner: str | None = None
        """The place that answers; None: not decided yet."""

    def covers(self, at_s: float) -> bool:
        """Whether what is detected then is this phrase."""
        return self._within_s > 0 and abs(at_s - self._began_s) <= self._within_s

    def join(self, one: Heard, listening: Mapping[str, float]) -> None:
        """It was heard there, too."""
        if self.winner is not None:
            return
        self._began_s = min(self._began_s, one.at_s)
        known = self._members.get(one.place)
        self._members[one.place] = one if known is None else max(known, one, key=lambda heard: heard.rank)
        loudness = self._best.rank[0]
        louder = {place for place, level in listening.items() if level >= loudness}
        self._awaited = louder - set(self._members) if self._within_s > 0 else set()
        self._decide_if_sure()

    def passed(self, now_s: float) -> None:
        """Time goes by."""
        if now_s >= self.due_s:
            self._awaited.clear()
            self._decide_if_sure()

    def without(self, place: str) -> None:
        """That place will not detect anything any more."""
        self._awaited.discard(place)
        self._decide_if_sure()

    @property
    def _best(self) -> Heard:
        return max(self._members.values(), key=lambda heard: heard.rank)

    def _decide_if_sure(self) -> None:
        if self.winner is None and not self._awaited:
            self.winner = self._best.place


class Loudest:
    """Which room answers."""

    def __init__(self, within_s: float = WITHIN_S) -> None:
        """``within_s`` 0: every room answers."""
        self._within_s = within_s
        self._phrases: dict[str, Phrase] = {}

    def heard(self, one: Heard, listening: Mapping[str, float], now_s: float | None = None) -> Phrase:
        """A detection, and the phrase that it belongs to. ``listening``: the places that could still detect it, with
        how loud it is there now in dB over their noise; ``now_s``: when it is told (None: with its sound)."""
        now_s = one.at_s if now_s is None else now_s
        phrase = self._phrases.get(one.word)
        if phrase is None or not phrase.covers(one.at_s):
            if phrase is not None:
                phrase.passed(phrase.due_s)
            phrase = self._phrases[one.word] = Phrase(one.at_s, self._within_s, now_s)
        phrase.join(one, listening)
        return phrase

    def gone(self, place: str) -> None:
        """It will not detect anything any more."""
        for phrase in self._phrases.values():
            phrase.without(place)

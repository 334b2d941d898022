"""The ears of one satellite: they wait for its wake word, and answer only where no louder room does."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import numpy as np

from assistant.errors import AudioError
from assistant.own_voice import OwnVoice
from assistant.ports import AudioSource, Detection, Hearing, Listener, Samples, Woken
from assistant.satellites.contest import Contest
from assistant.satellites.loudness import Loudness
from assistant.speech.network_source import NetworkSource
from assistant.talk import STOP

BEHIND_S = 0.25
"""A stream with more than this to be read is not measured up to now, and could be loud."""


class Measured:
    """Implements AudioSource over what comes from the network: how loud it is, is measured where it is read."""

    def __init__(self, source: NetworkSource) -> None:
        self._source = source
        self.endless, self.paced = source.endless, source.paced
        self.loudness = Loudness()

    @property
    def loudness_now_db(self) -> float:
        """Over its noise; infinite where nobody knows yet."""
        return math.inf if self._source.waiting_s > BEHIND_S else self.loudness.over_noise_db

    @property
    def arrived_at(self) -> float:
        """When what was read last had come."""
        return self._source.arrived_at

    async def chunks(self) -> AsyncIterator[Samples]:
        """As they come. Raises AudioError."""
        async for chunk in self._source.chunks():
            self.loudness.feed(chunk)
            yield chunk


class RoomEars:
    """Implements Listener for one place. ``wait`` is where it begins; the rest is the listener's own."""

    def __init__(self, place: str, listener: Listener, contest: Contest, own_voice: OwnVoice, source: Measured) -> None:
        self._place = place
        self._source = source
        self._listener = listener
        self._contest = contest
        self._own_voice = own_voice
        self._woken_there: asyncio.Queue[str] = asyncio.Queue(maxsize=1)

    def hear(
        self,
        source: AudioSource,
        *,
        wake: bool,
        woken: Woken | None = None,
        start_within_s: float | None = None,
    ) -> AsyncGenerator[Hearing, None]:
        """See the port."""
        return self._listener.hear(source, wake=wake, woken=woken, start_within_s=start_within_s)

    async def overhear(self, source: AudioSource) -> AsyncGenerator[Woken, None]:
        """Wake words that this room answers, and "stop". See the port."""
        async with aclosing(self._listener.overhear(source)) as overheard:
            async for woken in overheard:
                word = woken.detection.word
                mine = word == STOP or self._own_voice.is_saying(word.rsplit("_", 1)[-1])
                if mine or await self._wins(woken.detection):
                    yield woken

    def was_false(self) -> None:
        """See the port."""
        self._listener.was_false()

    async def wait(self, source: AudioSource) -> Woken:
        """Until somebody wants this room. Raises AudioError when the source has ended, WakeWordError."""
        self._contest.listens(self._place, lambda: self._source.loudness_now_db)
        try:
            async with aclosing(self.overhear(source)) as overheard:
                async for woken in overheard:
                    word = woken.detection.word
                    if word != STOP and not self._own_voice.is_saying(word.rsplit("_", 1)[-1]):
                        return woken
        finally:
            self._contest.rests(self._place)
        raise AudioError("satellite_gone", "The satellite sends no more sound.", mend="It is connected to again.")

    async def _wins(self, detection: Detection) -> bool:
        loudness = self._source.loudness.over_noise_db
        return await self._contest.answers(self._place, detection, loudness, self._source.arrived_at)

    def woken_there(self, word: str) -> None:
        """The satellite itself has heard the wake word."""
        if self._woken_there.empty():
            self._woken_there.put_nowait(word)

    async def wait_for_the_satellite(self) -> Woken | None:
        """Until the satellite has heard the wake word itself; None: another room answers."""
        detection = Detection(await self._woken_there.get(), 1.0)
        answers = await self._contest.answers(self._place, detection, None)
        return Woken(detection, np.zeros(0, dtype=np.int16)) if answers else None

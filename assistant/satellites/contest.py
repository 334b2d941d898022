"""All rooms of this process in one contest: whoever has heard the wake word asks whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from assistant.ports import Detection
from assistant.satellites.loudest import Heard, Loudest


class Contest:
    """Belongs to one event loop. ``within_s`` as of Loudest."""

    def __init__(self, within_s: float) -> None:
        self._loudest = Loudest(within_s)
        self._listening: dict[str, Callable[[], float]] = {}
        self._moved = asyncio.Event()

    def listens(self, place: str, loudness_db: Callable[[], float]) -> None:
        """From now on this place waits for a wake word; ``loudness_db``: of what it hears now, over its noise."""
        self._listening[place] = loudness_db

    def rests(self, place: str) -> None:
        """It does not any more: it is in a turn, or gone. Idempotent."""
        if self._listening.pop(place, None) is not None:
            self._loudest.gone(place)
            self._tell()

    async def answers(
        self, place: str, detection: Detection, loudness_db: float | None, at_s: float | None = None
    ) -> bool:
        """Whether this place answers; known at once where no louder one is listening, else within ``within_s``.
        ``at_s``: when the sound came, on the event loop's clock (None: now)."""
        loop = asyncio.get_running_loop()
        one = Heard(place, detection.word, loop.time() if at_s is None else at_s, detection.score, loudness_db)
        others = {name: loudness() for name, loudness in self._listening.items() if name != place}
        phrase = self._loudest.heard(one, others, loop.time())
        self._tell()
        while phrase.winner is None:
            moved = self._moved
            try:
                async with asyncio.timeout_at(phrase.due_s):
                    await moved.wait()
            except TimeoutError:
                phrase.passed(max(loop.time(), phrase.due_s))
                self._tell()
        return phrase.winner == place

    def _tell(self) -> None:
        """Wake whoever waits; the next ones wait for the next change."""
        self._moved.set()
        self._moved = asyncio.Event()

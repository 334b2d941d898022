"""The rooms that can be spoken in: which loudspeaker is where, for whoever has something to say there.

Satellites come and go while it runs; a room without one has no loudspeaker.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from assistant.ports import SpeechChunk


class RoomSpeaker(Protocol):
    """A loudspeaker in a room."""

    async def play(self, speech: AsyncIterator[SpeechChunk]) -> None:
        """Play to the end, after what is playing there. Raises PlaybackError: it went away."""
        ...


class Rooms:
    """The loudspeakers by room; names are compared as people say them, without case."""

    def __init__(self) -> None:
        self._speakers: dict[str, dict[str, RoomSpeaker]] = {}
        self._written: dict[str, str] = {}

    def add(self, room: str, name: str, speaker: RoomSpeaker) -> None:
        """There is a loudspeaker of this name now; one that had its name is replaced."""
        key = room.casefold()
        self._written.setdefault(key, room)
        self._speakers.setdefault(key, {})[name] = speaker

    def remove(self, room: str, name: str) -> None:
        """It is gone. Idempotent."""
        self._speakers.get(room.casefold(), {}).pop(name, None)

    def speaker(self, room: str) -> RoomSpeaker | None:
        """The one that came first in that room."""
        return next(iter(self._speakers.get(room.casefold(), {}).values()), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Rooms that can be spoken in, as they were written, in the order they came."""
        return tuple(self._written[key] for key, speakers in self._speakers.items() if speakers)

"""The reply of a turn on the loudspeaker of a room, while it is being made; whoever asked is told how it went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from assistant.broadcast import RunningTurn
from assistant.errors import PlaybackError
from assistant.events import AudioReady
from assistant.ports import SpeechChunk
from assistant.rooms import RoomSpeaker
from assistant.server.command_answer import Played

MOST_PLAYING_S = 180.0
"""From the start of the turn: what is longer than that was never meant to be said."""


class Playing:
    """One reply in one room; it plays on when nobody waits for it. Made inside a running event loop."""

    def __init__(self, turn: RunningTurn, room: str, speaker: RoomSpeaker) -> None:
        self._room = room
        self._chunks = 0
        self._task = asyncio.create_task(self._play(turn, speaker), name=f"playing-{turn.turn_id}")

    async def played(self) -> Played:
        """How it went; waits for its end."""
        return await asyncio.shield(self._task)

    async def _play(self, turn: RunningTurn, speaker: RoomSpeaker) -> Played:
        try:
            async with asyncio.timeout(MOST_PLAYING_S):
                await speaker.play(self._speech(turn))
        except PlaybackError as error:
            return self._not_heard(error.code, error.detail, error.mend)
        except TimeoutError:
            return self._not_heard("too_slow", f"It was not played within {MOST_PLAYING_S:g} s.")
        if not self._chunks:
            await turn.outcome()
            return self._not_heard("no_audio", "This turn was not said: there is no voice, or it failed.")
        return Played(room=self._room, ok=True)

    def _not_heard(self, code: str, detail: str, mend: str = "") -> Played:
        return Played(room=self._room, ok=False, code=code, detail=detail, mend=mend)

    async def _speech(self, turn: RunningTurn) -> AsyncGenerator[SpeechChunk, None]:
        async for event in turn.events():
            if isinstance(event, AudioReady):
                self._chunks += 1
                yield SpeechChunk(event.pcm, event.sample_rate_hz)

"""The turns of the last minutes, whose events and reply audio can still be fetched."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from assistant.broadcast import RunningTurn
from assistant.server.playing import Playing

KEPT_TURNS = 32
KEPT_FOR_S = 600.0
KEPT_AUDIO_BYTES = 50_000_000
"""About 19 minutes of speech at 22 kHz."""


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float
    owner: str
    turn: RunningTurn
    playing: Playing | None


class RecentTurns:
    """The newest turns, each for whoever started it; a turn under way is never forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @property
    def under_way(self) -> int:
        """How many turns are not over."""
        return sum(not kept.turn.over for kept in self._kept.values())

    def add(self, turn: RunningTurn, owner: str, playing: Playing | None = None) -> None:
        """Keep a turn that has just been started; ``playing``: its reply in a room."""
        self._kept[turn.turn_id] = _Kept(self._clock(), owner, turn, playing)
        self._forget()

    def find(self, turn_id: str, owner: str) -> RunningTurn | None:
        """The turn; None when it is forgotten, never was, or is somebody else's."""
        self._forget()
        kept = self._kept.get(turn_id)
        return kept.turn if kept is not None and kept.owner == owner else None

    def playing(self, turn_id: str) -> Playing | None:
        """Its reply in a room, where it was started for one."""
        kept = self._kept.get(turn_id)
        return kept.playing if kept is not None else None

    def _forget(self) -> None:
        """Oldest first, until count and bytes fit; and whatever is too old."""
        now = self._clock()
        count = len(self._kept)
        audio_bytes = sum(kept.turn.audio_bytes for kept in self._kept.values())
        for turn_id, kept in list(self._kept.items()):
            fits = count <= KEPT_TURNS and audio_bytes <= KEPT_AUDIO_BYTES and now - kept.at <= KEPT_FOR_S
            if fits:
                return
            if kept.turn.over:
                del self._kept[turn_id]
                count -= 1
                audio_bytes -= kept.turn.audio_bytes

"""Where a turn is heard and said: ears, loudspeaker and short sounds of one place."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.own_voice import OwnVoice
from assistant.ports import Cues, Listener, Player


@dataclass(frozen=True, slots=True)
class Place:
    """As much of it as there is. ``own_voice``: what was said there lately, so that it is not answered."""

    listener: Listener | None = None
    player: Player | None = None
    cues: Cues | None = None
    own_voice: OwnVoice | None = None

"""What satellites need of the app."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from assistant.announcing import Announced
from assistant.broadcast import RunningTurn
from assistant.config import Settings
from assistant.own_voice import OwnVoice
from assistant.places import Place
from assistant.ports import AudioSource, Listener, Synthesizer, Woken
from assistant.rooms import Rooms
from tools.contract import Caller, Door


class House(Protocol):
    """As ``assistant.app.App`` has it."""

    settings: Settings
    rooms: Rooms

    @property
    def mouth(self) -> Synthesizer | None:
        """The voice, where there is one."""
        ...

    def new_own_voice(self) -> OwnVoice:
        """The memory of what one loudspeaker says."""
        ...

    def room_listener(self) -> AbstractContextManager[Listener]:
        """Ears for one stream more. Raises ModelFilesError, WakeWordError."""
        ...

    def start_turn(
        self,
        utterance: str | AudioSource,
        *,
        caller: Caller,
        conversation_id: str = "default",
        woken: Woken | None = None,
        follow_up: bool = False,
        speak: bool = False,
        place: Place | None = None,
    ) -> RunningTurn:
        """See ``App.start_turn``."""
        ...

    async def announcement(self, door: Door, room: str | None = None) -> Announced | None:
        """See ``App.announcement``."""
        ...

"""What a door has to say by itself: taken where it is spoken or written, only looked at where it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from tools.contract import Door
from tools.notify.listening.quiet import URGENT, is_quiet
from tools.notify.messages import Message, Messages
from tools.settings_house import AnnouncementSettings

ROOM_WAIT_S = 30.0
"""What is meant for a room is said there; when nothing there has taken it for so long, at the first door that can."""

ALOUD = frozenset({Door.MICROPHONE, Door.SATELLITE})

FROM_PEOPLE = ("schedule:", "link:")
"""Keys of what somebody wants at its time, quiet or not: timers, alarms, reminders."""


class Announcements:
    """Over the messages. Every method is short and blocks, and raises StoreError only."""

    def __init__(
        self,
        messages: Messages,
        settings: AnnouncementSettings,
        clock: Callable[[], float] = time.time,
        local: Callable[[float], datetime] = lambda at: datetime.fromtimestamp(at).astimezone(),
    ) -> None:
        self._messages = messages
        self._settings = settings
        self._clock = clock
        self._local = local

    def take(self, door: Door, room: str | None = None) -> Message | None:
        """The next one for this door in this room; each is given out once."""
        for message in self._messages.unannounced():
            if self._is_here(message, door, room) and self._messages.announce(message.id, door, room):
                return message
        return None

    def shown_to(self, who: str, after: int, *, whole_house: bool = True) -> tuple[list[Message], int]:
        """What a page of this caller may show, newer than that id, oldest first; and the id to go on from. Nothing is
        taken, but for what this caller asked for over HTTP: nobody else says it. ``whole_house``: also what is for
        everybody, which is not for who is limited to some things."""
        shown = []
        for message in self._messages.after(after):
            after = message.id
            own = message.who == who and message.door in (Door.HTTP.value, Door.PAGE.value)
            if own or (whole_house and message.door == Door.SCHEDULE.value):
                shown.append(message)
            if own:
                self._messages.announce(message.id, Door(message.door), message.room)
        return shown, after

    def newest(self) -> int:
        """The newest id, from which a page that comes new is shown what follows."""
        return self._messages.newest()

    def _is_here(self, message: Message, door: Door, room: str | None) -> bool:
        if message.door == Door.SCHEDULE.value:
            elsewhere = message.room is not None and message.room != room
            if elsewhere and self._clock() - message.at < ROOM_WAIT_S:
                return False
            return door not in ALOUD or not self._is_held(message)
        return message.door == door.value and (door is not Door.SATELLITE or message.room == room)

    def _is_held(self, message: Message) -> bool:
        """Quiet hours: nobody asked for it just now, and nothing has to be done about it."""
        if message.priority >= URGENT or message.key.startswith(FROM_PEOPLE):
            return False
        return is_quiet(self._local(self._clock()), self._settings.quiet_from, self._settings.quiet_to)

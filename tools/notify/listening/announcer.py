"""Turns what came in into announcements: gathered, once, and not in the quiet hours."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from tools.contract import Caller, Door
from tools.notify.listening.inbox import Group, Inbox
from tools.notify.listening.quiet import LONGEST_URGENT_S, URGENT, Pace, is_quiet
from tools.notify.listening.sayings import Meanwhile, announcement
from tools.notify.messages import Messages
from tools.settings_house import AnnouncementSettings
from tools.store import StoreError

log = logging.getLogger(__name__)

BEAT_S = 10.0
"""The longest sleep: the end of the quiet hours, and a clock that was set, are seen after that."""

HOUSE = "house"
"""To whom what others send is told: to whoever is there."""


class Announcer:
    """``run`` until it is cancelled."""

    name = "announcer"

    def __init__(
        self,
        settings: AnnouncementSettings,
        inbox: Inbox,
        messages: Messages,
        clock: Callable[[], float] = time.time,
        local: Callable[[float], datetime] = lambda at: datetime.fromtimestamp(at).astimezone(),
    ) -> None:
        """``local``: the local time of a moment in Unix seconds."""
        self._settings = settings
        self._inbox = inbox
        self._messages = messages
        self._clock = clock
        self._local = local
        self._began = clock()
        self._pace = Pace(settings.group_s)
        self._urgent = Pace(settings.group_s, LONGEST_URGENT_S)

    async def run(self) -> None:
        """Look when something came in, and at every beat."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._inbox.changed = wake
        try:
            while True:
                woken.clear()
                try:
                    wait = await asyncio.to_thread(self.look)
                except StoreError as error:
                    log.warning("what came in cannot be announced: %s", error)
                    wait = BEAT_S
                try:
                    async with asyncio.timeout(wait):
                        await woken.wait()
                except TimeoutError:
                    pass
        finally:
            self._inbox.changed = lambda: None

    def look(self) -> float:
        """Announce what is due; how long to sleep (seconds). Blocks. Raises StoreError."""
        left = self._inbox.left_over()
        if left is not None:
            self._announce(left)
        now = self._clock()
        quiet = self._is_quiet(now)
        least = max(self._settings.min_priority, URGENT) if quiet else self._settings.min_priority
        group = self._inbox.waiting(least)
        if group is None:
            return BEAT_S
        due = self._pace.due(group.since)
        if group.urgent >= URGENT:
            due = min(due, self._urgent.due(group.since))
        if due > now:
            return min(due - now, BEAT_S)
        self._inbox.gather(group, least)
        self._announce(group)
        self._pace = self._pace.said(now)
        if group.urgent >= URGENT:
            self._urgent = self._urgent.said(now)
        return BEAT_S

    def _announce(self, group: Group) -> None:
        """The key holds the group's ends: what a crash interrupts is written once."""
        key = f"incoming:{group.first}-{group.last}"
        meanwhile = Meanwhile.NOTHING
        if group.urgent < URGENT and self._is_quiet(group.since):
            meanwhile = Meanwhile.QUIET
        elif group.since < self._began - self._settings.group_s:
            meanwhile = Meanwhile.OFF
        to = Caller(name=HOUSE, role="member", door=Door.SCHEDULE, room=self._settings.room)
        self._messages.add(announcement(group, meanwhile), to, title="Messages", priority=group.urgent, key=key)
        self._inbox.said_in(key)

    def _is_quiet(self, at: float) -> bool:
        return is_quiet(self._local(at), self._settings.quiet_from, self._settings.quiet_to)

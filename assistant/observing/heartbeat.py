"""The dead man's switch: a sign of life to somebody outside of this process, for as long as it is really well.

Who stays silent is missed: healthchecks and Uptime Kuma notice by themselves, ntfy delivers the message that was not
pushed back in time. A sign that cannot be sent is logged and counted, and the next one is tried when its time has come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from assistant.observing.settings import HeartbeatSettings
from assistant.observing.wellness import MOST_LAG_S, Wellness

log = logging.getLogger(__name__)

Send = Callable[[str, HeartbeatSettings], Awaitable[None]]
"""Sends one; raises HeartbeatError."""


class HeartbeatError(Exception):
    """It did not arrive; the code says why, without the address, which is a secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Heartbeat:
    """One of them, and how it went so far."""

    name: str
    settings: HeartbeatSettings
    sent: int = 0
    failed: int = 0
    withheld: int = 0
    last_at: float | None = None
    now: Callable[[], float] = lambda: 0.0
    _trouble: str = ""

    @property
    def age_s(self) -> float | None:
        """Since the last one that arrived; None: none did yet."""
        return self.now() - self.last_at if self.last_at is not None else None

    async def run(self, wellness: Wellness, send: Send) -> None:
        """A sign at once and then every ``every_s``, until it is cancelled; times that were missed are not made up for.
        Raises nothing."""
        loop = asyncio.get_running_loop()
        self.now = loop.time
        due = loop.time()
        while True:
            late_s = loop.time() - due
            await self._beat(wellness, send, late_s)
            every = self.settings.every_s
            due += every * max(1, -(-(loop.time() - due) // every))  # the next one in the same rhythm
            await asyncio.sleep(due - loop.time())

    async def _beat(self, wellness: Wellness, send: Send, late_s: float) -> None:
        troubles = await wellness.troubles()
        if late_s > MOST_LAG_S:
            troubles = (f"the event loop stood still for {late_s:.0f} s", *troubles)
        if troubles:
            self.withheld += 1
            self._say(f"withheld: {'; '.join(troubles)}", "not_well")
            return
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                await send(self.name, self.settings)
        except TimeoutError:
            self._did_not_arrive("timeout")
        except HeartbeatError as error:
            self._did_not_arrive(error.code)
        else:
            self.sent += 1
            self.last_at = self.now()
            if self._trouble:
                log.warning("the heartbeat %s arrives again", self.name, extra={"heartbeat": self.name})
            self._trouble = ""

    def _did_not_arrive(self, code: str) -> None:
        self.failed += 1
        self._say(f"did not arrive: {code}", code)

    def _say(self, trouble: str, code: str) -> None:
        """Once for each trouble, and not with every beat."""
        if code != self._trouble:
            log.warning("the heartbeat %s %s", self.name, trouble, extra={"heartbeat": self.name, "code": code})
        self._trouble = code


@asynccontextmanager
async def beating(
    wanted: Mapping[str, HeartbeatSettings], wellness: Wellness, send: Send
) -> AsyncIterator[Sequence[Heartbeat]]:
    """All of them meanwhile."""
    beats = [Heartbeat(name, settings) for name, settings in wanted.items()]
    tasks = [asyncio.create_task(one.run(wellness, send), name=f"heartbeat-{one.name}") for one in beats]
    try:
        yield beats
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

"""What all streams have in common: they break off, and are taken up again where they ended."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Protocol

import httpx
from websockets.exceptions import WebSocketException

from tools.notify.port import PushError
from tools.store import StoreError

log = logging.getLogger(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
"""Between two tries to connect: twice as long each time, until a connection lasts for longer than that."""

MOST_ID_CHARACTERS = 64
"""Of an id of theirs; ntfy's have 12."""


class Stream(Protocol):
    """One stream of messages."""

    name: str

    async def listen(self, opened: Callable[[], None]) -> None:
        """Read until it ends; ``opened`` when it is there. Raises PushError, StoreError, httpx.HTTPError,
        WebSocketException, OSError, TimeoutError."""
        ...


class Listening:
    """A stream for as long as Jarvis runs. Trouble is logged once, until it is over."""

    def __init__(self, stream: Stream, jitter: Callable[[], float] = random.random) -> None:
        """``jitter``: 0 to 1; many clients of one server must not come back in the same moment."""
        self.name = stream.name
        self._stream = stream
        self._jitter = jitter
        self._wait_s = FIRST_WAIT_S
        self._complained = ""

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._stream.listen(self._opened)
            except PushError as error:
                self._complain(str(error))
            except StoreError as error:
                self._complain(f"what came in cannot be kept: {error}")
            except (httpx.HTTPError, WebSocketException, OSError, TimeoutError, ValueError) as error:
                # ValueError: a redirect to another server, which the websocket client refuses
                self._complain(f"the connection to {self.name} broke off ({type(error).__name__})")
            if loop.time() - began > LONGEST_WAIT_S:
                self._wait_s = FIRST_WAIT_S
            await asyncio.sleep(self._wait_s * (0.5 + self._jitter() / 2))
            self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)

    def _opened(self) -> None:
        if self._complained:
            log.warning("%s is listened to again", self.name)
        self._complained = ""

    def _complain(self, why: str) -> None:
        if why != self._complained:
            log.warning("%s is not listened to: %s", self.name, why)
        self._complained = why


def number_in(value: object, least: int, most: int, otherwise: int) -> int:
    """A number of theirs, within what it may be; booleans and texts are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return otherwise
    return min(max(value, least), most)


def words_in(value: object) -> str:
    """A text of theirs; anything else is none."""
    return value if isinstance(value, str) else ""

"""One connection to a satellite: events in, events out, each within its time.

A satellite that says nothing for HEARD_WITHIN_S is gone: it is asked every PING_S with ``ping`` and, for those that do
not know it (wyoming-satellite before 1.1), with ``describe``, which all of them answer. Our pings also let newer ones
notice when we are gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from wyoming.event import Event, async_write_event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong

from assistant.errors import AudioError, EgressError
from assistant.speech.wyoming_link import MAX_LINE_BYTES, BadEvent, read_event

CONNECT_TIMEOUT_S = 5.0
PING_S = 3.0
HEARD_WITHIN_S = 10.0
CLOSE_TIMEOUT_S = 1.0


class SatelliteLink:
    """Any number of tasks may send; one reads. ``last_heard_s``: on the event loop's clock."""

    def __init__(self, where: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._where = where
        self._reader = reader
        self._writer = writer
        self._sending = asyncio.Lock()
        self.last_heard_s = asyncio.get_running_loop().time()

    async def send(self, event: Event) -> None:
        """Raises AudioError satellite_gone."""
        try:
            async with asyncio.timeout(HEARD_WITHIN_S), self._sending:
                await async_write_event(event, self._writer)
        except (OSError, RuntimeError) as error:  # also TimeoutError; RuntimeError: the transport is closed
            raise self._gone("does not take what is sent") from error

    async def receive(self) -> Event:
        """The next event that is for somebody; pings are answered here. Raises AudioError satellite_gone,
        satellite_nonsense."""
        while True:
            try:
                async with asyncio.timeout(HEARD_WITHIN_S):
                    event = await read_event(self._reader)
            except BadEvent as error:
                mend = "Is `url` a satellite's? See docs/satellites.md."
                raise AudioError("satellite_nonsense", f"{self._where} sends {error}.", mend=mend) from error
            except TimeoutError as error:
                raise self._gone(f"has been silent for {HEARD_WITHIN_S:g} s") from error
            except (OSError, asyncio.IncompleteReadError) as error:
                raise self._gone("broke the connection off") from error
            if event is None:
                raise self._gone("closed the connection")
            self.last_heard_s = asyncio.get_running_loop().time()
            if Ping.is_type(event.type):
                await self.send(Pong(text=_text(event)).event())
            elif not Pong.is_type(event.type):
                return event

    async def keep_asking(self) -> None:
        """For ever: so that there is something to hear from a satellite that has nothing to say. Raises AudioError."""
        while True:
            await asyncio.sleep(PING_S)
            await self.send(Ping().event())
            if asyncio.get_running_loop().time() - self.last_heard_s >= PING_S:
                await self.send(Describe().event())

    def _gone(self, how: str) -> AudioError:
        mend = "Look whether it is on and in the network; it is tried again."
        return AudioError("satellite_gone", f"{self._where} {how}.", mend=mend)


@asynccontextmanager
async def satellite_link(name: str, url: str) -> AsyncIterator[SatelliteLink]:
    """Connect to tcp://host:port, and close afterwards. Raises AudioError satellite_unreachable, EgressError."""
    where = f"The satellite {name!r} at {url}"
    try:
        parts = urlsplit(url)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=MAX_LINE_BYTES)
    except EgressError:
        raise
    except (OSError, ValueError) as error:  # also TimeoutError; ValueError: no port, or a name that is none
        mend = "Look whether it is on and in the network, and at its `url`; it is tried again."
        raise AudioError("satellite_unreachable", f"{where} cannot be reached.", mend=mend) from error
    try:
        yield SatelliteLink(where, reader, writer)
    finally:
        writer.close()
        with suppress(OSError):  # also its time-out
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await writer.wait_closed()


def _text(event: Event) -> str | None:
    """What a pong says back."""
    text = event.data.get("text")
    return text[:200] if isinstance(text, str) else None

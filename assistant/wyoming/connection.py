"""One client's connection: every size and every wait has a limit, and nothing that comes over it is believed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from wyoming.event import Event, async_write_event

from assistant.speech.wyoming_link import BadEvent, read_event

log = logging.getLogger(__name__)

MAX_DATA_BYTES = 65_536
MAX_PAYLOAD_BYTES = 2_000_000
"""Of sound in one event: a minute at 16 kHz. Clients send 10 to 100 ms at once; some send a whole utterance."""

IDLE_S = 300.0
"""Without any event for so long a client is taken for gone; a satellite that only waits for its turn sends nothing."""

SEND_S = 10.0
"""A client that takes nothing for so long is gone."""


class ClientGone(Exception):  # noqa: N818 - it says what happened
    """Nobody is there to answer."""


class Connection:
    """Reads and writes events; writing may be done by several tasks."""

    def __init__(
        self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle_s: float = IDLE_S
    ) -> None:
        self.peer = peer
        self._reader = reader
        self._writer = writer
        self._idle_s = idle_s
        self._sending = asyncio.Lock()

    async def receive(self) -> Event | None:
        """The next event; None when the client has gone, with or without a word. Raises BadEvent."""
        try:
            async with asyncio.timeout(self._idle_s):
                event = await read_event(self._reader, max_data=MAX_DATA_BYTES, max_payload=MAX_PAYLOAD_BYTES)
        except asyncio.IncompleteReadError as error:
            raise BadEvent("half an event, and goes away") from error
        except TimeoutError:
            log.info("Wyoming client %s sent nothing whole for %g s", self.peer, self._idle_s)
            return None
        except OSError:
            return None
        if event is not None:
            _check_text(event)
        return event

    async def send(self, event: Event) -> None:
        """Raises ClientGone."""
        try:
            async with asyncio.timeout(SEND_S), self._sending:
                await async_write_event(event, self._writer)
        except (OSError, RuntimeError) as error:  # also its time-out; RuntimeError: the transport is closed
            raise ClientGone(str(error)) from error


def _check_text(event: Event) -> None:
    """Raises BadEvent for text that nothing could write again: a lone surrogate, which JSON can carry."""
    try:
        json.dumps([event.type, event.data], ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadEvent("text that is no Unicode") from error


def text_of(event: Event, name: str, most: int) -> str:
    """A field that is text. Raises BadEvent."""
    value: Any = event.data.get(name)
    if not isinstance(value, str):
        raise BadEvent(f"{event.type[:40]} without {name}")
    if len(value) > most:
        raise BadEvent(f"{event.type[:40]} with more than {most} characters of {name}")
    return value


def names_of(event: Event, name: str) -> Sequence[str]:
    """A field that is a list of text, or is not there. Raises BadEvent."""
    value: Any = event.data.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadEvent(f"{event.type[:40]} with {name} that are no names")
    return tuple(value)


def object_of(event: Event, name: str) -> dict[str, Any]:
    """A field that is an object, or is not there. Raises BadEvent."""
    value: Any = event.data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadEvent(f"{event.type[:40]} with {name} that is no object")
    return value

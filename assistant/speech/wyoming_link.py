"""One connection to a Wyoming server, with limits on every wait and every size.

The library's own reader believes any length that the other side declares, and cannot tell an end from an unreadable
event; so events are read here, and written by the library.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from wyoming.event import Event, async_write_event

from assistant.speech.server_errors import FAILURES, SpeechServer

CONNECT_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 1.0
MAX_LINE_BYTES = 65_536
MAX_DATA_BYTES = 1_000_000
"""Of JSON: the description of a server with hundreds of voices is some 100 kB."""

MAX_PAYLOAD_BYTES = 8_000_000
"""Of sound in one event: 83 s at 48 kHz. Servers send a second or a whole sentence at once."""

SERVICES: Mapping[str, str] = {
    "asr": "speech recognition",
    "tts": "speech",
    "wake": "wake words",
    "handle": "conversation",
    "intent": "intents",
    "mic": "a microphone",
    "snd": "a loudspeaker",
    "satellite": "a satellite",
}
"""What a Wyoming server may be (wyoming.info), in words."""


class BadEvent(ValueError):  # noqa: N818 - it says what came
    """What came is no event; the message says why, as the end of a sentence."""


class WyomingLink:
    """``timeout_s`` is the longest wait for what is waited for, whatever else comes meanwhile."""

    def __init__(
        self, server: SpeechServer, timeout_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._reader = reader
        self._writer = writer

    async def send(self, event: Event) -> None:
        """Raises errors of the server's stage."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await async_write_event(event, self._writer)
        except FAILURES as error:
            raise self._server.explained(error, self._timeout_s, begun=True) from error

    async def ask(self, event: Event, answer: str) -> Event:
        """Send it and wait for the answer of that type. Raises errors of the server's stage."""
        await self.send(event)
        return await self.until(lambda event: event.type == answer)

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event that is wanted; others are passed over. Raises errors of the server's stage: also when it
        reports one."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while (event := await read_event(self._reader)) is not None:
                    if event.type == "error":
                        raise self._server.said(str(event.data.get("text", "")))
                    if wanted(event):
                        return event
        except BadEvent as error:
            raise self._server.nonsense(f"it sends {error}") from error
        except FAILURES as error:
            raise self._server.explained(error, self._timeout_s, begun=not isinstance(error, TimeoutError)) from error
        raise self._server.broke_off()


@asynccontextmanager
async def wyoming_link(server: SpeechServer, timeout_s: float) -> AsyncIterator[WyomingLink]:
    """Connect, and close afterwards. Raises errors of the server's stage, EgressError."""
    parts = urlsplit(server.url)
    try:
        async with asyncio.timeout(min(CONNECT_TIMEOUT_S, timeout_s)):
            if parts.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(unquote(parts.path), limit=MAX_LINE_BYTES)
            else:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=MAX_LINE_BYTES)
    except TimeoutError as error:
        raise server.down() from error
    except FAILURES as error:
        raise server.explained(error, timeout_s, begun=False) from error
    try:
        yield WyomingLink(server, timeout_s, reader, writer)
    finally:
        writer.close()
        with suppress(OSError):  # also its time-out
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await writer.wait_closed()


async def read_event(
    reader: asyncio.StreamReader, *, max_data: int = MAX_DATA_BYTES, max_payload: int = MAX_PAYLOAD_BYTES
) -> Event | None:
    """The next event; None at the end. ``max_data``, ``max_payload``: bytes. Raises BadEvent, IncompleteReadError,
    OSError."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise BadEvent("a line without an end") from error
    if not line:
        return None
    head = _json(line)
    kind, data = head.get("type"), head.get("data") or {}
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise BadEvent("JSON that is no event")
    if length := _length(head, "data_length", max_data):
        data = {**data, **_json(await reader.readexactly(length))}
    length = _length(head, "payload_length", max_payload)
    return Event(kind, data, await reader.readexactly(length) if length else None)


def services(info: Event) -> dict[str, list[str]]:
    """What a server offers and has installed: names of programs by kind of service (``asr``, ``tts``, …)."""
    found: dict[str, list[str]] = {}
    for kind in SERVICES:
        programs = info.data.get(kind)
        for program in programs if isinstance(programs, list) else [programs]:
            if isinstance(program, dict) and program.get("installed", True):
                found.setdefault(kind, []).append(str(program.get("name", "")))
    return found


def voices(info: Event) -> list[str]:
    """Names of the voices that a server has."""
    programs = info.data.get("tts")
    there = programs if isinstance(programs, list) else []
    listed = [program.get("voices") for program in there if isinstance(program, dict)]
    return [
        str(voice["name"])
        for of_program in listed
        if isinstance(of_program, list)
        for voice in of_program
        if isinstance(voice, dict) and "name" in voice
    ]


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadEvent("something that is no JSON") from error
    if not isinstance(value, dict):
        raise BadEvent("JSON that is no event")
    return value


def _length(head: Mapping[str, Any], name: str, most: int) -> int:
    length = head.get(name) or 0
    if type(length) is not int or not 0 <= length <= most:
        raise BadEvent(f"an event with a {name.replace('_', ' ')} of {str(length)[:20]}")
    return length

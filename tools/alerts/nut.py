"""NUT's upsd over its text protocol: what every UPS says. Reading needs no password, and none is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from tools.alerts import asking, nut_said, words
from tools.alerts.port import Alert, SourceError
from tools.settings_house import WatcherSettings

PORT = 3493
"""IANA's, of NUT."""

MAX_LINE_BYTES = 4_096
MAX_LINES = 1_000
"""Of one list; a UPS has some sixty variables."""

MAX_UPSES = 20

NO_ADDRESS = "its address is not one that can be asked"


class Nut:
    """One upsd. ``alone``: no other is configured, so that its only UPS is "the UPS"."""

    def __init__(self, name: str, settings: WatcherSettings, *, alone: bool) -> None:
        self.name = name
        self._settings = settings
        self._alone = alone

    async def alerts(self) -> Sequence[Alert]:
        """See ``port.Source``."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._look()
        except (OSError, TimeoutError) as error:
            raise SourceError(asking.why(error)) from error
        except UnicodeError as error:  # a name that no resolver takes
            raise SourceError(NO_ADDRESS) from error

    async def _look(self) -> list[Alert]:
        host, port = _address(self._settings.url)
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_LINE_BYTES)
        try:
            talk = _Talk(reader, writer)
            names = [self._settings.ups] if self._settings.ups else (await talk.upses())[:MAX_UPSES]
            if not names:
                raise SourceError("it has no UPS")
            found: list[Alert] = []
            for ups in names:
                found += await self._one(talk, ups, only=len(names) == 1)
            return found
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _one(self, talk: _Talk, ups: str, *, only: bool) -> list[Alert]:
        plain = self._alone and only
        said_name = "the UPS" if plain else f"the UPS {words.name(self.name if only else ups)}"
        known = only or ups == self._settings.ups
        try:
            values = await talk.variables(ups)
        except _RefusedError as refused:
            if refused.word in nut_said.LOST:
                return [nut_said.lost(self.name, ups, said_name, known=known)]
            raise SourceError(nut_said.REASONS.get(refused.word, "it says no")) from refused
        return nut_said.judge(self.name, ups, said_name, values, known=known)


class _RefusedError(Exception):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class _Talk:
    """Questions and answers over one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def upses(self) -> list[str]:
        try:
            return nut_said.upses(await self._list("UPS"))
        except _RefusedError as refused:
            raise SourceError(nut_said.REASONS.get(refused.word, "it says no")) from refused

    async def variables(self, ups: str) -> dict[str, str]:
        return nut_said.variables(await self._list(f"VAR {ups}"), ups)

    async def _list(self, what: str) -> list[str]:
        """Lines between ``BEGIN LIST what`` and ``END LIST what``. Raises _RefusedError, SourceError."""
        if not what.isprintable():
            raise SourceError("its UPS has a name that cannot be asked for")
        self._writer.write(f"LIST {what}\n".encode())
        await self._writer.drain()
        first = await self._line()
        if word := nut_said.err(first):
            raise _RefusedError(word)
        if first != f"BEGIN LIST {what}":
            raise SourceError("its answer is not NUT's")
        lines: list[str] = []
        while (line := await self._line()) != f"END LIST {what}":
            lines.append(line)
            if len(lines) > MAX_LINES:
                raise SourceError("its answer is too long")
        return lines

    async def _line(self) -> str:
        try:
            raw = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise SourceError("it breaks off the connection") from error
        except asyncio.LimitOverrunError as error:
            raise SourceError("its answer is too long") from error
        return raw.decode("utf-8", errors="replace").rstrip("\r\n")


def _address(url: str) -> tuple[str, int]:
    """Raises SourceError."""
    try:
        split = urlsplit(url if "//" in url else f"//{url}")
        host, port = split.hostname, split.port
    except ValueError as error:
        raise SourceError(NO_ADDRESS) from error
    if not host:
        raise SourceError(NO_ADDRESS)
    return host, port or PORT

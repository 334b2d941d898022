"""RCON, as Minecraft servers speak it: log in with the password, give a command, read what it says.

From the protocol's documentation (minecraft.wiki, "RCON"): packets of a length, an id and a type (32 bits each, little
endian), text, and two zeros; 3 logs in, 2 is a command and the answer to a login, 0 the answer to a command; the id -1
says that the password is wrong. An answer of more than 4,096 bytes comes in several packets.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tools import web
from tools.services.minecraft_ping import Connection, MinecraftError, connected

LOGIN, COMMAND, ANSWER = 3, 2, 0
FULL = 4_096
"""Bytes of text in a packet after which another one follows."""

LONGEST_PACKET = 4_110
LONGEST_COMMAND = 1_446
"""Bytes; longer ones are not read by the server."""

MAX_ANSWER = 2**20

REFUSED = -1


class Rcon:
    """A connection that is logged in."""

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._reader, self._writer = connection
        self._timeout_s = timeout_s
        self._id = 0

    async def command(self, words: str, timeout_s: float | None = None) -> str:
        """What the server answers, without colours. Raises MinecraftError."""
        raw = words.encode()
        if len(raw) > LONGEST_COMMAND:
            raise MinecraftError("the command is too long")
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                asked = await self._send(COMMAND, raw)
                found = await self._answer(asked)
                whole = found
                while len(found) >= FULL and len(whole) < MAX_ANSWER:
                    found = await self._answer(asked)
                    whole += found
        except TimeoutError as error:
            raise MinecraftError("its RCON does not answer in time") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise MinecraftError("its RCON breaks off the connection") from error
        return re.sub(r"§.", "", whole.decode(errors="replace"))

    async def log_in(self, password: str) -> None:
        """Raises MinecraftError: the password is wrong, or no server answers as one does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                asked = await self._send(LOGIN, password.encode())
                found, kind, _ = await self._packet()
                if kind == ANSWER:  # some servers send an empty one first
                    found, kind, _ = await self._packet()
        except TimeoutError as error:
            raise MinecraftError("its RCON does not answer in time") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise MinecraftError("its RCON breaks off the connection") from error
        if kind != COMMAND or found not in (asked, REFUSED):
            raise MinecraftError("its RCON does not speak as a Minecraft server does")
        if found == REFUSED:
            raise MinecraftError("its RCON refuses the password")

    async def _send(self, kind: int, text: bytes) -> int:
        self._id += 1
        inside = self._id.to_bytes(4, "little") + kind.to_bytes(4, "little") + text + b"\0\0"
        self._writer.write(len(inside).to_bytes(4, "little") + inside)
        await self._writer.drain()
        return self._id

    async def _answer(self, asked: int) -> bytes:
        found, kind, text = await self._packet()
        if found != asked or kind != ANSWER:
            raise MinecraftError("its RCON does not speak as a Minecraft server does")
        return text

    async def _packet(self) -> tuple[int, int, bytes]:
        length = int.from_bytes(await self._reader.readexactly(4), "little")
        if not 10 <= length <= LONGEST_PACKET:
            raise MinecraftError("its RCON does not speak as a Minecraft server does")
        inside = await self._reader.readexactly(length)
        asked = int.from_bytes(inside[:4], "little", signed=True)
        return asked, int.from_bytes(inside[4:8], "little"), inside[8:].rstrip(b"\0")


@asynccontextmanager
async def rcon(host: str, port: int, password_file: Path, timeout_s: float) -> AsyncIterator[Rcon]:
    """Logged in, for the time of the block. ``timeout_s``: of each step. Raises MinecraftError, ``off`` where nothing
    listens."""
    try:
        password = await web.secret(password_file, "RCON password")
    except web.WebError as error:
        raise MinecraftError(str(error)) from error
    try:
        async with asyncio.timeout(timeout_s):
            opened = connected(host, port)
            connection = await opened.__aenter__()
    except TimeoutError as error:
        raise MinecraftError("its RCON does not answer in time") from error
    try:
        session = Rcon(connection, timeout_s)
        await session.log_in(password)
        yield session
    finally:
        await opened.__aexit__(None, None, None)

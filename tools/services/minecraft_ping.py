"""Is a Minecraft server on, and who plays: Server List Ping of 1.7 and newer, and that of older servers.

Both from the protocol's documentation (minecraft.wiki, "Java Edition protocol/Server List Ping").
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

MAX_STATUS_BYTES = 2**21
"""Of the status: the protocol's own limit for a packet (three bytes of a VarInt). A picture of the server is in it."""

ANY_VERSION = -1
"""Protocol version of somebody who only asks which one there is."""

MAX_NAMES = 20

_NAME = re.compile(r"^\w{1,16}$", re.ASCII)
"""What Mojang gives out; other names are of no player (servers put advertisements there)."""


class MinecraftError(Exception):
    """It cannot be asked. ``reason``: the end of "because …". ``off``: nothing listens there."""

    def __init__(self, reason: str, *, off: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.off = off


@dataclass(frozen=True, slots=True)
class Status:
    """What a server tells everybody. ``names``: of those who play, as many as it tells; the text is not ours."""

    version: str
    online: int
    limit: int
    names: tuple[str, ...] = ()
    said: str = ""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ping(host: str, port: int, timeout_s: float) -> Status:
    """The server's status, asked the new way, else the old one. Raises MinecraftError."""
    try:
        async with asyncio.timeout(timeout_s):
            try:
                async with connected(host, port) as connection:
                    return await _modern(connection, host, port)
            except (asyncio.IncompleteReadError, ConnectionResetError, ValueError):
                async with connected(host, port) as connection:  # it hung up on words that it does not know
                    return await _legacy(connection, host, port)
    except TimeoutError as error:
        raise MinecraftError("it does not answer in time") from error
    except (asyncio.IncompleteReadError, OSError, ValueError) as error:
        raise MinecraftError("it does not speak as a Minecraft server does") from error


@asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[Connection]:
    """A connection for the time of the block. Raises MinecraftError, ``off`` where it is refused."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError as error:
        raise MinecraftError("nothing listens on its port", off=True) from error
    except (OSError, UnicodeError) as error:
        raise MinecraftError("it cannot be reached") from error
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.shield(asyncio.wait_for(writer.wait_closed(), 1.0))


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, of 32 bits in two's complement."""
    rest, out = number & 0xFFFFFFFF, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


async def read_varint(reader: asyncio.StreamReader) -> int:
    """Raises ValueError for one of more than five bytes, and IncompleteReadError."""
    number = 0
    for place in range(5):
        byte = (await reader.readexactly(1))[0]
        number |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return number - (1 << 32) if number & 0x80000000 else number & 0xFFFFFFFF
    raise ValueError("too long for a VarInt")


def _packet(kind: int, body: bytes = b"") -> bytes:
    inside = varint(kind) + body
    return varint(len(inside)) + inside


def _text(text: str) -> bytes:
    raw = text.encode()
    return varint(len(raw)) + raw


async def _modern(connection: Connection, host: str, port: int) -> Status:
    """Handshake with the next state 1, Status Request, Status Response: JSON."""
    reader, writer = connection
    handshake = varint(ANY_VERSION) + _text(host[:255]) + port.to_bytes(2, "big") + varint(1)
    writer.write(_packet(0, handshake) + _packet(0))
    await writer.drain()
    length = await read_varint(reader)
    if not 0 < length <= MAX_STATUS_BYTES:
        raise ValueError("no status")
    if await read_varint(reader) != 0:
        raise ValueError("no status")
    size = await read_varint(reader)
    if not 0 <= size <= MAX_STATUS_BYTES:
        raise ValueError("no status")
    return modern_status(await reader.readexactly(size))


def modern_status(raw: bytes) -> Status:
    """The JSON of a Status Response. Raises ValueError."""
    try:
        told: Any = json.loads(raw)
        players: Any = told.get("players") or {}
        sample = [str(one.get("name", "")) for one in players.get("sample") or ()]
        return Status(
            version=str((told.get("version") or {}).get("name", ""))[:40],
            online=int(players.get("online", 0)),
            limit=int(players.get("max", 0)),
            names=tuple(name for name in sample if _NAME.match(name))[:MAX_NAMES],
            said=_plain(told.get("description"))[:200],
        )
    except (AttributeError, TypeError, RecursionError) as error:
        raise ValueError("no status") from error


async def _legacy(connection: Connection, host: str, port: int) -> Status:
    """FE 01 and the plugin message MC|PingHost of 1.6, which 1.4 and 1.5 understand by its first two bytes; a beta
    server answers the first byte. The answer: FF, a length in UTF-16 units, UTF-16BE."""
    reader, writer = connection
    name, where = "MC|PingHost".encode("utf-16-be"), host[:255].encode("utf-16-be")
    data = b"\x4a" + (len(where) // 2).to_bytes(2, "big") + where + port.to_bytes(4, "big")
    message = (len(name) // 2).to_bytes(2, "big") + name + len(data).to_bytes(2, "big") + data
    writer.write(b"\xfe\x01\xfa" + message)
    await writer.drain()
    if (await reader.readexactly(1)) != b"\xff":
        raise ValueError("no status")
    length = int.from_bytes(await reader.readexactly(2), "big")
    return legacy_status((await reader.readexactly(length * 2)).decode("utf-16-be", errors="replace"))


def legacy_status(text: str) -> Status:
    """``§1 protocol version said online limit`` with zeros between, else ``said§online§limit``. Raises ValueError."""
    if text.startswith("§1\0"):
        _, _, version, said, online, limit = text.split("\0")[:6]
        return Status(version[:40], int(online), int(limit), said=_plain(said)[:200])
    said, online, limit = text.rsplit("§", 2)
    return Status("", int(online), int(limit), said=_plain(said)[:200])


def _plain(said: object, depth: int = 0) -> str:
    """The text of a description: a string, or chat components in each other; colours (§ and a letter) go."""
    if depth > 8:
        return ""
    if isinstance(said, dict):
        return _plain(said.get("text", ""), depth + 1) + _plain(said.get("extra", ""), depth + 1)
    if isinstance(said, list):
        return "".join(_plain(one, depth + 1) for one in said)
    text = re.sub(r"§.", "", said) if isinstance(said, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text)

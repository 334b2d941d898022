"""A small server that speaks Minecraft's status ping and RCON as documented, byte for byte. It is not the real game.

Its packets are put together here by hand, not with the code that is tested.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

STATUS: dict[str, Any] = {
    "version": {"name": "1.21.4", "protocol": 769},
    "players": {
        "max": 20,
        "online": 2,
        "sample": [
            {"name": "Alex", "id": "ec561538-f3fd-461d-aff5-086b22154bce"},
            {"name": "Steve", "id": "8667ba71-b85a-4004-af54-457a9734eed7"},
        ],
    },
    "description": {"text": "§aA ", "extra": [{"text": "Minecraft Server", "bold": True}]},
    "favicon": "data:image/png;base64," + "A" * 5_000,
    "enforcesSecureChat": True,
}

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass
class Game:
    """What it answers, and what it was told. ``old``: it knows the ping of 1.6 only."""

    status: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(STATUS)))
    password: str = "craft-42"
    old: bool = False
    raw: bytes | None = None
    answers: dict[str, str] = field(
        default_factory=lambda: {
            "list": "There are 2 of a max of 20 players online: Alex, Steve",
            "save-off": "Automatic saving is now disabled",
            "save-all flush": "Saving the game (this may take a moment!)Saved the game",
            "save-on": "Automatic saving is now enabled",
        }
    )
    handshakes: list[bytes] = field(default_factory=list)
    legacy: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    rcon_port: int = 0

    async def game(self, reader: Reader, writer: Writer) -> None:
        try:
            first = await reader.readexactly(1)
            if self.raw is not None:
                writer.write(self.raw)
            elif first == b"\xfe":
                await self._legacy(reader, writer)
            elif not self.old:
                await self._modern(first[0], reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _modern(self, length: int, reader: Reader, writer: Writer) -> None:
        self.handshakes.append(await reader.readexactly(length))
        assert await reader.readexactly(2) == b"\x01\x00"  # Status Request: one byte long, id 0, no fields
        text = json.dumps(self.status).encode()
        inside = b"\x00" + seven_bits(len(text)) + text
        answer = seven_bits(len(inside)) + inside
        for at in range(0, len(answer), 1_000):  # in pieces, as networks deliver it
            writer.write(answer[at : at + 1_000])
            await writer.drain()

    async def _legacy(self, reader: Reader, writer: Writer) -> None:
        head = await reader.readexactly(2 + 2 + 22 + 2)
        rest = await reader.readexactly(int.from_bytes(head[-2:], "big"))
        self.legacy.append(b"\xfe" + head + rest)
        players = self.status["players"]
        text = "\0".join(["§1", "74", "1.6.4", "An old §4server", str(players["online"]), str(players["max"])])
        writer.write(b"\xff" + len(text).to_bytes(2, "big") + text.encode("utf-16-be"))

    async def rcon(self, reader: Reader, writer: Writer) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(4), "little")
                packet = await reader.readexactly(length)
                asked, kind, text = packet[:4], packet[4:8], packet[8:-2].decode()
                assert packet[-2:] == b"\0\0"
                if kind == b"\x03\0\0\0":
                    right = text == self.password
                    writer.write(_rcon(asked if right else b"\xff\xff\xff\xff", 2, b""))
                else:
                    assert kind == b"\x02\0\0\0"
                    self.commands.append(text)
                    answer = self.answers.get(text, "Unknown or incomplete command, see below for error").encode()
                    for at in range(0, max(len(answer), 1), 4_096):
                        writer.write(_rcon(asked, 0, answer[at : at + 4_096]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def seven_bits(number: int) -> bytes:
    """A VarInt of at most three bytes, written out."""
    if number < 0x80:
        return bytes([number])
    if number < 0x4000:
        return bytes([number & 0x7F | 0x80, number >> 7])
    return bytes([number & 0x7F | 0x80, (number >> 7) & 0x7F | 0x80, number >> 14])


def _rcon(asked: bytes, kind: int, text: bytes) -> bytes:
    inside = asked + bytes([kind, 0, 0, 0]) + text + b"\0\0"
    return len(inside).to_bytes(4, "little") + inside


@asynccontextmanager
async def running(game: Game) -> AsyncIterator[Game]:
    """On two ports of loopback."""
    async with (
        await asyncio.start_server(game.game, "127.0.0.1", 0) as one,
        await asyncio.start_server(game.rcon, "127.0.0.1", 0) as two,
    ):
        game.port, game.rcon_port = (server.sockets[0].getsockname()[1] for server in (one, two))
        yield game

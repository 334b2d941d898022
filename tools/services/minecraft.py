"""A Minecraft server: is it on, who plays, and holding its world still while it is copied.

As a command, for the hooks of a backup job (``docs/minecraft.md``)::

    python -m tools.services.minecraft save-off HOST --password-file FILE    before: 0, or 75 where it is off
    python -m tools.services.minecraft save-on HOST --password-file FILE     after: 0, also where it is off
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.backups.port import NOT_NOW
from tools.services.minecraft_ping import MinecraftError, Status, ping
from tools.services.rcon import Rcon, rcon
from tools.settings_house import MinecraftSettings
from tools.wording import listing, number

FLUSH_TIMEOUT_S = 300.0
"""``save-all flush`` answers when the whole world is on the disk."""

DID_NOT = 1
"""Exit code: it is on, and did not do it."""

_PLAYERS = re.compile(r"players online:\s*(.*)$", re.IGNORECASE | re.DOTALL)
_UNKNOWN = re.compile(r"unknown (?:or incomplete )?command|incorrect argument", re.IGNORECASE)


async def probe_minecraft(settings: MinecraftSettings, host: str, timeout_s: float = 2.0) -> Status:
    """The status of the server, with the players' names where it tells them to everybody, or else over RCON where its
    password is configured. Raises MinecraftError: ``off`` where nothing listens."""
    status = await ping(host, settings.port, timeout_s)
    if status.names or not status.online or settings.rcon_password_file is None:
        return status
    try:
        async with rcon(host, settings.rcon_port, settings.rcon_password_file, timeout_s) as session:
            return replace(status, names=players(await session.command("list")))
    except MinecraftError:
        return status  # it is on; the names are only nice to have


def players(answer: str) -> tuple[str, ...]:
    """The names in what ``list`` answers."""
    match = _PLAYERS.search(answer)
    return tuple(re.findall(r"\b\w{1,16}\b", match[1], re.ASCII))[:20] if match else ()


def say_status(name: str, status: Status) -> str:
    """One sentence: "minecraft is on, and two of 20 play: Alex and Steve." Names are the players' own."""
    if not status.online:
        return f"{name} is on, and nobody plays."
    who = f": {listing(status.names[:5])}" if status.names else ""
    verb = "plays" if status.online == 1 else "play"
    return f"{name} is on, and {number(status.online)} of {number(status.limit)} {verb}{who}."


async def hold_still(session: Rcon) -> None:
    """Nothing is written to the world after this, and all of it is on the disk. Raises MinecraftError; where it could
    not be written out, saving is on again."""
    await _order(session, "save-off")
    try:
        try:
            await _order(session, "save-all flush", FLUSH_TIMEOUT_S)
        except _UnknownError:
            await _order(session, "save-all", FLUSH_TIMEOUT_S)  # servers before 1.2 know no flush
    except BaseException:
        await asyncio.shield(_order(session, "save-on"))
        raise


async def let_go(session: Rcon) -> None:
    """It saves by itself again. Raises MinecraftError."""
    await _order(session, "save-on")


class _UnknownError(MinecraftError):
    """The server does not know the command."""


async def _order(session: Rcon, words: str, timeout_s: float | None = None) -> None:
    if _UNKNOWN.search(await session.command(words, timeout_s)):
        raise _UnknownError(f"it does not know the command {words}")


async def hook(verb: str, host: str, settings: MinecraftSettings, timeout_s: float) -> tuple[int, str]:
    """Exit code and a line for people. Off is no failure: there is nothing to hold still, and nothing new to copy."""
    if settings.rcon_password_file is None:
        return DID_NOT, "the password of RCON is missing"
    try:
        async with rcon(host, settings.rcon_port, settings.rcon_password_file, timeout_s) as session:
            await (hold_still(session) if verb == "save-off" else let_go(session))
    except MinecraftError as error:
        if error.off and await _is_off(host, settings.port, timeout_s):
            return (NOT_NOW if verb == "save-off" else 0), "the server is off"
        return DID_NOT, f"{verb}: {error.reason}"
    return 0, "the world is on the disk and held still" if verb == "save-off" else "the server saves by itself again"


async def _is_off(host: str, port: int, timeout_s: float) -> bool:
    """RCON may be off while people play: then the world is not to be copied as if nobody wrote to it."""
    try:
        await ping(host, port, timeout_s)
    except MinecraftError as error:
        return error.off
    return False


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 75 (NOT_NOW) the server is off, ``save-off`` only; 1 it did not do it."""
    parser = argparse.ArgumentParser(prog="python -m tools.services.minecraft", description=main.__doc__)
    parser.add_argument("verb", choices=["save-off", "save-on", "status"])
    parser.add_argument("host")
    parser.add_argument("--port", type=int, default=25565, help="port of the game")
    parser.add_argument("--rcon-port", type=int, default=25575, help="port of RCON")
    parser.add_argument("--password-file", type=Path, help="file with RCON's password")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="for each step")
    options = parser.parse_args(argv)
    settings = MinecraftSettings(
        port=options.port, rcon_port=options.rcon_port, rcon_password_file=options.password_file
    )
    if options.verb == "status":
        code, said = asyncio.run(_status(options.host, settings, options.timeout))
    else:
        code, said = asyncio.run(hook(options.verb, options.host, settings, options.timeout))
    (sys.stderr if code == DID_NOT else sys.stdout).write(f"{said}\n")
    return code


async def _status(host: str, settings: MinecraftSettings, timeout_s: float) -> tuple[int, str]:
    try:
        return 0, say_status("the server", await probe_minecraft(settings, host, timeout_s))
    except MinecraftError as error:
        return DID_NOT, f"the server is not on: {error.reason}" if error.off else error.reason


if __name__ == "__main__":
    sys.exit(main())

"""The catalogue against what really listens: declared and silent, listening and in no catalogue."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from tools.catalog.place import LOOPBACK, place_of
from tools.catalog.sockets import LSOF, LSOF_TIMEOUT_S, Listening, SocketsError, listening_here, read_lsof
from tools.program import ProgramError, run
from tools.settings import ServiceSettings

AT_ONCE = 64
"""Connections that are tried at the same time."""

CONNECT_S = 2.0


class State(StrEnum):
    """Of a declared port."""

    LISTENING = "listening"
    SILENT = "not listening"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One service; ``asked``: "nas:8096", empty where the catalogue says no port; ``reason``: why it is not listening,
    or why nobody can tell."""

    name: str
    asked: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``strangers``: ports that something listens on here and no service has; None where that cannot be told."""

    services: Sequence[Checked]
    strangers: Sequence[Listening] | None


async def sockets_here() -> tuple[Listening, ...]:
    """What listens on this machine. Raises SocketsError."""
    if platform.system() != "Darwin":
        return await asyncio.to_thread(listening_here)
    try:
        ended = await run(LSOF, timeout_s=LSOF_TIMEOUT_S)
    except ProgramError as error:
        raise SocketsError(f"What listens here can't be told: lsof: {error}.") from error
    return tuple(sorted(set(read_lsof(ended.output.decode(errors="replace")))))


async def check(
    services: Mapping[str, ServiceSettings],
    sockets: Sequence[Listening] | None,
    *,
    ours: Iterable[int] = (),
    done: Callable[[str], None] = lambda _: None,
    timeout_s: float = CONNECT_S,
) -> Report:
    """Every service, all at once. ``sockets``: what listens here; ``ours``: ports of Jarvis itself, which need no
    entry; ``done`` is called with each service's name as it is known."""
    gate = asyncio.Semaphore(AT_ONCE)
    hosts = sorted({host for service in services.values() for host in _hosts(service)})
    here = dict(zip(hosts, await asyncio.gather(*map(_is_here, hosts)), strict=True))

    async def one(name: str, service: ServiceSettings) -> Checked:
        async with gate:
            checked = await _checked(name, service, sockets or (), here, timeout_s)
        done(name)
        return checked

    checked = await asyncio.gather(*(one(name, service) for name, service in services.items()))
    declared = {port for s in services.values() if any(here[h] for h in _hosts(s)) for port in _ports(s)}
    strangers = None if sockets is None else _by_port(one for one in sockets if one.port not in {*declared, *ours})
    return Report(services=checked, strangers=strangers)


async def _checked(
    name: str,
    service: ServiceSettings,
    sockets: Sequence[Listening],
    here: Mapping[str, bool],
    timeout_s: float,
) -> Checked:
    ask = place_of(service).ask
    if ask is None:
        return Checked(name=name, asked="", state=State.UNKNOWN, reason="the catalogue says no host and port")
    host, port = ask
    asked = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if here[host] and any(one.port == port for one in sockets):
        return Checked(name=name, asked=asked, state=State.LISTENING)
    state, reason = await connects(host, port, timeout_s)
    return Checked(name=name, asked=asked, state=state, reason=reason)


async def connects(host: str, port: int, timeout_s: float = CONNECT_S) -> tuple[State, str]:
    """Whether something takes a connection there, and why not."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return State.SILENT, f"no answer within {timeout_s:g} seconds"
    except ConnectionRefusedError:
        return State.SILENT, "connection refused"
    except socket.gaierror:
        return State.SILENT, f"nobody knows the name {host}"
    except OSError as error:  # what has no errno was refused in this process, and nothing was asked
        if error.errno is None:
            return State.UNKNOWN, f"it was not asked: {error}"
        return State.SILENT, os.strerror(error.errno).lower() if error.errno > 0 else str(error)
    except (UnicodeError, ValueError):
        return State.UNKNOWN, f"{host} is no name of a machine"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return State.LISTENING, ""


# ── this machine ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _is_here(host: str) -> bool:
    """Whether a name or an address is this machine's."""
    own = socket.gethostname()
    if host in LOOPBACK or host.casefold() in {own.casefold(), own.split(".")[0].casefold()}:
        return True
    try:
        async with asyncio.timeout(CONNECT_S):
            answers = await asyncio.get_running_loop().getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError, TimeoutError):
        return False
    return any(_is_own_address(family, str(address[0])) for family, _, _, _, address in answers)


def _is_own_address(family: int, address: str) -> bool:
    """Only an address of this machine can be bound; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def _hosts(service: ServiceSettings) -> set[str]:
    hosts = {service.host, service.ip, place_of(service).host}
    if service.url is not None and service.url.host:
        hosts.add(service.url.host.strip("[]"))
    if (ask := place_of(service).ask) is not None:
        hosts.add(ask[0])
    return {host for host in hosts if host}


def _ports(service: ServiceSettings) -> set[int]:
    """Every port that an entry names."""
    ports = {service.port, service.url.port if service.url is not None else None}
    if service.tcp is not None:
        ports.add(int(service.tcp.rpartition(":")[2]))
    if service.minecraft is not None:
        ports |= {service.minecraft.port, service.minecraft.rcon_port}
    return {port for port in ports if port}


def _by_port(sockets: Iterable[Listening]) -> tuple[Listening, ...]:
    """One for each port: reachable from outside where one of its sockets is, with the program that is known."""
    best: dict[int, Listening] = {}
    for one in sockets:
        known = best.get(one.port)
        if known is None or (known.only_here and not one.only_here):
            best[one.port] = Listening(one.port, one.address, one.program or (known.program if known else ""))
        elif not known.program:
            best[one.port] = Listening(known.port, known.address, one.program)
    return tuple(best[port] for port in sorted(best))
